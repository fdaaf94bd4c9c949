/// Keys that come again and again in a record, as bytes: each has a number, in the order in which
/// they were met.
///
/// A log has some thousand keys and names them a million times: looking one up makes nothing, and
/// touches its bytes once more only to compare them.
struct ByteKeys {
  private(set) var keys: [[UInt8]] = []
  /// Numbers where their keys' digests say, or in the places behind; -1 is free.
  private var slots = [Int32](repeating: -1, count: 16)
  /// Nobody who writes a file knows which keys meet in one place.
  private let seed = UInt64.random(in: .min ... .max)

  /// The number of the key that stands there; nil where it was not met.
  func number(of bytes: Span<UInt8>, in range: Range<Int>) -> Int? {
    let slot = slot(of: bytes, in: range)
    return slots[slot] < 0 ? nil : Int(slots[slot])
  }

  /// The number of the key that stands there, which may be a new one.
  mutating func insert(_ bytes: Span<UInt8>, in range: Range<Int>) -> Int {
    let slot = slot(of: bytes, in: range)
    if slots[slot] >= 0 { return Int(slots[slot]) }
    slots[slot] = Int32(keys.count)
    keys.append(range.map { bytes[$0] })
    if keys.count * 2 > slots.count { grow() }
    return keys.count - 1
  }

  private mutating func grow() {
    slots = [Int32](repeating: -1, count: slots.count * 4)
    for (number, key) in keys.enumerated() {
      slots[slot(of: key.span, in: key.indices)] = Int32(number)
    }
  }

  /// Where the key's number stands, or would.
  private func slot(of bytes: Span<UInt8>, in range: Range<Int>) -> Int {
    let last = slots.count - 1
    var slot = Int(truncatingIfNeeded: digest(bytes, range)) & last
    while slots[slot] >= 0 {
      let key = keys[Int(slots[slot])]
      if key.count == range.count, bytes.holds(key, at: range.lowerBound) { break }
      slot = (slot + 1) & last
    }
    return slot
  }

  private func digest(_ bytes: Span<UInt8>, _ range: Range<Int>) -> UInt64 {
    var digest = seed ^ UInt64(range.count)
    var position = range.lowerBound
    while position + 8 <= range.upperBound {
      digest = Self.mixed(digest ^ bytes.littleEndian(UInt64.self, at: position))
      position += 8
    }
    var rest: UInt64 = 0
    while position < range.upperBound {
      rest = rest << 8 | UInt64(bytes[position])
      position += 1
    }
    return Self.mixed(digest ^ rest)
  }

  /// Both halves of a product, so that each bit meets every other.
  private static func mixed(_ number: UInt64) -> UInt64 {
    let product = number.multipliedFullWidth(by: 0x9e37_79b9_7f4a_7c15)
    return product.high ^ product.low
  }
}
