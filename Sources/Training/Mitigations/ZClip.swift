/// Bounds a gradient norm that stands out from the norms before it.
///
/// Mean μ and variance σ² of the norm are averaged over about 30 steps. A norm with
/// z = (‖g‖ − μ)/σ above 2.5 becomes μ + 2.5·σ/(z/2.5): the further out, the lower. The average
/// takes what the norm became, so that a spike does not widen it.
/// - Source: Kumar et al. 2025, "ZClip", adaptive scaling
struct ZClip: Sendable, Equatable, Codable {
  static let warmup = 25
  private static let memory = 0.97
  private static let threshold = 2.5

  /// Norms of the first steps, from which mean and variance start.
  private var first: [Double] = []
  private(set) var mean = 0.0
  private(set) var variance = 0.0

  /// What `norm` may be at most; infinite where it may be what it is.
  mutating func limit(_ norm: Double) -> Double {
    guard first.count >= Self.warmup else {
      collect(norm)
      return .infinity
    }
    let deviation = variance.squareRoot()
    let z = (norm - mean) / (deviation + 1e-6)
    let isSpike = z > Self.threshold
    let limit = mean + Self.threshold * deviation / (z / Self.threshold)
    remember(isSpike ? limit : norm)
    return isSpike ? limit : .infinity
  }

  private mutating func collect(_ norm: Double) {
    first.append(norm)
    guard first.count == Self.warmup else { return }
    let count = Double(first.count)
    let mean = first.reduce(0, +) / count
    self.mean = mean
    variance = first.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count
  }

  private mutating func remember(_ norm: Double) {
    mean = Self.memory * mean + (1 - Self.memory) * norm
    variance = Self.memory * variance + (1 - Self.memory) * (norm - mean) * (norm - mean)
  }
}
