import Foundation
import Signals
import Telemetry

/// The schedule of a run as its description and its options tell it: linear warm-up, then the shape
/// that the option `schedule` names; and what a person made of it while it went on.
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
  /// What `lr.decay_now` and `lr.warmup_again` asked for; nil where neither is in force.
  private let decay: Ramp?
  private let warmupAgain: Ramp?

  /// As it was at `playhead`. Nil where the description does not tell, or names a shape that is not
  /// known here.
  init?(_ history: RunHistory, at playhead: Int) {
    guard let description = history.description, let peak = description.peakLearningRate,
      let total = description.totalSteps,
      let shape = Shape(rawValue: description.options["schedule"] ?? Shape.cosine.rawValue)
    else { return nil }
    self.peak = peak
    self.total = total
    self.shape = shape
    minimum = min(peak, description.minimumLearningRate ?? 0)
    warmup = description.warmup ?? 0
    let decaySteps = description.options["decay-steps"].flatMap { Int($0) } ?? total / 5
    self.decaySteps = min(max(decaySteps, 0), total)
    decay = Ramp(SettingCatalog.decayNow, in: history, at: playhead)
    warmupAgain = Ramp(SettingCatalog.warmupAgain, in: history, at: playhead)
  }

  /// The rate of the update of `step`, without the person's factor.
  ///
  /// A decay goes straight from where the schedule was when it began to where it ends; a warm-up
  /// scales what is there from next to nothing up to all of it.
  func rate(at step: Int) -> Double {
    decayed(at: step) * (warmupAgain?.progress(at: step) ?? 1)
  }

  private func decayed(at step: Int) -> Double {
    guard let decay else { return planned(at: step) }
    let before = planned(at: max(0, decay.start - 1))
    let floor = min(minimum, before)
    return floor + (before - floor) * (1 - decay.progress(at: step))
  }

  private func planned(at step: Int) -> Double {
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

/// A change of the schedule over a number of steps.
private struct Ramp: Sendable, Equatable {
  let start: Int
  let steps: Double

  /// What the last change of the setting called `name` up to `playhead` began; nil where it ended it.
  init?(_ name: String, in history: RunHistory, at playhead: Int) {
    let change = history.lineageEvents.last {
      $0.kind == .set && $0.name == name && $0.step <= playhead
    }
    guard let change, let steps = change.after?.number, steps >= 1 else { return nil }
    start = change.step
    self.steps = steps
  }

  /// How much of it has been gone with the update of `step`.
  func progress(at step: Int) -> Double {
    min(1, Double(step - start + 1) / steps)
  }
}
