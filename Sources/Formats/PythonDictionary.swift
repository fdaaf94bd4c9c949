/// A dictionary as Python prints it: `{'loss': 2.5, 'ok': True, 'name': "it's"}`.
enum PythonDictionary {
  /// Its members; nil where the text is none, or holds more than numbers, words and texts.
  static func members(of text: some StringProtocol) -> [JSONValue.Member]? {
    var scan = Scan(bytes: Array(text.utf8))
    guard scan.take("{") else { return nil }
    var members: [JSONValue.Member] = []
    while true {
      guard let key = scan.quoted(), scan.take(":"), let value = scan.value() else { return nil }
      members.append(JSONValue.Member(key: key, value: value))
      if scan.take("}") { return scan.isAtEnd ? members : nil }
      guard scan.take(",") else { return nil }
    }
  }

  private struct Scan {
    let bytes: [UInt8]
    var position = 0

    private mutating func skipBlanks() {
      while position < bytes.count, bytes[position] <= 0x20 { position += 1 }
    }

    var isAtEnd: Bool { bytes[position...].allSatisfy { $0 <= 0x20 } }

    mutating func take(_ character: Unicode.Scalar) -> Bool {
      skipBlanks()
      guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
      position += 1
      return true
    }

    mutating func quoted() -> String? {
      skipBlanks()
      guard position < bytes.count else { return nil }
      let quote = bytes[position]
      guard quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else { return nil }
      let start = position + 1
      var end = start
      while end < bytes.count, bytes[end] != quote {
        end += bytes[end] == UInt8(ascii: "\\") ? 2 : 1
      }
      guard end < bytes.count else { return nil }
      position = end + 1
      return String(decoding: bytes[start..<end], as: UTF8.self)
    }

    mutating func value() -> JSONValue? {
      if let text = quoted() { return .text(text) }
      skipBlanks()
      let start = position
      while position < bytes.count, bytes[position] != UInt8(ascii: ","),
        bytes[position] != UInt8(ascii: "}")
      {
        position += 1
      }
      if let number = WrittenNumber.read(bytes, in: start..<position) { return .number(number) }
      switch String(decoding: bytes[start..<position], as: UTF8.self) {
      case "True": return .flag(true)
      case "False": return .flag(false)
      case "None": return .null
      default: return nil
      }
    }
  }
}
