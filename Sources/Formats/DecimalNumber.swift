/// Reads numbers in decimal digits: what `Double` makes of the same text, in a fraction of the time.
///
/// Eisel and Lemire's method: the digits as a whole number times a power of ten of 128 bits tell the
/// bits of the float. What it does not cover is left to `Double`.
/// - Source: Lemire, "Number parsing at a gigabyte per second" (2021), sections 3 to 6; that one
///   further product settles every case: Mushtak and Lemire, "Fast number parsing without fallback"
///   (2022).
enum DecimalNumber {
  /// The number at `position`, which moves behind it; nil, and no move, where the bytes are none.
  ///
  /// All digits, signs, points and e's that follow each other belong to it.
  static func read(_ bytes: borrowing Span<UInt8>, at position: inout Int, end: Int) -> Double? {
    var scan = Scan(position: position)
    if scan.isPlain(bytes, end: end), let value = value(scan.digits, scan.exponent) {
      position = scan.position
      return scan.isNegative ? -value : value
    }
    var last = position
    while last < end, isOfNumber(bytes[last]) { last += 1 }
    let text = String(decoding: (position..<last).map { bytes[$0] }, as: UTF8.self)
    guard let value = Double(text) else { return nil }
    position = last
    return value
  }

  /// What `text` is as a number, if its bytes are all of one.
  static func read(_ text: String) -> Double? {
    var text = text
    text.makeContiguousUTF8()
    let bytes = text.utf8.span
    var position = 0
    let value = read(bytes, at: &position, end: bytes.count)
    return position == bytes.count ? value : nil
  }

  static func isOfNumber(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "e"),
      UInt8(ascii: "E"), UInt8(ascii: "+"), UInt8(ascii: "-"):
      true
    default: false
    }
  }

  private static let exactPowersOfTen: [Double] = (0...22).map { Double("1e\($0)") ?? .nan }

  /// `digits` times ten to the power `exponent`; nil where it takes more to know it.
  static func value(_ digits: UInt64, _ exponent: Int) -> Double? {
    if digits == 0 { return 0 }
    // Both numbers are exact, so that one rounding gives the nearest float.
    if digits <= 1 << 53, abs(exponent) <= 22 {
      let power = exactPowersOfTen[abs(exponent)]
      return exponent < 0 ? Double(digits) / power : Double(digits) * power
    }
    guard let power = PowerOfFive.of(exponent) else { return nil }
    return power.times(digits)
  }
}

extension DecimalNumber {
  /// A number's digits as they are met.
  private struct Scan {
    var position: Int
    var digits: UInt64 = 0
    var exponent = 0
    var isNegative = false

    init(position: Int) {
      self.position = position
    }

    /// Whether a number with digits before and after every sign of its, 19 in all, ends here.
    mutating func isPlain(_ bytes: borrowing Span<UInt8>, end: Int) -> Bool {
      if position < end, bytes[position] == UInt8(ascii: "-") {
        isNegative = true
        position += 1
      }
      let start = position
      guard takeDigits(bytes, end: end) else { return false }
      var count = position - start
      if position < end, bytes[position] == UInt8(ascii: ".") {
        position += 1
        let point = position
        guard takeDigits(bytes, end: end) else { return false }
        exponent = point - position
        count -= exponent
      }
      // Zeros in front count too: such a number is rare, and right either way.
      guard count <= 19, takeExponent(bytes, end: end) else { return false }
      return position == end || !DecimalNumber.isOfNumber(bytes[position])
    }

    private mutating func takeDigits(_ bytes: borrowing Span<UInt8>, end: Int) -> Bool {
      let start = position
      while position < end {
        let digit = bytes[position] &- UInt8(ascii: "0")
        guard digit < 10 else { break }
        digits = digits &* 10 &+ UInt64(digit)
        position += 1
      }
      return position > start
    }

    private mutating func takeExponent(_ bytes: borrowing Span<UInt8>, end: Int) -> Bool {
      guard position < end, bytes[position] | 0x20 == UInt8(ascii: "e") else { return true }
      position += 1
      var isBelow = false
      if position < end,
        bytes[position] == UInt8(ascii: "-") || bytes[position] == UInt8(ascii: "+")
      {
        isBelow = bytes[position] == UInt8(ascii: "-")
        position += 1
      }
      let (number, start) = (digits, position)
      digits = 0
      guard takeDigits(bytes, end: end), position - start <= 4 else { return false }
      exponent += isBelow ? -Int(digits) : Int(digits)
      digits = number
      return true
    }
  }
}

/// A power of ten for which five to it, or what it goes into, is known from 128 bits.
private struct PowerOfFive {
  private let exponent: Int
  private let high: UInt64
  private let low: UInt64

  private static let limit = 55
  private static let all: [PowerOfFive] = (-limit...limit).map { PowerOfFive($0) }

  static func of(_ exponent: Int) -> PowerOfFive? {
    abs(exponent) <= limit ? all[exponent + limit] : nil
  }

  /// The highest 128 bits; of an inverse rounded up where the rest could matter.
  private init(_ exponent: Int) {
    self.exponent = exponent
    let power = (0..<abs(exponent)).reduce(UInt128(1)) { product, _ in product * 5 }
    var bits = power << UInt128(power.leadingZeroBitCount)
    if exponent < 0 {
      let size = 128 - power.leadingZeroBitCount
      let (quotient, _) = power.dividingFullWidth((high: 1 << UInt128(size - 1), low: 0))
      bits = quotient + (exponent >= -27 ? 1 : 0)
    }
    high = UInt64(truncatingIfNeeded: bits >> 64)
    low = UInt64(truncatingIfNeeded: bits)
  }

  /// The float nearest to `digits` times this power of ten; of two as near the even one.
  func times(_ digits: UInt64) -> Double {
    let shift = digits.leadingZeroBitCount
    let number = digits << UInt64(shift)
    var product = number.multipliedFullWidth(by: high)
    // The lower half can change the bits kept only where those behind them are all ones.
    if product.high & 0x1ff == 0x1ff {
      let (sum, overflows) = product.low.addingReportingOverflow(
        number.multipliedFullWidth(by: low).high)
      product = (product.high &+ (overflows ? 1 : 0), sum)
    }
    let upper = Int(product.high >> 63)
    let kept = upper + 9
    var significand = product.high >> UInt64(kept)
    let isHalfway =
      product.low <= 1 && (-4...23).contains(exponent) && significand & 3 == 1
      && significand << UInt64(kept) == product.high
    if isHalfway { significand &= ~1 }
    significand = (significand + (significand & 1)) >> 1
    // Of these powers and 19 digits none leaves the range of a normal float, and a significand
    // rounded up to the next power of two carries into the exponent.
    let exponent = (217_706 * exponent) >> 16 + 63 + upper - shift + 1023
    return Double(bitPattern: UInt64(exponent) << 52 + significand - 1 << 52)
  }
}
