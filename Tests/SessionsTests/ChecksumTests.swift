import Testing

@testable import Formats
@testable import Sessions

@Suite(.timeLimit(.minutes(15))) struct ChecksumTests {
  @Test func `the checksum is CRC-32C`() {
    #expect(Checksum.of(Array("123456789".utf8)) == 0xe306_9283)
    #expect(Checksum.of([UInt8](repeating: 0, count: 32)) == 0x8a91_36aa)
    #expect(Checksum.of([]) == 0)
  }

  @Test func `the checksum of W&B's logs is zlib's, at any length and place`() {
    #expect(CRC32.of(Array("123456789".utf8)[...]) == 0xcbf4_3926)
    #expect(CRC32.of([UInt8](repeating: 0, count: 32)[...]) == 0x190a_55ad)
    #expect(CRC32.of([]) == 0)
    var random = RandomBits(seed: 9)
    let bytes = (0..<70).map { _ in UInt8.random(in: 0...255, using: &random) }
    for range in (0...bytes.count).flatMap({ start in (start...bytes.count).map { start..<$0 } }) {
      var remainder = UInt32.max
      for byte in bytes[range] {
        remainder ^= UInt32(byte)
        for _ in 0..<8 {
          remainder = remainder & 1 == 1 ? remainder >> 1 ^ 0xedb8_8320 : remainder >> 1
        }
      }
      #expect(CRC32.of(bytes[range]) == ~remainder, "\(range)")
    }
  }

  @Test func `bytes in any portions have the checksum of all together`() {
    var random = RandomBits(seed: 4)
    let bytes = (0..<70).map { _ in UInt8.random(in: 0...255, using: &random) }
    for length in 0...bytes.count {
      var parts = Checksum()
      parts.add(bytes.prefix(length))
      for byte in bytes.dropFirst(length) { parts.add(CollectionOfOne(byte)) }
      #expect(Int(parts.value) == Checksum.of(bytes), "split at \(length)")
    }
  }
}
