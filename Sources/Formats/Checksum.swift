/// CRC-32C (Castagnoli): finds every burst of damage up to 32 bits.
///
/// Eight bytes at a time, with a table for each of the eight places.
package struct Checksum {
  private static let places = 8

  /// What a byte comes to that is followed by 0, 1, … 7 others.
  private static let tables: [UInt32] = {
    var tables: [UInt32] = (0..<256).map { (byte: UInt32) -> UInt32 in
      (0..<8).reduce(byte) { remainder, _ in
        remainder & 1 == 1 ? (remainder >> 1) ^ 0x82f6_3b78 : remainder >> 1
      }
    }
    for index in 256..<256 * places {
      let shorter: UInt32 = tables[index - 256]
      tables.append(tables[Int(shorter & 0xff)] ^ (shorter >> 8))
    }
    return tables
  }()

  private var state = UInt32.max

  package init() {}

  package var value: UInt32 { ~state }

  package mutating func add(_ bytes: some Sequence<UInt8>) {
    let isAdded: Void? = bytes.withContiguousStorageIfAvailable { addAll($0) }
    if isAdded == nil { Array(bytes).withUnsafeBufferPointer { addAll($0) } }
  }

  mutating func add(_ bytes: [UInt8], in range: Range<Int>) {
    bytes.withUnsafeBufferPointer { addAll(UnsafeBufferPointer(rebasing: $0[range])) }
  }

  private mutating func addAll(_ bytes: UnsafeBufferPointer<UInt8>) {
    var state = state
    let whole = bytes.count / Self.places * Self.places
    let raw = UnsafeRawBufferPointer(bytes)
    Self.tables.withUnsafeBufferPointer { tables in
      for start in stride(from: 0, to: whole, by: Self.places) {
        var word = UInt64(
          littleEndian: raw.loadUnaligned(fromByteOffset: start, as: UInt64.self))
        word ^= UInt64(state)
        state = 0
        for place in 0..<Self.places {
          state ^= tables[(Self.places - 1 - place) * 256 + Int(word & 0xff)]
          word >>= 8
        }
      }
      for byte in bytes[whole...] {
        state = tables[Int((state ^ UInt32(byte)) & 0xff)] ^ (state >> 8)
      }
    }
    self.state = state
  }

  package mutating func add(_ number: Int) {
    withUnsafeBytes(of: Int64(number).littleEndian) { add($0) }
  }

  /// The checksum of a row that holds `numbers` and `text`.
  package static func of(_ text: String = "", _ numbers: Int...) -> Int {
    var checksum = Checksum()
    for number in numbers { checksum.add(number) }
    checksum.add(text.utf8)
    return Int(checksum.value)
  }

  package static func of(_ bytes: [UInt8]) -> Int {
    var checksum = Checksum()
    checksum.add(bytes)
    return Int(checksum.value)
  }
}
