/// Reads the pieces of JSON that a safetensors header consists of.
struct HeaderScanner {
  private let bytes: [UInt8]
  private(set) var offset = 0

  init(bytes: [UInt8]) {
    self.bytes = bytes
  }

  /// `{ "key": value, … }`; `member` reads each value.
  mutating func object(
    _ member: (inout HeaderScanner, String) throws(SafetensorsFault) -> Void
  ) throws(SafetensorsFault) {
    try expect("{")
    guard !take("}") else { return }
    repeat {
      skipSpace()
      let key = try string()
      try expect(":")
      skipSpace()
      try member(&self, key)
    } while take(",")
    try expect("}")
  }

  /// `[ 1, 2, … ]`, none below 0.
  mutating func integers() throws(SafetensorsFault) -> [Int] {
    try expect("[")
    guard !take("]") else { return [] }
    var values: [Int] = []
    repeat {
      values.append(try integer())
    } while take(",")
    try expect("]")
    return values
  }

  mutating func string() throws(SafetensorsFault) -> String {
    try expect("\"")
    let start = offset
    var units: [UInt8] = []
    while let byte = next(), byte != UInt8(ascii: "\"") {
      guard byte >= 0x20 else { throw fault("a string", "a control character", offset) }
      offset += 1
      if byte == UInt8(ascii: "\\") {
        units += try escaped().utf8
      } else {
        units.append(byte)
      }
    }
    guard next() != nil else { throw fault("the end of a string", "the end of the header", offset) }
    offset += 1
    guard let text = String(validating: units, as: UTF8.self) else {
      throw fault("UTF-8", "other bytes", start)
    }
    return text
  }

  /// Nothing but blanks up to the end.
  mutating func end() throws(SafetensorsFault) {
    skipSpace()
    guard offset == bytes.count else { throw fault("the end of the header", "more", offset) }
  }

  func fault(_ expected: String, _ found: String, _ offset: Int) -> SafetensorsFault {
    SafetensorsFault(offset, expected: expected, found: found)
  }

  private mutating func integer() throws(SafetensorsFault) -> Int {
    skipSpace()
    let start = offset
    var value = 0
    while let byte = next(), (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) {
      let (tens, tensOverflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, overflow) = tens.addingReportingOverflow(Int(byte - UInt8(ascii: "0")))
      guard !tensOverflow && !overflow else {
        throw fault("a number that fits", "a longer one", start)
      }
      value = sum
      offset += 1
    }
    guard offset > start else { throw fault("a whole number", shown(), start) }
    return value
  }

  /// What follows a backslash.
  private mutating func escaped() throws(SafetensorsFault) -> String {
    guard let byte = next() else { throw fault("an escape", "the end of the header", offset) }
    offset += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"):
      return String(UnicodeScalar(byte))
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{C}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"): return try escapedScalar()
    default: throw fault("an escape", String(UnicodeScalar(byte)), offset - 1)
    }
  }

  private mutating func escapedScalar() throws(SafetensorsFault) -> String {
    let start = offset
    var units = [try escapedUnit()]
    if UTF16.isLeadSurrogate(units[0]) {
      guard bytes[offset...].starts(with: Array("\\u".utf8)) else {
        throw fault("the second half of a character", shown(), start)
      }
      offset += 2
      units.append(try escapedUnit())
    }
    guard let text = String(validating: units, as: UTF16.self) else {
      throw fault("a character", "half of one", start)
    }
    return text
  }

  private mutating func escapedUnit() throws(SafetensorsFault) -> UInt16 {
    let digits = bytes[offset...].prefix(4)
    guard digits.count == 4, !digits.contains(UInt8(ascii: "+")),
      let unit = UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
    else { throw fault("four hexadecimal digits", shown(), offset) }
    offset += 4
    return unit
  }

  private func next() -> UInt8? {
    offset < bytes.count ? bytes[offset] : nil
  }

  private mutating func skipSpace() {
    while let byte = next(), [0x20, 0x09, 0x0A, 0x0D].contains(byte) { offset += 1 }
  }

  private mutating func take(_ character: UnicodeScalar) -> Bool {
    skipSpace()
    guard next() == UInt8(ascii: character) else { return false }
    offset += 1
    return true
  }

  private mutating func expect(_ character: UnicodeScalar) throws(SafetensorsFault) {
    skipSpace()
    guard next() == UInt8(ascii: character) else {
      throw fault("\(character)", shown(), offset)
    }
    offset += 1
  }

  /// The byte at hand, for a message.
  private func shown() -> String {
    guard let byte = next() else { return "the end of the header" }
    return (0x21...0x7E).contains(byte) ? String(UnicodeScalar(byte)) : "byte \(byte)"
  }
}
