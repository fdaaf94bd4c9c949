/// Bits in the order in which they are written, the highest of a number first.
struct BitWriter {
  private(set) var words: [UInt64] = []
  private var current: UInt64 = 0
  private var free = 64

  /// Appends the lowest `count` bits of `bits`.
  mutating func write(_ bits: UInt64, count: Int) {
    guard count > 0 else { return }
    let masked = count == 64 ? bits : bits & ((1 << UInt64(count)) - 1)
    if count < free {
      free -= count
      current |= masked << UInt64(free)
      return
    }
    let left = count - free
    words.append(current | (masked >> UInt64(left)))
    free = 64 - left
    current = left == 0 ? 0 : masked << UInt64(free)
  }

  /// All bits, the last byte filled up with zeros.
  func bytes() -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(words.count * 8 + 8)
    for word in words {
      withUnsafeBytes(of: word.bigEndian) { bytes.append(contentsOf: $0) }
    }
    let rest = (64 - free + 7) / 8
    withUnsafeBytes(of: current.bigEndian) { bytes.append(contentsOf: $0.prefix(rest)) }
    return bytes
  }
}

/// Reads what ``BitWriter`` wrote. Beyond the end it reads zeros and says so afterwards, so that
/// damaged input costs one check a sequence and never traps.
struct BitReader {
  private let words: [UInt64]
  private let length: Int
  private var position = 0

  init(_ bytes: some RandomAccessCollection<UInt8>) {
    let bytes = Array(bytes)
    length = bytes.count * 8
    var words = bytes.withUnsafeBytes { buffer in
      (0..<bytes.count / 8).map {
        UInt64(bigEndian: buffer.loadUnaligned(fromByteOffset: $0 * 8, as: UInt64.self))
      }
    }
    let rest = bytes.suffix(bytes.count % 8)
    if !rest.isEmpty {
      words.append(rest.reduce(0) { $0 << 8 | UInt64($1) } << UInt64(64 - 8 * rest.count))
    }
    words.append(0)
    self.words = words
  }

  var isOverrun: Bool { position > length }

  /// The next 64 bits, without moving on.
  var upcoming: UInt64 {
    let index = position >> 6
    guard index + 1 < words.count else { return 0 }
    let offset = UInt64(position & 63)
    return offset == 0 ? words[index] : words[index] << offset | words[index + 1] >> (64 - offset)
  }

  mutating func skip(_ count: Int) {
    position += count
  }

  mutating func read(_ count: Int) -> UInt64 {
    guard count > 0 else { return 0 }
    let bits = upcoming >> UInt64(64 - count)
    position += count
    return bits
  }
}
