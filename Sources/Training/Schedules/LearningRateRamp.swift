import Telemetry

/// A change of the schedule that a person asked for, over a number of steps from then on.
package struct LearningRateRamp: Sendable, Equatable, Codable {
  /// Steps it takes; 0 for none.
  package private(set) var steps = 0
  private(set) var start = 0

  package init() {}

  /// Begins at `step` anew, or ends where `steps` is 0.
  mutating func set(_ steps: Int, at step: Int) {
    self.steps = steps
    start = step
  }

  /// How much of it has been gone with the update of `step`: from 1/steps to 1.
  func progress(at step: Int) -> Double {
    guard steps > 0 else { return 1 }
    return min(1, Double(step - start + 1) / Double(steps))
  }

  /// Whether the updates before `step` have gone all of it.
  func isOver(at step: Int) -> Bool {
    step - start >= steps
  }
}

/// The learning rate in force: the schedule's, under what a person changed.
struct LearningRateInForce {
  let schedule: LearningRateSchedule
  let settings: LiveSettings

  /// The rate of the update of `step`.
  ///
  /// A decay goes straight from where the schedule was when it began to where it ends; a warm-up
  /// scales what is there from next to nothing up to all of it.
  func rate(step: Int) -> Double {
    scheduled(step) * settings.number(SettingCatalog.learningRateMultiplier)
      * settings.warmupAgain.progress(at: step)
  }

  private func scheduled(_ step: Int) -> Double {
    let decay = settings.decayNow
    guard decay.steps > 0 else { return schedule.rate(step: step) }
    let before = schedule.rate(step: max(0, decay.start - 1))
    let floor = min(schedule.floor, before)
    return floor + (before - floor) * (1 - decay.progress(at: step))
  }
}
