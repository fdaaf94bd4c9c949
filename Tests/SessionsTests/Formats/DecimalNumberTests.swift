import Testing

@testable import Formats

@Suite(.timeLimit(.minutes(15))) struct DecimalNumberTests {
  private func expectSame(_ text: String) {
    #expect(DecimalNumber.read(text)?.bitPattern == Double(text)?.bitPattern, "\(text)")
  }

  @Test(arguments: 0..<4) func `any float's digits give its bits`(seed: UInt64) {
    var random = RandomBits(seed: seed)
    for _ in 0..<3000 {
      let double = Double(bitPattern: random.next())
      let single = Float(bitPattern: UInt32(truncatingIfNeeded: random.next()))
      if double.isFinite { expectSame("\(double)") }
      if single.isFinite { expectSame("\(single)") }
      expectSame("\(Double.random(in: -10...10, using: &random))")
    }
  }

  @Test(arguments: 0..<4) func `any digits at any power of ten give what Double gives`(seed: UInt64)
  {
    var random = RandomBits(seed: seed)
    for _ in 0..<3000 {
      let digits = random.next() >> UInt64.random(in: 0..<64, using: &random)
      let exponent = Int.random(in: -70...70, using: &random)
      let value = DecimalNumber.value(digits, exponent)
      if (-55...55).contains(exponent), digits < 10_000_000_000_000_000_000 {
        #expect(value != nil, "\(digits)e\(exponent)")
      }
      guard let value else { continue }
      #expect(
        value.bitPattern == Double("\(digits)e\(exponent)")?.bitPattern, "\(digits)e\(exponent)")
    }
  }

  @Test(arguments: 0..<2) func `halfway between two floats the even one is taken`(seed: UInt64) {
    var random = RandomBits(seed: seed)
    for _ in 0..<3000 {
      let odd = 1 << 53 | random.next() >> 11 | 1
      for number in [odd - 1, odd, odd + 1] {
        expectSame("\(number)")
        expectSame("\(number * 5)e-1")
        expectSame("\(number * 125)e-3")
      }
    }
  }

  @Test(arguments: [
    "0", "-0", "0.0", "00012", "1.", "-.5", "1.e5", "1e", "1e+", "-", "+1", "1-2", "1..2", "1e400",
    "1e-400", "5e-324", "1e00005", "123456789012345678901234567890", "0.00000000000000000000012",
    "9007199254740993", "18446744073709551615", "9999999999999999999", "1E5", "1e-5e", "", "x",
  ])
  func `odd spellings are what Double makes of them`(text: String) {
    expectSame(text)
  }
}
