import Testing

@testable import Sessions

@Suite struct ChecksumTests {
  @Test func `the checksum of the digits is the one that all implementations give`() {
    var checksum = Checksum()
    checksum.add(Array("123456789".utf8))
    #expect(checksum.value == 0xe306_9283)
  }

  @Test func `bytes taken eight at a time come to what they come to one by one`() {
    var random = RandomBits(seed: 5)
    for length in 0..<70 {
      let bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
      for start in 0...min(9, length) {
        var (whole, single) = (Checksum(), Checksum())
        whole.add(bytes[start...])
        for byte in bytes[start...] { single.add(CollectionOfOne(byte)) }
        #expect(whole.value == single.value, "\(length) from \(start)")
      }
    }
  }
}
