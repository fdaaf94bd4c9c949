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
    let text = String(decoding: bytes[start..<end], as: UTF8.self)
    if let number = words[text.lowercased()] { return number }
    return decimalComma ? withComma(text) : nil
  }

  /// What parts the thousands where a comma parts the decimals: blanks of any width, an apostrophe, a
  /// point.
  private static let groupMarks: Set<Character> = [" ", "\u{a0}", "\u{202f}", "'", "’", "."]

  /// `2,5`, `1 234,5`, `1.234,5`
  private static func withComma(_ text: String) -> Double? {
    let parts = text.split(separator: ",", omittingEmptySubsequences: false)
    guard parts.count <= 2 else { return nil }
    let groups = parts[0].split(omittingEmptySubsequences: false) { groupMarks.contains($0) }
    let isGrouped = groups.dropFirst().allSatisfy { $0.count == 3 && $0.allSatisfy(\.isNumber) }
    guard isGrouped, groups.count == 1 || (1...4).contains(groups[0].count) else { return nil }
    let whole = groups.joined()
    return DecimalNumber.read(parts.count > 1 ? "\(whole).\(parts[1])" : whole)
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
