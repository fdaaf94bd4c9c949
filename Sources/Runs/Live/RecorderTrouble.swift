import Sessions
import Synchronization
import Telemetry
import Training

/// Tells what keeps records from being written, and pauses the run when too many wait.
final class RecorderTrouble: Sendable {
  private let trainer: Trainer
  private let state = Mutex(State())

  private struct State {
    var isReported = false
    var hasPaused = false
  }

  init(trainer: Trainer) {
    self.trainer = trainer
  }

  /// Called on the recorder's queue.
  func take(_ status: RecorderStatus) {
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

extension RecorderStatus {
  /// So many records in memory are enough: the run waits until they can be written.
  fileprivate static let pendingLimit = 200_000

  fileprivate var isOverfull: Bool {
    if case .waiting(_, let pending) = self { pending > Self.pendingLimit } else { false }
  }
}
