/// The records of a `.wandb` file: chunks in blocks of 32 KiB, as LevelDB lays out its logs, with
/// the plain CRC-32 of zlib.
struct WandbLog {
  private static let blockSize = 1 << 15
  private static let headerSize = 7
  static let magic: [UInt8] = Array(":W&B".utf8) + [0xe1, 0xbe]

  private let bytes: [UInt8]
  private var position = 7
  /// Blocks with damage; reading goes on at the next one.
  private(set) var damagedBlocks = 0
  /// Whether the file ends within a record.
  private(set) var isCut = false

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
  }

  /// The next whole record; nil at the end of what is there.
  mutating func next() -> [UInt8]? {
    var record: [UInt8]?
    while let chunk = nextChunk() {
      switch (chunk.kind, record) {
      case (1, _): return Array(bytes[chunk.range])
      case (2, _): record = Array(bytes[chunk.range])
      case (3, let begun?): record = begun + bytes[chunk.range]
      case (4, let begun?): return begun + bytes[chunk.range]
      default: record = nil
      }
    }
    if record != nil { isCut = true }
    return nil
  }

  private mutating func nextChunk() -> (kind: UInt8, range: Range<Int>)? {
    while position < bytes.count {
      let blockEnd = (position / Self.blockSize + 1) * Self.blockSize
      guard blockEnd - position >= Self.headerSize else {
        position = blockEnd
        continue
      }
      guard bytes.count - position >= Self.headerSize else { break }
      let length = Int(number(at: position + 4, count: 2))
      let range = position + Self.headerSize..<position + Self.headerSize + length
      let kind = bytes[position + 6]
      if range.upperBound <= blockEnd, range.upperBound > bytes.count { break }
      guard (1...4).contains(kind), range.upperBound <= blockEnd, agrees(range) else {
        damagedBlocks += 1
        position = blockEnd
        continue
      }
      position = range.upperBound
      return (kind, range)
    }
    if position < bytes.count { isCut = true }
    position = max(position, bytes.count)
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

/// The checksum of zlib and PNG: the reflected polynomial 0xEDB88320.
enum CRC32 {
  private static let table: [UInt32] = (0..<256).map { byte in
    (0..<8).reduce(UInt32(byte)) { remainder, _ in
      remainder & 1 == 1 ? (remainder >> 1) ^ 0xedb8_8320 : remainder >> 1
    }
  }

  static func of(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    ~bytes.reduce(UInt32.max) { table[Int(($0 ^ UInt32($1)) & 0xff)] ^ ($0 >> 8) }
  }
}
