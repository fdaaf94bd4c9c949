import Foundation
import Testing

@testable import Signals

@Suite(.timeLimit(.minutes(15)))
struct SpikeDetectorTests {
  @Test func `it scores nothing before 100 values`() {
    var detector = SpikeDetector()
    for index in 0..<100 { #expect(detector.add(Double(index % 10)).isNaN) }
    #expect(detector.add(4.5) == 0)
  }

  @Test func `the point itself is not in its window`() {
    var detector = SpikeDetector()
    for index in 0..<100 { detector.add(index % 2 == 0 ? 1 : -1) }
    let deviation = (100.0 / 99).squareRoot()
    #expect(abs(detector.add(10) - 10 / deviation) < 1e-12)
    #expect(detector.score(10) < 10 / deviation)
  }

  @Test(arguments: [(1000, 100, 0.0), (50, 10, 0.0), (50, 10, 1e6)])
  func `it agrees with the plain sums over its window`(capacity: Int, needed: Int, offset: Double) {
    let seed = UInt64.random(in: 0 ... .max)
    var generator = SeededGenerator(seed: seed)
    var detector = SpikeDetector(capacity: capacity, needed: needed)
    var values: [Double] = []
    for index in 0..<capacity * 5 / 2 {
      let value = offset + generator.normal() + Double(index) / 100
      let score = detector.add(value)
      let window = values.suffix(capacity)
      if window.count >= needed {
        let mean = window.reduce(0, +) / Double(window.count)
        let square = window.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        let expected = (value - mean) / (square / Double(window.count - 1)).squareRoot()
        #expect(abs(score - expected) < 1e-6 * max(1, abs(expected)), "seed \(seed)")
      }
      values.append(value)
    }
  }

  @Test func `a constant window has deviation 0 and any other value is infinitely far`() {
    var detector = SpikeDetector(capacity: 120, needed: 100)
    for _ in 0..<500 { detector.add(0.1) }
    #expect(detector.deviation == 0)
    #expect(detector.add(0.1) == 0)
    #expect(detector.score(0.2) == .infinity)
    #expect(detector.score(0.05) == -.infinity)
  }

  @Test func `values that are not finite never enter`() {
    var detector = SpikeDetector()
    for index in 0..<200 { detector.add(Double(index % 7)) }
    let before = detector
    #expect(detector.add(.nan).isNaN)
    #expect(detector.add(.infinity) == .infinity)
    #expect(detector == before)
  }

  @Test func `it continues from its coded form to the bit`() throws {
    var generator = SeededGenerator(seed: 9)
    var detector = SpikeDetector(capacity: 150, needed: 100)
    for _ in 0..<220 { detector.add(generator.normal()) }
    let coded = try JSONEncoder().encode(detector)
    var copy = try JSONDecoder().decode(SpikeDetector.self, from: coded)
    for _ in 0..<300 {
      let value = generator.normal()
      #expect(copy.add(value).bitPattern == detector.add(value).bitPattern)
    }
  }
}
