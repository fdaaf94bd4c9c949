import Foundation

/// Linear warm-up to a peak, then half a cosine to an absolute minimum.
///
///     s < warmup:           peak (s + 1) / warmup
///     warmup <= s < total:  minimum + (peak - minimum) (1 + cos(pi (s - warmup) / (total - warmup))) / 2
///     s >= total:           minimum
///
/// The first update has a rate above 0 and update `warmup - 1` has the peak. The cosine is that of
/// Optax's `warmup_cosine_decay_schedule` with `end_value` the minimum; the warm-up is one step ahead of
/// Optax's, whose first update has a rate of 0. The minimum is a number, not a share of the peak, so
/// that runs of a sweep end at the same rate.
/// - Source: Wortsman et al. 2023, "Small-scale proxies for large-scale Transformer training
///   instabilities", section 2.
public struct LearningRateSchedule: Sendable, Hashable {
  /// The highest rate.
  public var peak: Double
  /// How many steps the rate rises.
  public var warmup: Int
  /// How many steps the run has, the warm-up's included.
  public var total: Int
  /// Where the cosine ends; a peak below it is kept instead, so that the rate never rises again.
  public var minimum: Double

  /// A schedule for steps 0 to `total` - 1.
  public init(peak: Double, warmup: Int, total: Int, minimum: Double = 1e-5) {
    self.peak = peak
    self.warmup = warmup
    self.total = total
    self.minimum = minimum
  }

  /// The rate of the update of `step`, counted from 0.
  public func rate(step: Int) -> Double {
    guard step >= warmup else {
      return peak * Double(step + 1) / Double(warmup)
    }
    let floor = min(minimum, peak)
    guard step < total else { return floor }
    let progress = Double(step - warmup) / Double(total - warmup)
    return floor + (peak - floor) * (1 + cos(.pi * progress)) / 2
  }
}
