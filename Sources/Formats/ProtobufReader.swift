import Glibc

/// Walks the fields of one protobuf message in the order in which they stand.
///
/// The formats read here need a dozen fields of a handful of messages; a walk over the bytes makes
/// no objects and reads a million events in a fraction of a second. The bytes are lent to each step,
/// so that nothing is counted for holding them.
struct ProtobufReader {
  enum Value {
    case varint(UInt64)
    case fixed64(UInt64)
    case fixed32(UInt32)
    /// Where a string, a message or a packed list stands.
    case bytes(Range<Int>)
  }

  struct Field {
    let number: Int
    let value: Value
  }

  private(set) var position: Int
  private let end: Int
  /// Whether the walk ended at something that is no field.
  private(set) var isMalformed = false

  init(in range: Range<Int>) {
    position = range.lowerBound
    end = range.upperBound
  }

  /// The next field; nil at the end, or where the bytes are no protobuf.
  @inline(__always)
  mutating func next(in bytes: Span<UInt8>) -> Field? {
    guard position < end, !isMalformed else { return nil }
    guard let key = varint(in: bytes), key >> 3 > 0, key >> 3 < 1 << 29 else { return malformed() }
    let value: Value?
    switch key & 7 {
    case 0: value = varint(in: bytes).map { .varint($0) }
    case 1: value = fixed(UInt64.self, in: bytes).map { .fixed64($0) }
    case 2: value = length(in: bytes).map { .bytes($0) }
    case 5: value = fixed(UInt32.self, in: bytes).map { .fixed32($0) }
    default: value = nil
    }
    guard let value else { return malformed() }
    return Field(number: Int(key >> 3), value: value)
  }

  private mutating func malformed() -> Field? {
    isMalformed = true
    return nil
  }

  /// A number of seven bits a byte, the lowest first.
  @inline(__always)
  mutating func varint(in bytes: Span<UInt8>) -> UInt64? {
    guard position < end else { return nil }
    let first = bytes[position]
    guard first >= 0x80 else {
      position += 1
      return UInt64(first)
    }
    return longVarint(in: bytes)
  }

  private mutating func longVarint(in bytes: Span<UInt8>) -> UInt64? {
    var number: UInt64 = 0
    var shift: UInt64 = 0
    while position < end, shift < 64 {
      let byte = bytes[position]
      position += 1
      number |= UInt64(byte & 0x7f) << shift
      if byte < 0x80 { return number }
      shift += 7
    }
    return nil
  }

  /// A little-endian number.
  @inline(__always)
  mutating func fixed<Number: FixedWidthInteger & BitwiseCopyable>(
    _: Number.Type, in bytes: Span<UInt8>
  ) -> Number? {
    let size = MemoryLayout<Number>.size
    guard end - position >= size else { return nil }
    defer { position += size }
    return bytes.littleEndian(Number.self, at: position)
  }

  @inline(__always)
  private mutating func length(in bytes: Span<UInt8>) -> Range<Int>? {
    guard let length = varint(in: bytes), length <= UInt64(end - position) else { return nil }
    defer { position += Int(length) }
    return position..<position + Int(length)
  }
}

extension Span<UInt8> {
  /// The little-endian number whose first byte stands at `position`.
  @inline(__always)
  func littleEndian<Number: FixedWidthInteger & BitwiseCopyable>(
    _: Number.Type, at position: Int
  ) -> Number {
    Number(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: position, as: Number.self))
  }

  /// Whether `other` stands at `position`.
  func holds(_ other: [UInt8], at position: Int) -> Bool {
    guard position + other.count <= count else { return false }
    return withUnsafeBytes { bytes in
      other.withUnsafeBytes { other in
        guard let one = bytes.baseAddress, let two = other.baseAddress else { return true }
        return memcmp(one + position, two, other.count) == 0
      }
    }
  }
}

/// Puts one protobuf message together. A field of the value 0 is written only where asked for.
struct ProtobufWriter {
  private(set) var bytes: [UInt8] = []

  mutating func varint(_ field: Int, _ value: Int) {
    guard value != 0 else { return }
    append(UInt64(field) << 3)
    append(UInt64(bitPattern: Int64(value)))
  }

  mutating func double(_ field: Int, _ value: Double) {
    append(UInt64(field) << 3 | 1)
    withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
  }

  mutating func float(_ field: Int, _ value: Float) {
    append(UInt64(field) << 3 | 5)
    withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
  }

  mutating func bytes(_ field: Int, _ value: some Collection<UInt8>) {
    append(UInt64(field) << 3 | 2)
    append(UInt64(value.count))
    bytes.append(contentsOf: value)
  }

  private mutating func append(_ number: UInt64) {
    var rest = number
    while rest >= 0x80 {
      bytes.append(UInt8(rest & 0x7f) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }
}
