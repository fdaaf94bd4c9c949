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
  /// The last length and its checksum: most records of a file are of a few lengths.
  private var known: (length: UInt64, checksum: UInt32)?

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
    let length = bytes.span.littleEndian(UInt64.self, at: position)
    guard masked(length: length) == stored(at: position + 8), length < 1 << 40 else {
      isBroken = true
      return .broken(at: base + position)
    }
    guard bytes.count - position - 16 >= Int(length) else { return nil }
    let range = position + 12..<position + 12 + Int(length)
    position = range.upperBound + 4
    guard Self.mask(Self.checksum(bytes, range)) == stored(at: range.upperBound) else {
      return .damaged
    }
    return .event(range)
  }

  /// Whether some bytes begin with a length that agrees with its checksum.
  static func begins(_ bytes: [UInt8]) -> Bool {
    guard bytes.count >= 12 else { return false }
    return mask(checksum(bytes, 0..<8)) == bytes.span.littleEndian(UInt32.self, at: 8)
  }

  /// Bytes after the last whole record.
  var rest: Int { bytes.count - position }

  private mutating func masked(length: UInt64) -> UInt32 {
    if let known, known.length == length { return known.checksum }
    let checksum = Self.mask(Self.checksum(bytes, position..<position + 8))
    known = (length, checksum)
    return checksum
  }

  private func stored(at position: Int) -> UInt32 {
    bytes.span.littleEndian(UInt32.self, at: position)
  }

  private static func checksum(_ bytes: [UInt8], _ range: Range<Int>) -> UInt32 {
    var checksum = Checksum()
    checksum.add(bytes, in: range)
    return checksum.value
  }

  /// What is stored in place of a checksum: turned right by 15 bits, and a constant added.
  private static func mask(_ checksum: UInt32) -> UInt32 {
    (checksum >> 15 | checksum << 17) &+ 0xa282_ead8
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
    let masked = mask(checksum(bytes, bytes.indices))
    withUnsafeBytes(of: masked.littleEndian) { frame.append(contentsOf: $0) }
  }
}
