import Foundation

/// When growing attention logits will pass a level, if they go on as they do.
///
/// Straight lines through the logarithm of the largest logit over the last 200 steps, fitted to the
/// medians of blocks of 20 so that single steps do not tilt them. Warm-up and a decaying rate make
/// growth saturate: where the newer half's slope s is below the older's by a factor r over the h
/// steps between them, it is taken to go on falling so, ρ = r^(1/h) a step, and
/// log z(n) = log z + s (1 − ρⁿ) / (−ln ρ). A forecast that reaches far is none.
/// - Units: steps.
/// - Source: the level is Wortsman et al. 2023, section 3.1: every run above 1e4 diverged. That
///   paper extrapolates over model size; over time is Seismo's.
package struct LogitGrowth: Sendable, Equatable {
  /// Below it logits are of no concern.
  package static let healthyLevel = 100.0
  package static let warningLevel = 1e3
  package static let criticalLevel = 1e4
  package static let window = 200
  package static let blocks = 10
  package static let horizon = 2000.0
  /// The share of the medians' variance that the line must explain: a jump from one level to
  /// another explains 3/4 at most, and is no growth.
  package static let leastShare = 0.85

  /// Steps in which the logits double.
  package let doublingSteps: Double
  /// Steps from the last sample until the level; 0 where the line is there already.
  package let stepsUntilLevel: Double
  /// The line's value at the last sample.
  package let present: Double

  /// The forecast from samples whose steps ascend, all of which count: ``window`` steps of them; nil
  /// where the logits do not grow significantly, the samples are too few, or the level is too far
  /// off. What comes after the run's `remainingSteps` is not forecast.
  package init?(
    steps: ArraySlice<Int>, values: ArraySlice<Double>, level: Double = Self.criticalLevel,
    remainingSteps: Int? = nil
  ) {
    guard let last = steps.last else { return nil }
    let points = Self.blockMedians(steps: steps, values: values)
    guard points.count >= Self.blocks * 4 / 5, let whole = LineFit(points),
      let older = LineFit(Array(points.prefix(points.count / 2))),
      let newer = LineFit(Array(points.suffix((points.count + 1) / 2))),
      whole.explainedShare >= Self.leastShare, whole.slope > 0, newer.slope > 0
    else { return nil }
    let present = newer.value(at: Double(last))
    let steps = Self.steps(
      toGrow: log(level) - present, slope: newer.slope,
      decay: max(0, log(older.slope / newer.slope)) / (newer.center.x - older.center.x),
      sinceSlope: Double(last) - newer.center.x)
    let limit = min(Self.horizon, remainingSteps.map(Double.init) ?? Self.horizon)
    guard let steps, steps <= limit else { return nil }
    doublingSteps = log(2) / newer.slope
    stepsUntilLevel = steps
    self.present = exp(present)
  }

  /// n in growth = s (1 − ρⁿ) / (−ln ρ), with `decay` = −ln ρ and the slope as it was
  /// `sinceSlope` steps ago; nil where growth comes to rest before.
  private static func steps(
    toGrow growth: Double, slope: Double, decay: Double, sinceSlope: Double
  ) -> Double? {
    guard growth > 0 else { return 0 }
    guard decay > 1e-9, decay.isFinite else { return growth / slope }
    let share = growth * decay / (slope * exp(-decay * sinceSlope))
    return share < 1 ? -log(1 - share) / decay : nil
  }

  /// The median of log(value) of each block of steps that holds any positive value; blocks are
  /// counted back from the last step.
  private static func blockMedians(
    steps: ArraySlice<Int>, values: ArraySlice<Double>
  ) -> [(x: Double, y: Double)] {
    guard let last = steps.last else { return [] }
    let width = window / blocks
    var points: [(x: Double, y: Double)] = []
    var block: [(step: Int, log: Double)] = []
    var present = Int.max
    for (step, value) in zip(steps, values).reversed() {
      let index = (last - step) / width
      guard index < blocks else { break }
      if index != present {
        if let point = middle(of: block) { points.append(point) }
        block.removeAll(keepingCapacity: true)
        present = index
      }
      if value > 0, value.isFinite { block.append((step, log(value))) }
    }
    if let point = middle(of: block) { points.append(point) }
    return points.reversed()
  }

  private static func middle(of block: [(step: Int, log: Double)]) -> (x: Double, y: Double)? {
    guard !block.isEmpty else { return nil }
    let x = block.reduce(0.0) { $0 + Double($1.step) } / Double(block.count)
    return (x, block.map(\.log).median)
  }
}
