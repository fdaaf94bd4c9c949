import Kernels

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
    let hash = stream.withUTF8Buffer { FNV1a($0).value }
    key = mix(seed) ^ mix(hash &- Self.golden)
  }

  /// 64 uniform bits.
  package func bits(at counter: UInt64) -> UInt64 {
    mix(key &+ counter &* Self.golden)
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
}
