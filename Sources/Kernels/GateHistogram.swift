/// How evenly a router's gates are spread, as counts of which medians can be read.
///
/// Inner balance is the larger over the smaller of the first two chosen scores, 1 for none
/// preferred; outer balance is the sum of the chosen scores, all there is at 1. Counts by
/// sixteenths of an octave add up in any order, so that workers change no bit; a median is right
/// within 3%.
/// - Source: Qiu et al. 2024 (2408.06793)
package struct GateHistogram: Sendable {
  private static let bins = 257
  /// 2⁰ for ratios from 1 on, 2⁻¹⁶ for sums up to 1, as the upper bits of a Float.
  private static let innerBase = Int(Float(1).bitPattern >> 19)
  private static let outerBase = Int(Float(0x1p-16).bitPattern >> 19)
  private let inner: Buffer<Int32>
  private let outer: Buffer<Int32>

  package init() {
    inner = Buffer(count: Self.bins)
    outer = Buffer(count: Self.bins)
  }

  /// What other processes are sent of it.
  package var memory: [UnsafeMutableRawBufferPointer] { [inner.memory, outer.memory] }

  func clear() {
    for bin in 0..<Self.bins {
      inner.base[bin] = 0
      outer.base[bin] = 0
    }
  }

  /// - Parameters: `second` is nil where a token has one expert
  @inline(__always)
  func add(first: Float, second: Float?, sum: Float) {
    if let second {
      let ratio = first > second ? first / second : second / first
      inner.base[Self.bin(ratio, Self.innerBase)] += 1
    }
    outer.base[Self.bin(sum, Self.outerBase)] += 1
  }

  @inline(__always)
  private static func bin(_ value: Float, _ base: Int) -> Int {
    min(max(Int(value.bitPattern >> 19) - base, 0), bins - 1)
  }
}

extension GateHistogram {
  /// The sum of several slices' counts, on the stack.
  package struct Sum {
    private var inner = InlineArray<257, Int>(repeating: 0)
    private var outer = InlineArray<257, Int>(repeating: 0)

    package init() {}

    package mutating func add(_ histogram: GateHistogram) {
      for bin in 0..<bins {
        inner[bin] += Int(histogram.inner.base[bin])
        outer[bin] += Int(histogram.outer.base[bin])
      }
    }

    /// NaN where nothing was counted.
    package var medians: (inner: Float, outer: Float) {
      (Self.median(inner, innerBase), Self.median(outer, outerBase))
    }

    private static func median(_ counts: InlineArray<257, Int>, _ base: Int) -> Float {
      var total = 0
      for bin in 0..<bins { total += counts[bin] }
      let half = (total + 1) / 2
      guard half > 0 else { return .nan }
      var seen = 0
      for bin in 0..<bins {
        seen += counts[bin]
        if seen >= half { return Float(bitPattern: UInt32(base + bin) << 19 | 1 << 18) }
      }
      return .nan
    }
  }
}
