import Testing

@testable import Formats
@testable import Sessions

@Suite(.timeLimit(.minutes(15))) struct ChecksumTests {
  @Test func `the checksum is CRC-32C`() {
    #expect(Checksum.of(Array("123456789".utf8)) == 0xe306_9283)
    #expect(Checksum.of([UInt8](repeating: 0, count: 32)) == 0x8a91_36aa)
    #expect(Checksum.of([]) == 0)
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
