/// The 64-bit hash FNV-1a, for names and contents whose hash is recorded.
/// - Source: Fowler, Noll and Vo; RFC 9923
package struct FNV1a {
  package private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

  package init() {}

  /// The hash of bytes one after another.
  package init(_ bytes: some Sequence<UInt8>) {
    for byte in bytes { add(UInt64(byte)) }
  }

  package mutating func add(_ unit: UInt64) {
    value = (value ^ unit) &* 0x0000_0100_0000_01b3
  }
}
