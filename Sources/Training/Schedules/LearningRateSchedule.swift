import Foundation

/// Linear warm-up to a peak, then down to an absolute minimum, or not.
///
///     s < warmup:  peak (s + 1) / warmup
///     cosine:      minimum + (peak - minimum) (1 + cos(pi (s - warmup) / (total - warmup))) / 2
///     linear:      minimum + (peak - minimum) (total - s) / (total - warmup)
///     wsd:         peak, and in the last `decaySteps` as linear from there
///     constant:    peak
///     s >= total:  minimum; with constant, peak
///
/// The first update has a rate above 0 and update `warmup - 1` has the peak. The cosine is that of
/// Optax's `warmup_cosine_decay_schedule` with `end_value` the minimum; the warm-up is one step
/// ahead of Optax's, whose first update has a rate of 0. The minimum is a number, not a share of
/// the peak, so that runs of a sweep end at the same rate.
/// - Source: Wortsman et al. 2023, "Small-scale proxies for large-scale Transformer training
///   instabilities", section 2; warm-up, stable, decay: Hu et al. 2024, "MiniCPM", section 4.
public struct LearningRateSchedule: Sendable, Hashable {
  /// How the rate goes on after its warm-up.
  public enum Shape: String, CaseIterable, Sendable, Codable {
    /// Half a cosine.
    case cosine
    /// A straight line down.
    case linear
    /// The peak for ever.
    case constant
    /// Warm-up, stable, decay: the peak, and a straight line down at the end.
    case wsd
  }

  /// The highest rate.
  public var peak: Double
  /// How many steps the rate rises.
  public var warmup: Int
  /// How many steps the run has, the warm-up's included.
  public var total: Int
  /// Where the rate ends; a peak below it is kept instead, so that the rate never rises again.
  public var minimum: Double
  /// How the rate goes on after its warm-up.
  public var shape: Shape
  /// How many steps at the end the rate falls, where the shape is `wsd`.
  public var decaySteps: Int

  /// A schedule for steps 0 to `total` - 1.
  public init(
    peak: Double, warmup: Int, total: Int, minimum: Double = 1e-5, shape: Shape = .cosine,
    decaySteps: Int = 0
  ) {
    self.peak = peak
    self.warmup = warmup
    self.total = total
    self.minimum = minimum
    self.shape = shape
    self.decaySteps = decaySteps
  }

  /// Where the rate ends.
  var floor: Double { min(minimum, peak) }

  /// The rate of the update of `step`, counted from 0.
  public func rate(step: Int) -> Double {
    guard step >= warmup else {
      return peak * Double(step + 1) / Double(warmup)
    }
    switch shape {
    case .cosine:
      guard step < total else { return floor }
      let progress = Double(step - warmup) / Double(total - warmup)
      return floor + (peak - floor) * (1 + cos(.pi * progress)) / 2
    case .linear: return falling(step, from: warmup)
    case .constant: return peak
    case .wsd: return falling(step, from: max(warmup, total - decaySteps))
    }
  }

  /// A straight line from the peak at `start` to the end of the run.
  private func falling(_ step: Int, from start: Int) -> Double {
    guard step < total else { return floor }
    guard step > start else { return peak }
    return floor + (peak - floor) * Double(total - step) / Double(total - start)
  }
}
