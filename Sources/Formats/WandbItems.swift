/// The items of a history record: a key, or the parts of one, and a value in JSON.
///
/// A run logs the same keys step after step, in the same order or in none. An item is known by its
/// bytes up to the value; where that is a plain number, no text is made of either. First it is held
/// against the one that came behind its predecessor before.
struct WandbItems {
  struct Item {
    let key: String
    let value: JSONValue
    /// The number of the bytes before its value; nil where too many are known.
    let place: Int?
  }

  private struct Known {
    /// What stands for its metric; nil for one that is not known to be a plain number's.
    var metric: Int?
    /// What came behind it.
    var next: Int?
  }

  private var beginnings = ByteKeys()
  private var known: [Known] = []
  /// What came first in a record.
  private var first: Int?
  private var last: Int?

  /// Protobuf's key of the value, field 16.
  private static let valueKey: [UInt8] = [0x82, 0x01]
  /// So many ways to begin are kept apart.
  private static let most = 1 << 20

  mutating func beginRecord() { last = nil }

  /// The metric and the number of an item that is known; nil for any other, which ``item(_:_:)``
  /// reads.
  mutating func number(_ bytes: [UInt8], _ range: Range<Int>) -> (metric: Int, value: Double)? {
    guard let place = place(bytes.span, range), let metric = known[place].metric else { return nil }
    // A number's length is one byte.
    let start = range.lowerBound + beginnings.keys[place].count + 1
    guard start < range.upperBound, range.upperBound - start == Int(bytes[start - 1]),
      bytes[start] == UInt8(ascii: "-") || bytes[start] &- UInt8(ascii: "0") < 10
    else { return nil }
    var position = start
    guard let value = DecimalNumber.read(bytes.span, at: &position, end: range.upperBound),
      position == range.upperBound
    else { return nil }
    follow(place)
    return (metric, value)
  }

  /// The number of the bytes with which an item begins; nil where they were not met.
  private func place(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int? {
    let expected = last.map { known[$0].next } ?? first
    if let expected, bytes.holds(beginnings.keys[expected], at: range.lowerBound) {
      return expected
    }
    return Self.endOfBeginning(bytes, range).flatMap {
      beginnings.number(of: bytes, in: range.lowerBound..<$0)
    }
  }

  /// Where the value's length stands in an item whose keys are short and come first; nil of any other.
  private static func endOfBeginning(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int? {
    var position = range.lowerBound
    while position + 1 < range.upperBound {
      let (key, length) = (bytes[position], bytes[position + 1])
      if key == valueKey[0], length == valueKey[1] { return position + 2 }
      // Fields 1 and 2, the key and the parts of one.
      guard key == 0x0a || key == 0x12, length < 0x80 else { return nil }
      position += 2 + Int(length)
    }
    return nil
  }

  private mutating func follow(_ place: Int) {
    if let last { known[last].next = place } else { first = place }
    last = place
  }

  /// The item; its key's parts are joined by slashes. Nil where it has no key, or no value.
  mutating func item(_ bytes: [UInt8], _ range: Range<Int>) -> Item? {
    guard let (key, value, end) = Self.parts(bytes, range, separator: "/") else { return nil }
    guard let end, known.count < Self.most else { return Item(key: key, value: value, place: nil) }
    let place = beginnings.insert(bytes.span, in: range.lowerBound..<end)
    if place == known.count { known.append(Known()) }
    follow(place)
    return Item(key: key, value: value, place: place)
  }

  /// The item is a number of this metric.
  mutating func note(_ item: Item, metric: Int) {
    if let place = item.place { known[place].metric = metric }
  }

  /// Key and value, and where the length of the value stands where nothing follows the value.
  static func parts(
    _ bytes: [UInt8], _ range: Range<Int>, separator: String
  ) -> (key: String, value: JSONValue, end: Int?)? {
    var (keys, nested): (String?, [String]) = (nil, [])
    var (json, end): (JSONValue?, Int?)
    var fields = ProtobufReader(in: range)
    var start = fields.position
    while let field = fields.next(in: bytes.span) {
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
