/// Random numbers that are a pure function of a seed and a counter.
///
/// Number k is the SplitMix64 output for state `seed + (k + 1) * golden`, so any number can be
/// asked for in any order: a resumed run needs no generator state, only its step.
/// - Source: Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators".
package struct CounterGenerator: Sendable, Hashable {
  private let key: UInt64
  private static let golden: UInt64 = 0x9E37_79B9_7F4A_7C15

  /// A generator of its own for every pair of seed and stream name.
  package init(seed: UInt64, stream: StaticString) {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    stream.withUTF8Buffer { bytes in
      for byte in bytes {
        hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3
      }
    }
    key = Self.mix(seed &+ Self.golden) ^ Self.mix(hash)
  }

  /// 64 uniform bits.
  package func bits(at counter: UInt64) -> UInt64 {
    Self.mix(key &+ (counter &+ 1) &* Self.golden)
  }

  /// Uniform over `0 ..< bound`; the bias of the multiplication is below `bound / 2^64`.
  package func number(below bound: Int, at counter: UInt64) -> Int {
    precondition(bound > 0, "a bound of \(bound)")
    return Int(bits(at: counter).multipliedFullWidth(by: UInt64(bound)).high)
  }

  /// Uniform over `[0, 1)` in steps of 2^-53.
  package func fraction(at counter: UInt64) -> Double {
    Double(bits(at: counter) >> 11) * 0x1p-53
  }

  private static func mix(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
