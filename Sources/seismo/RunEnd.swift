import Dispatch
import Synchronization
import Training

/// The end of a run, for those who wait for it.
final class RunEnd: Sendable {
  private let value = Mutex<TrainingEnd?>(nil)
  private let reached = DispatchSemaphore(value: 0)

  func set(_ end: TrainingEnd) {
    value.withLock { $0 = end }
    reached.signal()
  }

  /// Nil while the run goes on.
  var reachedEnd: TrainingEnd? {
    value.withLock { $0 }
  }

  func wait() -> TrainingEnd {
    while true {
      if let end = reachedEnd { return end }
      reached.wait()
    }
  }
}
