import Foundation
import Testing

@testable import Signals

@Suite(.timeLimit(.minutes(15)))
struct NumberTextTests {
  @Test(arguments: [
    (1.234, "1.23"), (12.34, "12.3"), (123.4, "123"), (999.4, "999"), (999.6, "1.00k"),
    (1234, "1.23k"), (12_345, "12.3k"), (4_560_000, "4.56M"), (0.0123, "0.0123"),
    (0.00123, "0.00123"), (0.000123, "1.23e-4"), (1e-300, "1.00e-300"), (9.996, "10.0"),
    (1e15, "1.00e15"), (0, "0"), (-0.0, "0"), (-2.5, "−2.50"), (.nan, "NaN"), (.infinity, "∞"),
    (-.infinity, "−∞"),
  ])
  func `a compact number keeps three digits`(value: Double, text: String) {
    #expect(NumberText.compact(value) == text)
  }

  @Test func `digits can be chosen`() {
    #expect(NumberText.compact(9278, digits: 2) == "9.3k")
    #expect(NumberText.compact(1234, digits: 4) == "1,234")
    #expect(NumberText.compact(0.00012, digits: 2) == "1.2e-4")
    #expect(NumberText.compact(123, digits: 2) == "123")
    #expect(NumberText.compact(3, digits: 1) == "3")
  }

  @Test func `a number between a thousandth and a thousand reads as C prints it`() {
    let seed = UInt64.random(in: 0 ... .max)
    var generator = SeededGenerator(seed: seed)
    let edges = [0.001, 0.00999951, 0.0995, 0.9995, 0.99949999, 1, 9.995, 9.5, 99.95, 99.96, 999.4]
    let drawn = (0..<2000).map { _ in pow(10, Double.random(in: -3..<2.999, using: &generator)) }
    for value in edges + drawn {
      for digits in 1...6 where value < 999 {
        let exponent = Int(String(format: "%.\(digits - 1)e", value).split(separator: "e")[1]) ?? 0
        guard (-3..<3).contains(exponent) else { continue }
        let text = String(format: "%.\(max(0, digits - 1 - exponent))f", value)
        #expect(NumberText.compact(value, digits: digits) == text, "\(digits), seed \(seed)")
      }
    }
  }

  @Test func `a compact number fits eight cells and reads back`() throws {
    let seed = UInt64.random(in: 0 ... .max)
    var generator = SeededGenerator(seed: seed)
    let units: [Character: Double] = ["k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12]
    for _ in 0..<2000 {
      let value = generator.normal() * Double.random(in: 1e-9...1e9, using: &generator)
      let text = NumberText.compact(value)
      #expect(text.count <= 8, "\(value) is \(text), seed \(seed)")
      var digits = text.replacing("−", with: "-")
      let unit = digits.last.flatMap { units[$0] } ?? 1
      if unit > 1 { digits.removeLast() }
      let number = try #require(Double(digits)) * unit
      #expect(abs(number - value) <= abs(value) * 0.0051, "\(value) is \(text), seed \(seed)")
    }
  }

  @Test(arguments: [
    (9278, "9,278"), (0, "0"), (999, "999"), (1_234_567, "1,234,567"), (-1234, "−1,234"),
    (Int.min, "−9,223,372,036,854,775,808"),
  ])
  func `thousands stand apart`(count: Int, text: String) {
    #expect(NumberText.grouped(count) == text)
  }

  @Test func `a float is grouped as its nearest whole number`() {
    #expect(NumberText.grouped(9277.6) == "9,278")
    #expect(NumberText.grouped(-0.4) == "0")
    #expect(NumberText.grouped(Double.nan) == "NaN")
    #expect(NumberText.grouped(1e16) == "10,000,000,000,000,000")
  }

  @Test(arguments: [
    (-0.19, "−0.19"), (0.07, "+0.07"), (0.0031, "+0.0031"), (-0.00012, "−1.2e-4"), (0, "0"),
    (12.345, "+12.35"), (.nan, "NaN"), (.infinity, "+∞"), (-.infinity, "−∞"),
  ])
  func `a difference carries its sign`(value: Double, text: String) {
    #expect(NumberText.signed(value) == text)
  }

  @Test(arguments: [(1e3, "1e3"), (1e4, "1e4"), (5e3, "5.0k"), (0, "0"), (-3, "−3.0"), (50, "50")])
  func `a level is a power of ten where it is one`(value: Double, text: String) {
    #expect(NumberText.level(value) == text)
  }

  @Test(arguments: [(0.125, "12.5%"), (0.0004, "0.0%"), (1, "100.0%"), (-0.5, "−50.0%")])
  func `a share is read in percent`(share: Double, text: String) {
    #expect(NumberText.percent(share) == text)
  }

  @Test(arguments: [
    (31, "0:00:31"), (59.99, "0:00:59"), (3723, "1:02:03"), (86_400 * 2 + 3723, "2d 1:02:03"),
    (0, "0:00:00"), (-31, "−0:00:31"), (.nan, "NaN"), (.infinity, "∞"),
  ])
  func `a duration reads as a clock`(seconds: Double, text: String) {
    #expect(NumberText.duration(seconds: seconds) == text)
  }

  @Test(arguments: [
    (512, "512 B"), (999.6, "1.0 kB"), (1_200_000, "1.2 MB"), (999_960, "1.0 MB"), (0, "0 B"),
    (3.4e9, "3.4 GB"), (1e20, "100000.0 PB"), (.nan, "NaN B"),
  ])
  func `a size has a unit`(count: Double, text: String) {
    #expect(NumberText.bytes(count) == text)
  }
}
