import Foundation
import Telemetry

/// The schedule of a run as its description and its options tell it: linear warm-up, then the shape
/// that the option `schedule` names.
struct Schedule: Sendable, Equatable {
  enum Shape: String, Sendable {
    case cosine, linear, constant, wsd
  }

  let peak: Double
  let minimum: Double
  let warmup: Int
  let total: Int
  let shape: Shape
  /// How many steps at the end the rate of `wsd` falls.
  let decaySteps: Int

  /// Nil where the description does not tell, or names a shape that is not known here.
  init?(_ description: RunDescription?) {
    guard let description, let peak = description.peakLearningRate,
      let total = description.totalSteps,
      let shape = Shape(rawValue: description.options["schedule"] ?? Shape.cosine.rawValue)
    else { return nil }
    self.peak = peak
    self.total = total
    self.shape = shape
    minimum = min(peak, description.minimumLearningRate ?? 0)
    warmup = description.warmup ?? 0
    decaySteps = description.options["decay-steps"].flatMap { Int($0) } ?? total / 5
  }

  func rate(at step: Int) -> Double {
    guard step >= warmup else { return peak * Double(step + 1) / Double(warmup) }
    switch shape {
    case .cosine: return minimum + (peak - minimum) * 0.5 * (1 + cos(.pi * share(step, warmup)))
    case .linear: return peak + (minimum - peak) * share(step, warmup)
    case .constant: return peak
    case .wsd: return peak + (minimum - peak) * share(step, max(warmup, total - decaySteps))
    }
  }

  /// How much of the way from `start` to the end is done.
  private func share(_ step: Int, _ start: Int) -> Double {
    min(1, max(0, Double(step - start) / Double(max(1, total - start))))
  }
}
