/// Finds out by looking what kind of record some bytes begin.
enum LogFormat {
  /// So many bytes are looked at.
  static let lookedAt = 1 << 16

  /// `isWhole`: whether no more bytes will come.
  /// - Returns: nil where they are of no kind that is known, or too few to tell.
  static func of(_ bytes: [UInt8], isWhole: Bool) -> LoggedRun.Format? {
    if bytes.starts(with: WandbLog.magic) { return .wandb }
    if EventFrames.begins(bytes) { return .eventFiles }
    if !isWhole, couldBeBinary(bytes) { return nil }
    guard let first = bytes.firstIndex(where: { $0 > 0x20 && $0 < 0x80 }), !bytes.contains(0) else {
      return nil
    }
    if bytes[first] == UInt8(ascii: "["), bytes[(first + 1)...].first(where: { $0 > 0x20 }) == 0x7b
    {
      return .trainerState
    }
    if bytes[first] == UInt8(ascii: "{") { return ofBrace(bytes, first, isWhole: isWhole) }
    if let isTable = isTable(bytes, isWhole: isWhole) {
      if isTable { return .csv }
    } else if !isWhole {
      return nil
    }
    return .textLog
  }

  /// The tool that packed what begins so, and the words that unpack it.
  static func packer(_ bytes: [UInt8]) -> (tool: String, unpack: String)? {
    let packers: [([UInt8], String, String)] = [
      ([0x1f, 0x8b], "gzip", "gunzip -k"), ([0x28, 0xb5, 0x2f, 0xfd], "zstd", "unzstd"),
      ([0xfd, 0x37, 0x7a, 0x58, 0x5a], "xz", "unxz -k"), (Array("BZh".utf8), "bzip2", "bunzip2 -k"),
      (Array("PK".utf8) + [3, 4], "zip", "unzip"),
    ]
    return packers.first { bytes.starts(with: $0.0) }.map { ($0.1, $0.2) }
  }

  private static func couldBeBinary(_ bytes: [UInt8]) -> Bool {
    bytes.count < 12 && (WandbLog.magic.starts(with: bytes) || bytes.contains(0))
  }

  private static func ofBrace(_ bytes: [UInt8], _ first: Int, isWhole: Bool) -> LoggedRun.Format? {
    let second = bytes[(first + 1)...].first { $0 > 0x20 }
    if second == UInt8(ascii: "'") { return .textLog }
    guard let end = LineCutter.end(of: bytes, from: first) ?? (isWhole ? bytes.count : nil) else {
      return nil
    }
    if let line = try? JSONValue(bytes, in: first..<end) {
      return line["log_history"] == nil ? .jsonLines : .trainerState
    }
    // An object over several lines is one document.
    if bytes[(first + 1)..<end].allSatisfy({ $0 <= 0x20 }), isWhole,
      (try? JSONValue(bytes)) != nil
    {
      return .trainerState
    }
    let history = Array("\"log_history\"".utf8)
    return bytes.firstRange(of: history) == nil ? .jsonLines : .trainerState
  }

  /// Whether the first two lines are a header and a row; nil where there are too few to tell.
  private static func isTable(_ bytes: [UInt8], isWhole: Bool) -> Bool? {
    var row = TableRow()
    let start = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? 3 : 0
    guard var position = row.read(bytes, from: start, separator: nil, isLast: isWhole) else {
      return nil
    }
    let (names, separator) = (row.texts(bytes), row.separator)
    guard names.count > 1, names.allSatisfy(isName), names.contains(where: { !$0.isEmpty }) else {
      return false
    }
    while let end = row.read(bytes, from: position, separator: separator, isLast: isWhole) {
      position = end
      if row.isBlank(bytes) { continue }
      guard row.count == names.count else { return false }
      if row.texts(bytes) == names { continue }
      let numbers = (0..<row.count).filter {
        row.number($0, bytes, decimalComma: separator == UInt8(ascii: ";")) != nil
      }
      let empty = (0..<row.count).filter { row.isEmpty($0) }
      return !numbers.isEmpty && (numbers.count + empty.count) * 3 >= row.count
    }
    return isWhole ? true : nil
  }

  private static func isName(_ cell: String) -> Bool {
    cell.utf8.count <= 128 && WrittenNumber.read(cell) == nil && !cell.contains(": ")
  }
}
