/// The records of a TensorBoard event file: length, masked checksum of the length, bytes, masked
/// checksum of the bytes.
struct EventFrames {
  enum Frame: Equatable {
    /// Where an event stands.
    case event(Range<Int>)
    /// An event whose bytes do not agree with their checksum; it ends before `position`.
    case damaged(at: Int)
    /// A length that does not agree with its checksum: nothing after it can be found.
    case broken(at: Int)
  }

  private let bytes: [UInt8]
  /// Where the next record begins: after the last whole one, so that a growing file is read on.
  private(set) var position: Int
  private var isBroken = false

  init(_ bytes: [UInt8], from position: Int = 0) {
    self.bytes = bytes
    self.position = position
  }

  /// The next whole record; nil at the end of what is there.
  mutating func next() -> Frame? {
    guard !isBroken, bytes.count - position >= 12 else { return nil }
    let length = number(at: position, count: 8)
    guard Self.mask(checksum(position..<position + 8)) == number(at: position + 8, count: 4) else {
      isBroken = true
      return .broken(at: position)
    }
    guard length <= UInt64(bytes.count), bytes.count - position - 12 >= Int(length) + 4 else {
      return nil
    }
    let range = position + 12..<position + 12 + Int(length)
    defer { position = range.upperBound + 4 }
    guard Self.mask(checksum(range)) == number(at: range.upperBound, count: 4) else {
      return .damaged(at: position)
    }
    return .event(range)
  }

  /// Bytes after the last whole record.
  var rest: Int { bytes.count - position }

  private func number(at position: Int, count: Int) -> UInt64 {
    (0..<count).reduce(0) { $0 | UInt64(bytes[position + $1]) << UInt64(8 * $1) }
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
