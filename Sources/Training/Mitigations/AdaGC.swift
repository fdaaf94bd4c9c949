/// Bounds each tensor's gradient norm by its own average.
///
/// h = min(1, 1.05·γ/‖g‖), γ = 0.98·γ + 0.02·‖h·g‖. In the first 100 steps all gradients have the
/// global bound instead, and γ becomes the smallest norm seen. A tensor whose gradient was always
/// 0, such as a gain of a mitigation that is off, starts its average with its first gradient.
/// - Source: Wang et al. 2025, "AdaGC"
struct AdaGC: Sendable, Equatable, Codable {
  static let warmup = 100
  private static let room = 1.05
  private static let memory = 0.98

  private var steps = 0
  /// γ by tensor; 0 where nothing is known.
  private(set) var averages: [Double] = []

  mutating func scales(norm: Double, tensorNorms: [Double], bound: Double) -> GradientScales {
    if averages.isEmpty { averages = Array(repeating: 0, count: tensorNorms.count) }
    steps += 1
    guard steps > Self.warmup else {
      let scales = GradientScales.bounding(norm, to: bound)
      for (index, tensorNorm) in tensorNorms.enumerated() where tensorNorm > 0 {
        let bounded = tensorNorm * Double(scales.all)
        averages[index] = averages[index] > 0 ? min(averages[index], bounded) : bounded
      }
      return scales
    }
    var scales = GradientScales(each: Array(repeating: 1, count: tensorNorms.count))
    for (index, tensorNorm) in tensorNorms.enumerated() where tensorNorm > 0 {
      let average = averages[index] > 0 ? averages[index] : tensorNorm
      let scale = min(1, Self.room * average / tensorNorm)
      averages[index] = Self.memory * average + (1 - Self.memory) * scale * tensorNorm
      scales.each[index] = Float(scale)
      if scale < 1 { scales.isClipped = true }
    }
    return scales
  }
}
