/// A format of at most eight bits in which weights are kept, each number times a scale that many
/// share.
///
/// The scale takes the largest magnitude to ``limit``, so that nothing lies beyond a format's range:
/// neither an integer is clamped nor an E4M3 saturates, which has no infinity.
/// - Source: Micikevicius et al. 2022 (2209.05433) for E4M3 and E5M2; Dettmers et al. 2023
///   (2305.14314) for NF4; FP4 as bitsandbytes has it.
package enum NumberFormat: String, Sendable, CaseIterable {
  case int8, int4, e4m3, e5m2, nf4, fp4

  package var bits: Int {
    switch self {
    case .int8, .e4m3, .e5m2: 8
    case .int4, .nf4, .fp4: 4
    }
  }

  /// The largest magnitude it has.
  package var limit: Float {
    switch self {
    case .int8: 127
    case .int4: 7
    case .e4m3: 448
    case .e5m2: 57_344
    case .nf4, .fp4: 1
    }
  }
}

extension SIMD8<Float> {
  /// The nearest whole number, a half to the even one; for magnitudes below 2²².
  ///
  /// From 2²³ on a Float32 has no fraction, so that the addition rounds.
  @inline(__always)
  var nearestInteger: Lanes {
    let magic = Lanes(repeating: 12_582_912)
    return (self + magic) - magic
  }

  /// The nearest number with so many bits of mantissa and no exponent below `least`, a half to the
  /// even one.
  ///
  /// As for integers, with 1.5·2ᵏ as far above each lane's own exponent as leaves the wanted bits;
  /// below `least` the steps stay those of `least`, which is what subnormals are.
  @inline(__always)
  func nearestFloat(mantissa: Int32, least: Int32) -> Lanes {
    let bits = unsafeBitCast(self, to: SIMD8<Int32>.self) & 0x7F80_0000
    let floor = SIMD8<Int32>(repeating: (127 + least) << 23)
    let exponent = bits.replacing(with: floor, where: bits .< floor)
    let magic = unsafeBitCast(
      (exponent &+ ((23 - mantissa) << 23)) | 0x40_0000, to: Lanes.self)
    return (self + magic) - magic
  }

  /// The nearest of the sixteen quantiles of NF4.
  @inline(__always)
  var nearestNF4: Lanes {
    var code = Lanes(repeating: -1)
    code.raise(to: -0.696_192_8, above: -0.848_096_4, self)
    code.raise(to: -0.525_073_05, above: -0.610_632_9, self)
    code.raise(to: -0.394_917_5, above: -0.459_995_27, self)
    code.raise(to: -0.284_441_38, above: -0.339_679_43, self)
    code.raise(to: -0.184_773_43, above: -0.234_607_4, self)
    code.raise(to: -0.091_050_036, above: -0.137_911_73, self)
    code.raise(to: 0, above: -0.045_525_018, self)
    code.raise(to: 0.079_580_3, above: 0.039_790_15, self)
    code.raise(to: 0.160_930_2, above: 0.120_255_25, self)
    code.raise(to: 0.246_112_3, above: 0.203_521_25, self)
    code.raise(to: 0.337_915_24, above: 0.292_013_77, self)
    code.raise(to: 0.440_709_83, above: 0.389_312_54, self)
    code.raise(to: 0.562_617, above: 0.501_663_42, self)
    code.raise(to: 0.722_956_84, above: 0.642_786_9, self)
    code.raise(to: 1, above: 0.861_478_42, self)
    return code
  }

  /// The nearest of ±{0, 1/192, 1/6, 1/4, 1/3, 1/2, 2/3, 1}.
  @inline(__always)
  var nearestFP4: Lanes {
    let bits = unsafeBitCast(self, to: SIMD8<UInt32>.self)
    let size = unsafeBitCast(bits & 0x7FFF_FFFF, to: Lanes.self)
    var code = Lanes.zero
    code.raise(to: 1 / 192, above: 1 / 384, size)
    code.raise(to: 1 / 6, above: 33 / 384, size)
    code.raise(to: 1 / 4, above: 5 / 24, size)
    code.raise(to: 1 / 3, above: 7 / 24, size)
    code.raise(to: 1 / 2, above: 5 / 12, size)
    code.raise(to: 2 / 3, above: 7 / 12, size)
    code.raise(to: 1, above: 5 / 6, size)
    return unsafeBitCast(
      unsafeBitCast(code, to: SIMD8<UInt32>.self) | (bits & 0x8000_0000), to: Lanes.self)
  }

  @inline(__always)
  private mutating func raise(to value: Float, above border: Float, _ x: Lanes) {
    replace(with: Lanes(repeating: value), where: x .> border)
  }
}
