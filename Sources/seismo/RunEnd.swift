import Dispatch
import Synchronization
import Training

/// The end of a run, for those who wait for it.
final class RunEnd: Sendable {
  private let value = Mutex<TrainingOutcome?>(nil)
  private let reached = DispatchSemaphore(value: 0)

  func set(_ outcome: TrainingOutcome) {
    value.withLock { $0 = outcome }
    reached.signal()
  }

  /// Nil while the run goes on.
  var outcome: TrainingOutcome? {
    value.withLock { $0 }
  }

  func wait() -> TrainingOutcome {
    while true {
      if let outcome { return outcome }
      reached.wait()
    }
  }
}
