import Testing

@testable import Training

@Suite(.timeLimit(.minutes(15)))
struct GradientClippingTests {
  /// Norms about 0.4 that never repeat, without a random number.
  private static func calm(_ step: Int) -> Double {
    0.4 + 0.02 * Double((step * 37) % 11 - 5) / 5
  }

  @Test func `ZClip lets a calm norm pass and lowers a spike the more it stands out`() {
    var clip = ZClip()
    for step in 0..<200 { #expect(clip.limit(Self.calm(step)) > Self.calm(step)) }
    #expect(abs(clip.mean - 0.4) < 0.01)
    let (mean, deviation) = (clip.mean, clip.variance.squareRoot())
    var (near, far) = (clip, clip)
    let lower = far.limit(10)
    let higher = near.limit(mean + 4 * deviation)
    #expect(lower < higher)
    #expect(abs(higher - (mean + 6.25 * deviation / 4)) < 1e-4)
    #expect(lower > mean)
    #expect(far.mean < mean + deviation, "the average takes the clipped norm")
  }

  @Test func `a global bound lets the spike before it through scaled, ZClip to its mean`() {
    var global = GradientClipping()
    var zClip = GradientClipping()
    for step in 0..<100 {
      let norm = Self.calm(step)
      #expect(global.scales(norm: norm, tensorNorms: [norm], kind: .global, bound: 1)[0] == 1)
      #expect(zClip.scales(norm: norm, tensorNorms: [norm], kind: .zclip, bound: 1)[0] == 1)
    }
    let bounded = global.scales(norm: 8, tensorNorms: [8], kind: .global, bound: 1)
    let lowered = zClip.scales(norm: 8, tensorNorms: [8], kind: .zclip, bound: 1)
    #expect(abs(bounded[0] * 8 - 1) < 1e-5)
    #expect(lowered[0] * 8 < 0.45 && lowered.isClipped)
  }

  @Test func `ZClip bounds its first steps and never exceeds the bound`() {
    var clipping = GradientClipping()
    for _ in 0..<60 {
      let scales = clipping.scales(norm: 5, tensorNorms: [5], kind: .zclip, bound: 1)
      #expect(abs(scales[0] - 0.2) < 1e-6)
    }
  }

  @Test func `AdaGC lowers the tensor that spikes and no other`() {
    var clipping = GradientClipping()
    for step in 0..<150 {
      let norms = [Self.calm(step), 2 * Self.calm(step)]
      _ = clipping.scales(norm: 1, tensorNorms: norms, kind: .adagc, bound: 0)
    }
    let scales = clipping.scales(norm: 9, tensorNorms: [9, 0.78], kind: .adagc, bound: 1)
    #expect(scales.isClipped)
    #expect(abs(Double(scales[0]) * 9 - 0.42) < 0.03)
    #expect(scales[1] == 1)
  }

  @Test func `a tensor whose gradient begins late is not held at 0 by AdaGC`() {
    var clipping = GradientClipping()
    for _ in 0..<120 {
      _ = clipping.scales(norm: 1, tensorNorms: [1, 0], kind: .adagc, bound: 1)
    }
    let scales = clipping.scales(norm: 1, tensorNorms: [1, 0.3], kind: .adagc, bound: 1)
    #expect(scales[1] == 1)
    let next = clipping.scales(norm: 1, tensorNorms: [1, 3], kind: .adagc, bound: 1)
    #expect(abs(Double(next[1]) * 3 - 0.315) < 1e-6)
  }

  @Test func `switched off and on again, clipping starts to learn anew`() {
    var clipping = GradientClipping()
    for _ in 0..<40 { _ = clipping.scales(norm: 1, tensorNorms: [1], kind: .zclip, bound: 0) }
    _ = clipping.scales(norm: 1, tensorNorms: [1], kind: .global, bound: 0)
    #expect(clipping == GradientClipping())
    let scales = clipping.scales(norm: 50, tensorNorms: [50], kind: .zclip, bound: 0)
    #expect(scales[0] == 1 && !scales.isClipped)
  }

  @Test(arguments: GradientClipping.Kind.allCases)
  func `a norm that is no number is no one's spike`(kind: GradientClipping.Kind) {
    var clipping = GradientClipping()
    for _ in 0..<150 { _ = clipping.scales(norm: 1, tensorNorms: [1], kind: kind, bound: 1) }
    let before = clipping
    #expect(clipping.scales(norm: .nan, tensorNorms: [.nan], kind: kind, bound: 1)[0] == 1)
    #expect(clipping == before)
  }
}
