/// CRC-32C (Castagnoli): finds every burst of damage up to 32 bits.
struct Checksum {
  private static let table: [UInt32] = (0..<256).map { byte in
    (0..<8).reduce(UInt32(byte)) { remainder, _ in
      remainder & 1 == 1 ? (remainder >> 1) ^ 0x82f6_3b78 : remainder >> 1
    }
  }

  private var state = UInt32.max

  var value: UInt32 { ~state }

  mutating func add(_ bytes: some Sequence<UInt8>) {
    var state = state
    Self.table.withUnsafeBufferPointer { table in
      for byte in bytes {
        state = table[Int((state ^ UInt32(byte)) & 0xff)] ^ (state >> 8)
      }
    }
    self.state = state
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
