/// Standard normal numbers that are a pure function of a key and an index, so that none is kept: the
/// same come again whenever they are asked for, in any order.
///
/// Two halves of each SplitMix64 output become uniform odd multiples of 2⁻²³ in (−1, 1), and those the
/// normal's quantiles; ±5.3 are the ends.
/// - Source: Giles 2010, "Approximating the erfinv function", single precision
struct NormalNumbers: Sendable {
  let key: UInt64

  private static let golden: UInt64 = 0x9e37_79b9_7f4a_7c15

  /// Those of the eight indices from `index` on, a multiple of eight.
  @inline(__always)
  func lanes(_ index: Int) -> Lanes {
    let counter = UInt64(truncatingIfNeeded: index >> 1)
    let words = SIMD4<UInt64>(
      bits(counter), bits(counter &+ 1), bits(counter &+ 2), bits(counter &+ 3))
    let bits = unsafeBitCast(words, to: SIMD8<UInt32>.self) &>> 9
    let odd = SIMD8<Int32>(truncatingIfNeeded: bits) &* 2 &+ (1 &- (1 << 23))
    return (Lanes(odd) * 0x1p-23).normalQuantile
  }

  @inline(__always)
  private func bits(_ counter: UInt64) -> UInt64 { mix(key &+ counter &* Self.golden) }
}

extension SIMD8<Float> {
  /// sqrt(2)·erf⁻¹(x) for −1 < x < 1, within a few units in the last place of Float32.
  @inline(__always)
  fileprivate var normalQuantile: Lanes {
    let w = -((1 - self) * (1 + self)).logarithm
    let (near, far) = (w - 2.5, w.root - 3)
    var p = Lanes(repeating: 3.432_739_39e-7)
      .addingProduct(near, Lanes(repeating: 2.810_226_36e-8))
    p = Lanes(repeating: -3.523_387_7e-6).addingProduct(p, near)
    p = Lanes(repeating: -4.391_506_54e-6).addingProduct(p, near)
    p = Lanes(repeating: 0.000_218_580_87).addingProduct(p, near)
    p = Lanes(repeating: -0.001_253_725_03).addingProduct(p, near)
    p = Lanes(repeating: -0.004_177_681_64).addingProduct(p, near)
    p = Lanes(repeating: 0.246_640_727).addingProduct(p, near)
    p = Lanes(repeating: 1.501_409_41).addingProduct(p, near)
    var q = Lanes(repeating: 0.000_100_950_558)
      .addingProduct(far, Lanes(repeating: -0.000_200_214_257))
    q = Lanes(repeating: 0.001_349_343_22).addingProduct(q, far)
    q = Lanes(repeating: -0.003_673_428_44).addingProduct(q, far)
    q = Lanes(repeating: 0.005_739_507_73).addingProduct(q, far)
    q = Lanes(repeating: -0.007_622_461_3).addingProduct(q, far)
    q = Lanes(repeating: 0.009_438_870_47).addingProduct(q, far)
    q = Lanes(repeating: 1.001_674_06).addingProduct(q, far)
    q = Lanes(repeating: 2.832_976_82).addingProduct(q, far)
    return p.replacing(with: q, where: w .>= 5) * self * 1.414_213_562
  }

  /// The natural logarithm of positive normal numbers, within 2 units in the last place.
  ///
  /// x = 2ⁿ·m with m in sqrt(½)…sqrt(2).
  /// - Source: the polynomial is Cephes' `logf` (Moshier)
  @inline(__always)
  fileprivate var logarithm: Lanes {
    let bits = unsafeBitCast(self, to: SIMD8<Int32>.self)
    // What is added carries into the exponent from sqrt(½) on.
    let shifted = bits &+ (0x3F80_0000 &- 0x3F35_04F3)
    let exponent = Lanes((shifted &>> 23) &- 127)
    let mantissa = (shifted & 0x007F_FFFF) &+ 0x3F35_04F3
    let x = unsafeBitCast(mantissa, to: Lanes.self) - 1
    let square = x * x
    var p = Lanes(repeating: -1.151_461_031_0e-1)
      .addingProduct(x, Lanes(repeating: 7.037_683_629_2e-2))
    p = Lanes(repeating: 1.167_699_874_0e-1).addingProduct(p, x)
    p = Lanes(repeating: -1.242_014_084_6e-1).addingProduct(p, x)
    p = Lanes(repeating: 1.424_932_278_7e-1).addingProduct(p, x)
    p = Lanes(repeating: -1.666_805_766_5e-1).addingProduct(p, x)
    p = Lanes(repeating: 2.000_071_476_5e-1).addingProduct(p, x)
    p = Lanes(repeating: -2.499_999_399_3e-1).addingProduct(p, x)
    p = Lanes(repeating: 3.333_333_117_4e-1).addingProduct(p, x)
    var y = p * x * square
    y.addProduct(exponent, Lanes(repeating: -2.121_944_4e-4))
    y.addProduct(square, Lanes(repeating: -0.5))
    return (x + y).addingProduct(exponent, Lanes(repeating: 0.693_359_375))
  }
}
