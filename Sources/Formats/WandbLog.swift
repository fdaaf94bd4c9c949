/// The records of a `.wandb` file as its bytes come in: chunks in blocks of 32 KiB, as LevelDB lays
/// out its logs, with the plain CRC-32 of zlib.
struct WandbLog {
  private static let blockSize = 1 << 15
  private static let headerSize = 7
  static let magic: [UInt8] = Array(":W&B".utf8) + [0xe1, 0xbe]

  /// What is there from the first chunk on that is not done with.
  private var bytes: [UInt8] = []
  /// Where ``bytes`` begins in the file.
  private var base = 0
  /// Where the next chunk begins in the file.
  private var position = 7
  /// What there is of a record that goes on.
  private var record: [UInt8]?
  /// Blocks with damage; reading goes on at the next one.
  private(set) var damagedBlocks = 0

  init() {}

  mutating func append(_ more: [UInt8]) {
    let used = min(position - base, bytes.count)
    if used == bytes.count {
      bytes = more
    } else {
      bytes.removeFirst(used)
      bytes += more
    }
    base += used
  }

  /// Whether the bytes end within a record.
  var isCut: Bool { record != nil || position < base + bytes.count }

  /// The next whole record; nil at the end of what is there.
  mutating func next() -> [UInt8]? {
    while let chunk = nextChunk() {
      switch chunk.kind {
      case 1:
        record = nil
        return Array(bytes[chunk.range])
      case 2: record = Array(bytes[chunk.range])
      case 3: record? += bytes[chunk.range]
      default:
        guard let begun = record else { continue }
        record = nil
        return begun + bytes[chunk.range]
      }
    }
    return nil
  }

  private mutating func nextChunk() -> (kind: UInt8, range: Range<Int>)? {
    let end = base + bytes.count
    while position < end {
      let blockEnd = (position / Self.blockSize + 1) * Self.blockSize
      guard blockEnd - position >= Self.headerSize else {
        position = blockEnd
        continue
      }
      guard end - position >= Self.headerSize else { return nil }
      let place = position - base
      let length = Int(number(at: place + 4, count: 2))
      let range = place + Self.headerSize..<place + Self.headerSize + length
      let kind = bytes[place + 6]
      let isInside = base + range.upperBound <= blockEnd
      if isInside, range.upperBound > bytes.count { return nil }
      guard (1...4).contains(kind), isInside, agrees(range) else {
        damagedBlocks += 1
        record = nil
        position = blockEnd
        continue
      }
      position = base + range.upperBound
      return (kind, range)
    }
    return nil
  }

  private func agrees(_ range: Range<Int>) -> Bool {
    let stored = number(at: range.lowerBound - Self.headerSize, count: 4)
    return CRC32.of(bytes[range.lowerBound - 1..<range.upperBound]) == stored
  }

  private func number(at position: Int, count: Int) -> UInt32 {
    (0..<count).reduce(0) { $0 | UInt32(bytes[position + $1]) << UInt32(8 * $1) }
  }
}

/// The checksum of zlib and PNG: the reflected polynomial 0xEDB88320, eight bytes at a time.
///
/// - Source: Kounavis and Berry, "A systematic approach to building high performance software-based
///   CRC generators" (2005), slicing by eight.
enum CRC32 {
  /// What a byte does to the checksum of up to seven zeros behind it: 256 numbers for each count.
  private static let tables: [UInt32] = {
    var tables: [UInt32] = (0..<256).map { byte in
      (0..<8).reduce(UInt32(byte)) { remainder, _ in
        remainder & 1 == 1 ? (remainder >> 1) ^ 0xedb8_8320 : remainder >> 1
      }
    }
    for index in 256..<2048 {
      let shorter = tables[index - 256]
      tables.append(tables[Int(shorter & 0xff)] ^ (shorter >> 8))
    }
    return tables
  }()

  static func of(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    bytes.withUnsafeBytes { bytes in
      tables.withUnsafeBufferPointer { tables in
        var remainder = UInt32.max
        let whole = bytes.count & ~7
        for place in stride(from: 0, to: whole, by: 8) {
          let word = UInt64(
            littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self))
          remainder = next(word ^ UInt64(remainder), tables)
        }
        for byte in bytes[whole...] {
          remainder = tables[Int((remainder ^ UInt32(byte)) & 0xff)] ^ (remainder >> 8)
        }
        return ~remainder
      }
    }
  }

  /// The checksum of eight bytes, the checksum before them taken into the first four.
  private static func next(_ word: UInt64, _ tables: UnsafeBufferPointer<UInt32>) -> UInt32 {
    var checksum: UInt32 = 0
    for place in 0..<8 {
      let byte = Int(truncatingIfNeeded: (word >> UInt64(8 * place)) & 0xff)
      let table = 256 * (7 - place)
      checksum ^= tables[table + byte]
    }
    return checksum
  }
}
