/// Numbers as people and programs write them into logs.
enum WrittenNumber {
  private static let words: [String: Double] = [
    "nan": .nan, "-nan": .nan, "+nan": .nan, "inf": .infinity, "+inf": .infinity,
    "-inf": -.infinity, "infinity": .infinity, "+infinity": .infinity, "-infinity": -.infinity,
  ]

  /// The number that the whole of `bytes` in `range` is, blanks around it left out.
  static func read(_ bytes: [UInt8], in range: Range<Int>, decimalComma: Bool = false) -> Double? {
    var (start, end) = (range.lowerBound, range.upperBound)
    while start < end, bytes[start] <= 0x20 { start += 1 }
    while end > start, bytes[end - 1] <= 0x20 { end -= 1 }
    guard start < end else { return nil }
    var position = start
    if let number = DecimalNumber.read(bytes.span, at: &position, end: end), position == end {
      return number
    }
    guard end - start <= 32 else { return nil }
    var text = String(decoding: bytes[start..<end], as: UTF8.self)
    if let number = words[text.lowercased()] { return number }
    guard decimalComma, text.contains(","), !text.contains(".") else { return nil }
    text = text.replacing(",", with: ".")
    return DecimalNumber.read(text)
  }

  static func read(_ text: some StringProtocol) -> Double? {
    let bytes = Array(text.utf8)
    return read(bytes, in: bytes.indices)
  }
}

extension DecimalNumber {
  /// A number that was written with the shortest digits of a Float32 is that float again.
  static func restoringSinglePrecision(_ value: Double) -> Double {
    let single = Float(value)
    if Double(single) == value { return value }
    return read("\(single)") == value ? Double(single) : value
  }
}
