/// What a line of a log says in numbers, found without making a value of JSON of it.
///
/// A log names the same keys in the same order line after line: each key is looked for where it
/// came in the line before, so that no text is made of it.
struct NumberLine {
  struct Key {
    fileprivate let parent: Int
    fileprivate let bytes: [UInt8]
    /// What a number under it is called.
    let name: String
    /// What the names of an object under it begin with.
    fileprivate let prefix: String
    /// The key that came after it the last time.
    fileprivate var follower: Int
    /// What it is for in the outermost object.
    let role: LogKeys.Role
    fileprivate let isHidden: Bool
    /// What stands for it in the run that is put together.
    fileprivate var metric: Int?
  }

  struct Leaf {
    let key: Int
    let value: Double
    /// Whether the value is true or false.
    let isFlag: Bool
  }

  private(set) var leaves: [Leaf] = []
  private(set) var keys: [Key] = []
  private var indices: [KeyPlace: Int] = [:]
  private var last = Self.outermost
  private var firstFollower = 0

  private struct KeyPlace: Hashable {
    let parent: Int
    let bytes: [UInt8]
  }

  private static let outermost = -1
  private static let depthLimit = 8

  /// Reads the object that the bytes are.
  ///
  /// - Returns: false where they are none, or hold what is no number: a text, a list, a key with
  ///   escapes or beyond ASCII, a step or time that is an object.
  mutating func read(_ bytes: [UInt8], in range: Range<Int>) -> Bool {
    leaves.removeAll(keepingCapacity: true)
    last = Self.outermost
    var scanner = JSONScanner(bytes, in: range)
    scanner.skipBlanks()
    guard scanner.next == UInt8(ascii: "{"),
      (try? readObject(&scanner, under: Self.outermost, depth: 1)) == true
    else { return false }
    scanner.skipBlanks()
    return scanner.position == range.upperBound
  }

  private mutating func readObject(
    _ scanner: inout JSONScanner, under parent: Int, depth: Int
  ) throws(JSONValue.Flaw) -> Bool {
    scanner.position += 1
    scanner.skipBlanks()
    if scanner.take(UInt8(ascii: "}")) { return true }
    guard depth <= Self.depthLimit else { return false }
    while true {
      scanner.skipBlanks()
      guard let key = key(&scanner, under: parent) else { return false }
      scanner.skipBlanks()
      guard scanner.take(UInt8(ascii: ":")) else { return false }
      scanner.skipBlanks()
      guard try readValue(&scanner, of: key, depth: depth) else { return false }
      scanner.skipBlanks()
      if scanner.take(UInt8(ascii: "}")) { return true }
      guard scanner.take(UInt8(ascii: ",")) else { return false }
    }
  }

  private mutating func readValue(
    _ scanner: inout JSONScanner, of key: Int, depth: Int
  ) throws(JSONValue.Flaw) -> Bool {
    guard let byte = scanner.next else { return false }
    switch byte {
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
      leaves.append(Leaf(key: key, value: try scanner.number(), isFlag: false))
      return true
    case UInt8(ascii: "{"):
      guard keys[key].role == .other, !keys[key].isHidden else { return false }
      return try readObject(&scanner, under: key, depth: depth + 1)
    case UInt8(ascii: "["), UInt8(ascii: "\""): return false
    default:
      switch try scanner.word() {
      case .number(let value): leaves.append(Leaf(key: key, value: value, isFlag: false))
      case .flag(let flag): leaves.append(Leaf(key: key, value: flag ? 1 : 0, isFlag: true))
      case .null, .text, .list, .object: break
      }
      return true
    }
  }
}

extension NumberLine {
  /// What stands in `batch` for the numbers under a key; nil where they are the logger's own.
  mutating func metric(of key: Int, in batch: inout RunBatch) -> Int? {
    if let metric = keys[key].metric { return metric }
    if keys[key].isHidden { return nil }
    let metric = batch.metric(keys[key].name)
    keys[key].metric = metric
    return metric
  }
}

extension NumberLine {
  /// The key in quotes that stands here, and behind it the scanner.
  private mutating func key(_ scanner: inout JSONScanner, under parent: Int) -> Int? {
    guard scanner.take(UInt8(ascii: "\"")) else { return nil }
    let follower = last == Self.outermost ? firstFollower : keys[last].follower
    if follower < keys.count, keys[follower].parent == parent,
      scanner.take(keys[follower].bytes, before: UInt8(ascii: "\""))
    {
      last = follower
      return follower
    }
    let start = scanner.position
    while let byte = scanner.next, byte != UInt8(ascii: "\"") {
      guard (0x20..<0x7f).contains(byte), byte != UInt8(ascii: "\\") else { return nil }
      scanner.position += 1
    }
    let bytes = Array(scanner.bytes[start..<scanner.position])
    guard scanner.take(UInt8(ascii: "\"")) else { return nil }
    let index = index(of: bytes, under: parent)
    if last == Self.outermost { firstFollower = index } else { keys[last].follower = index }
    last = index
    return index
  }

  private mutating func index(of bytes: [UInt8], under parent: Int) -> Int {
    if let index = indices[KeyPlace(parent: parent, bytes: bytes)] { return index }
    let key = String(decoding: bytes, as: UTF8.self)
    let isOutermost = parent == Self.outermost
    let prefix = isOutermost ? "" : keys[parent].prefix
    let name = prefix.isEmpty ? key : prefix + "/" + key
    let role: LogKeys.Role = isOutermost ? LogKeys.role(of: key) : .other
    indices[KeyPlace(parent: parent, bytes: bytes)] = keys.count
    keys.append(
      Key(
        parent: parent, bytes: bytes, name: name,
        prefix: isOutermost && key == "metrics" ? "" : name, follower: keys.count + 1,
        role: role, isHidden: isOutermost && LogKeys.isHidden(key)))
    return keys.count - 1
  }
}

extension JSONScanner {
  /// Goes behind `expected` and the `end` after it, if they stand here.
  fileprivate mutating func take(_ expected: [UInt8], before end: UInt8) -> Bool {
    let after = position + expected.count
    guard after < self.end, bytes[after] == end else { return false }
    for index in expected.indices where bytes[position + index] != expected[index] { return false }
    position = after + 1
    return true
  }
}
