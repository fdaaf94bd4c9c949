/// Reads one JSON document; NaN and infinities may stand bare.
struct JSONScanner {
  let bytes: [UInt8]
  var position: Int
  let end: Int
  private var depth = 0

  private static let depthLimit = 64

  init(_ bytes: [UInt8], in range: Range<Int>) {
    self.bytes = bytes
    position = range.lowerBound
    end = range.upperBound
  }

  mutating func document() throws(JSONValue.Flaw) -> JSONValue {
    let value = try value()
    skipBlanks()
    guard position == end else { throw flaw("more after the value") }
    return value
  }

  func flaw(_ what: String) -> JSONValue.Flaw {
    JSONValue.Flaw(offset: position, what: what)
  }

  var next: UInt8? { position < end ? bytes[position] : nil }

  mutating func skipBlanks() {
    while let byte = next, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 {
      position += 1
    }
  }

  mutating func take(_ byte: UInt8) -> Bool {
    guard next == byte else { return false }
    position += 1
    return true
  }

  private mutating func value() throws(JSONValue.Flaw) -> JSONValue {
    skipBlanks()
    guard let byte = next else { throw flaw("it ends where a value should be") }
    switch byte {
    case UInt8(ascii: "{"): return .object(try members())
    case UInt8(ascii: "["): return .list(try elements())
    case UInt8(ascii: "\""): return .text(try string())
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number(try number())
    default: return try word()
    }
  }

  mutating func word() throws(JSONValue.Flaw) -> JSONValue {
    let words: [(String, JSONValue)] = [
      ("null", .null), ("true", .flag(true)), ("false", .flag(false)), ("NaN", .number(.nan)),
      ("Infinity", .number(.infinity)),
    ]
    for (word, value) in words where bytes[position..<end].starts(with: word.utf8) {
      position += word.utf8.count
      return value
    }
    throw flaw("no value")
  }

  mutating func number() throws(JSONValue.Flaw) -> Double {
    let start = position
    if take(UInt8(ascii: "-")), bytes[position..<end].starts(with: "Infinity".utf8) {
      position += 8
      return -.infinity
    }
    position = start
    var after = start
    guard let number = DecimalNumber.read(bytes.span, at: &after, end: end) else {
      throw flaw("no number")
    }
    position = after
    return number
  }

  private mutating func members() throws(JSONValue.Flaw) -> [JSONValue.Member] {
    try descend()
    defer { depth -= 1 }
    var members: [JSONValue.Member] = []
    skipBlanks()
    if take(UInt8(ascii: "}")) { return members }
    while true {
      skipBlanks()
      guard next == UInt8(ascii: "\"") else { throw flaw("no key in quotes") }
      let key = try string()
      skipBlanks()
      guard take(UInt8(ascii: ":")) else { throw flaw("no colon after a key") }
      members.append(JSONValue.Member(key: key, value: try value()))
      skipBlanks()
      if take(UInt8(ascii: "}")) { return members }
      guard take(UInt8(ascii: ",")) else { throw flaw("neither a comma nor an end") }
    }
  }

  private mutating func elements() throws(JSONValue.Flaw) -> [JSONValue] {
    try descend()
    defer { depth -= 1 }
    var elements: [JSONValue] = []
    skipBlanks()
    if take(UInt8(ascii: "]")) { return elements }
    while true {
      elements.append(try value())
      skipBlanks()
      if take(UInt8(ascii: "]")) { return elements }
      guard take(UInt8(ascii: ",")) else { throw flaw("neither a comma nor an end") }
    }
  }

  private mutating func descend() throws(JSONValue.Flaw) {
    position += 1
    depth += 1
    guard depth <= Self.depthLimit else { throw flaw("more than \(Self.depthLimit) levels") }
  }
}

extension JSONScanner {
  private mutating func string() throws(JSONValue.Flaw) -> String {
    position += 1
    let start = position
    while let byte = next, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") { position += 1 }
    var text = String(decoding: bytes[start..<position], as: UTF8.self)
    while let byte = next {
      switch byte {
      case UInt8(ascii: "\""):
        position += 1
        return text
      case UInt8(ascii: "\\"):
        position += 1
        text.unicodeScalars.append(try escape())
      default:
        let start = position
        while let byte = next, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") {
          position += 1
        }
        text += String(decoding: bytes[start..<position], as: UTF8.self)
      }
    }
    throw flaw("a text without its end")
  }

  private mutating func escape() throws(JSONValue.Flaw) -> Unicode.Scalar {
    guard let byte = next else { throw flaw("a text without its end") }
    position += 1
    switch byte {
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{c}"
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
    case UInt8(ascii: "u"): return try codePoint()
    default: throw flaw("no such escape")
    }
  }

  /// Four hexadecimal digits, or two times four for what lies beyond them.
  private mutating func codePoint() throws(JSONValue.Flaw) -> Unicode.Scalar {
    let high = try codeUnit()
    if let scalar = Unicode.Scalar(high) { return scalar }
    guard (0xd800..<0xdc00).contains(high), take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else {
      return "\u{fffd}"
    }
    let low = try codeUnit()
    guard (0xdc00..<0xe000).contains(low) else { return "\u{fffd}" }
    return Unicode.Scalar(0x10000 + (high - 0xd800) << 10 + (low - 0xdc00)) ?? "\u{fffd}"
  }

  private mutating func codeUnit() throws(JSONValue.Flaw) -> UInt32 {
    guard end - position >= 4,
      let unit = UInt32(String(decoding: bytes[position..<position + 4], as: UTF8.self), radix: 16)
    else { throw flaw("no four hexadecimal digits") }
    position += 4
    return unit
  }
}
