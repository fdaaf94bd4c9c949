import Glibc

/// The items of a history record: a key, or the parts of one, and a value in JSON.
///
/// A run logs the same keys in the same order step after step. Each item is held against the one
/// that came behind its predecessor before: where its bytes up to the value are the same, and the
/// value is a plain number, no text is made of either.
struct WandbItems {
  struct Item {
    let key: String
    let value: JSONValue
    /// What is known of the bytes before its value.
    let place: Int
  }

  private struct Known {
    /// The item's bytes up to the length of its value.
    let beginning: [UInt8]
    /// What stands for its metric; nil for one that is not known to be a plain number's.
    var metric: Int?
    /// What came behind it.
    var next: Int?
  }

  /// The first stands before all items of a record.
  private var known = [Known(beginning: [])]
  private var places: [[UInt8]: Int] = [:]
  private var last = 0

  /// Protobuf's key of the value, field 16.
  private static let valueKey: [UInt8] = [0x82, 0x01]
  /// So many ways to begin are kept apart.
  private static let most = 1 << 20

  mutating func beginRecord() { last = 0 }

  /// The metric and the number of an item that is known; nil for any other, which ``item(_:_:)``
  /// reads.
  mutating func number(_ bytes: [UInt8], _ range: Range<Int>) -> (metric: Int, value: Double)? {
    guard let place = known[last].next, let metric = known[place].metric else { return nil }
    let count = known[place].beginning.count
    let start = range.lowerBound + count + 1
    // A number's length is one byte.
    guard start < range.upperBound, range.upperBound - start == Int(bytes[start - 1]),
      begins(bytes, at: range.lowerBound, with: known[place].beginning),
      bytes[start] == UInt8(ascii: "-") || bytes[start] &- UInt8(ascii: "0") < 10
    else { return nil }
    var position = start
    guard let value = DecimalNumber.read(bytes.span, at: &position, end: range.upperBound),
      position == range.upperBound
    else { return nil }
    last = place
    return (metric, value)
  }

  private func begins(_ bytes: [UInt8], at start: Int, with beginning: [UInt8]) -> Bool {
    bytes.withUnsafeBytes { bytes in
      beginning.withUnsafeBytes { beginning in
        guard let one = bytes.baseAddress, let other = beginning.baseAddress else { return false }
        return memcmp(one + start, other, beginning.count) == 0
      }
    }
  }

  /// The item; its key's parts are joined by slashes. Nil where it has no key, or no value.
  mutating func item(_ bytes: [UInt8], _ range: Range<Int>) -> Item? {
    guard let (key, value, end) = Self.parts(bytes, range, separator: "/") else { return nil }
    let place = end.map { self.place(of: Array(bytes[range.lowerBound..<$0])) } ?? 0
    if place > 0 {
      known[last].next = place
      last = place
    }
    return Item(key: key, value: value, place: place)
  }

  private mutating func place(of beginning: [UInt8]) -> Int {
    if let place = places[beginning] { return place }
    guard known.count < Self.most else { return 0 }
    places[beginning] = known.count
    known.append(Known(beginning: beginning))
    return known.count - 1
  }

  /// The item is a number of this metric.
  mutating func note(_ item: Item, metric: Int) {
    if item.place > 0 { known[item.place].metric = metric }
  }

  /// Key and value, and where the length of the value stands where nothing follows the value.
  static func parts(
    _ bytes: [UInt8], _ range: Range<Int>, separator: String
  ) -> (key: String, value: JSONValue, end: Int?)? {
    var (keys, nested): (String?, [String]) = (nil, [])
    var (json, end): (JSONValue?, Int?)
    var fields = ProtobufReader(bytes, in: range)
    var start = fields.position
    while let field = fields.next() {
      defer { start = fields.position }
      guard case .bytes(let content) = field.value else { continue }
      switch field.number {
      case 1: keys = String(bytes, in: content)
      case 2: nested.append(String(bytes, in: content))
      case 16:
        json = try? JSONValue(bytes, in: content)
        let isLast = content.upperBound == range.upperBound
        end = isLast && bytes[start...].starts(with: valueKey) ? start + valueKey.count : nil
      default: break
      }
    }
    guard let json, let key = nested.isEmpty ? keys : nested.joined(separator: separator) else {
      return nil
    }
    return (key, json, end)
  }
}
