/// The records of a TensorBoard event file as its bytes come in: length, masked checksum of the
/// length, bytes, masked checksum of the bytes.
struct EventFrames {
  enum Frame: Equatable {
    /// Where in ``bytes`` an event stands.
    case event(Range<Int>)
    /// An event whose bytes do not agree with their checksum.
    case damaged
    /// A length that does not agree with its checksum: nothing after it can be found.
    case broken(at: Int)
  }

  /// What is there from the first record on that is not done with.
  private(set) var bytes: [UInt8] = []
  /// Where the next record begins in ``bytes``.
  private var position = 0
  /// Where ``bytes`` begins in the file.
  private var base = 0
  private(set) var isBroken = false

  init() {}

  mutating func append(_ more: [UInt8]) {
    guard !isBroken else { return }
    if position == bytes.count {
      (base, position, bytes) = (base + position, 0, more)
      return
    }
    if position > 0 {
      bytes.removeFirst(position)
      (base, position) = (base + position, 0)
    }
    bytes += more
  }

  /// The next whole record; nil at the end of what is there.
  mutating func next() -> Frame? {
    guard !isBroken, bytes.count - position >= 12 else { return nil }
    let length = number(at: position, count: 8)
    guard Self.mask(checksum(position..<position + 8)) == number(at: position + 8, count: 4),
      length < 1 << 40
    else {
      isBroken = true
      return .broken(at: base + position)
    }
    guard bytes.count - position - 16 >= Int(length) else { return nil }
    let range = position + 12..<position + 12 + Int(length)
    position = range.upperBound + 4
    guard Self.mask(checksum(range)) == number(at: range.upperBound, count: 4) else {
      return .damaged
    }
    return .event(range)
  }

  /// Whether some bytes begin with a length that agrees with its checksum.
  static func begins(_ bytes: [UInt8]) -> Bool {
    guard bytes.count >= 12 else { return false }
    var checksum = Checksum()
    checksum.add(bytes[..<8])
    let stored = (0..<4).reduce(UInt64(0)) { $0 | UInt64(bytes[8 + $1]) << UInt64(8 * $1) }
    return mask(checksum.value) == stored
  }

  /// Bytes after the last whole record.
  var rest: Int { bytes.count - position }

  private func number(at position: Int, count: Int) -> UInt64 {
    var number: UInt64 = 0
    for index in 0..<count { number |= UInt64(bytes[position + index]) << UInt64(8 * index) }
    return number
  }

  private func checksum(_ range: Range<Int>) -> UInt32 {
    var checksum = Checksum()
    checksum.add(bytes[range])
    return checksum.value
  }

  /// What is stored in place of a checksum: turned right by 15 bits, and a constant added.
  private static func mask(_ checksum: UInt32) -> UInt64 {
    UInt64((checksum >> 15 | checksum << 17) &+ 0xa282_ead8)
  }

  /// One record that holds `event`.
  static func frame(_ event: [UInt8]) -> [UInt8] {
    var frame: [UInt8] = []
    frame.reserveCapacity(event.count + 16)
    withUnsafeBytes(of: UInt64(event.count).littleEndian) { frame.append(contentsOf: $0) }
    appendChecksum(of: frame, to: &frame)
    frame += event
    appendChecksum(of: event, to: &frame)
    return frame
  }

  private static func appendChecksum(of bytes: [UInt8], to frame: inout [UInt8]) {
    var checksum = Checksum()
    checksum.add(bytes)
    let masked = UInt32(truncatingIfNeeded: mask(checksum.value))
    withUnsafeBytes(of: masked.littleEndian) { frame.append(contentsOf: $0) }
  }
}
