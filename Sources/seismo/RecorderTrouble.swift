import Sessions
import Synchronization
import Telemetry
import Training

/// Tells what keeps records from being written, and pauses the run when too many wait.
final class RecorderTrouble: Sendable {
  private let trainer = Mutex<Trainer?>(nil)
  private let state = Mutex(State())

  private struct State {
    var isReported = false
    var hasPaused = false
  }

  func send(to trainer: Trainer) {
    self.trainer.withLock { $0 = trainer }
  }

  /// Called on the recorder's queue.
  func take(_ status: RecorderStatus) {
    guard let trainer = trainer.withLock({ $0 }) else { return }
    let before = state.withLock { state in
      defer {
        state.isReported = status != .ok
        state.hasPaused = status.isOverfull || (state.hasPaused && status != .ok)
      }
      return state
    }
    if before.isReported != (status != .ok) {
      trainer.post(.note(status.text ?? "records are written again"), by: "recorder")
    }
    if status.isOverfull && !before.hasPaused { trainer.post(.pause, by: "recorder") }
    if status == .ok && before.hasPaused { trainer.post(.resume, by: "recorder") }
  }
}
