/// CRC-32C (Castagnoli): finds every burst of damage up to 32 bits.
struct Checksum {
  /// What a byte does to the remainder, and what it does with one to seven bytes after it: eight
  /// bytes are taken at a time.
  private static let tables: [UInt32] = {
    var tables: [UInt32] = (0..<256).map { byte in
      (0..<8).reduce(UInt32(byte)) { remainder, _ in
        remainder & 1 == 1 ? (remainder >> 1) ^ 0x82f6_3b78 : remainder >> 1
      }
    }
    for index in 256..<8 * 256 {
      let before = tables[index - 256]
      tables.append(tables[Int(before & 0xff)] ^ (before >> 8))
    }
    return tables
  }()

  private var state = UInt32.max

  var value: UInt32 { ~state }

  mutating func add(_ bytes: some Sequence<UInt8>) {
    let state = state
    let whole = bytes.withContiguousStorageIfAvailable { Self.state(state, after: $0) }
    self.state = whole ?? Self.state(state, afterEach: bytes)
  }

  private static func state(_ state: UInt32, after bytes: UnsafeBufferPointer<UInt8>) -> UInt32 {
    var state = state
    var position = 0
    let raw = UnsafeRawBufferPointer(bytes)
    tables.withUnsafeBufferPointer { tables in
      func entry(_ table: Int, _ byte: UInt32) -> UInt32 { tables[table << 8 | Int(byte & 0xff)] }
      while raw.count - position >= 8 {
        let low =
          state ^ UInt32(littleEndian: raw.loadUnaligned(fromByteOffset: position, as: UInt32.self))
        let high = UInt32(
          littleEndian: raw.loadUnaligned(fromByteOffset: position + 4, as: UInt32.self))
        let first = entry(7, low) ^ entry(6, low >> 8) ^ entry(5, low >> 16) ^ entry(4, low >> 24)
        let second =
          entry(3, high) ^ entry(2, high >> 8) ^ entry(1, high >> 16) ^ entry(0, high >> 24)
        state = first ^ second
        position += 8
      }
    }
    return self.state(state, afterEach: raw[position...])
  }

  private static func state(_ state: UInt32, afterEach bytes: some Sequence<UInt8>) -> UInt32 {
    tables.withUnsafeBufferPointer { tables in
      bytes.reduce(state) { tables[Int(($0 ^ UInt32($1)) & 0xff)] ^ ($0 >> 8) }
    }
  }

  mutating func add(_ number: Int) {
    withUnsafeBytes(of: Int64(number).littleEndian) { add($0) }
  }

  /// The checksum of a row that holds `numbers` and `text`.
  static func of(_ text: String = "", _ numbers: Int...) -> Int {
    var checksum = Checksum()
    for number in numbers { checksum.add(number) }
    checksum.add(text.utf8)
    return Int(checksum.value)
  }

  static func of(_ bytes: [UInt8]) -> Int {
    var checksum = Checksum()
    checksum.add(bytes)
    return Int(checksum.value)
  }
}
