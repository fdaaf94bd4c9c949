import Dispatch
import Foundation
import Sessions
import Synchronization
import Telemetry

/// Gives a person's commands to a run of another process, in their order, without holding the
/// screen up.
///
/// What the run makes of them comes back with its records; here only what never reached it is told.
final class RemoteHands: Sendable {
  private let session: String
  private let queue = DispatchQueue(label: "seismo.hands")
  private let unsent = DispatchGroup()
  private let failures = Mutex<[RunEvent]>([])

  init(session: String) {
    self.session = session
  }

  func send(_ command: Command, by author: String, step: Int) {
    queue.async(group: unsent) { [self] in
      do {
        _ = try ask(command, by: author)
      } catch {
        let event = RunEvent(
          refusing: command.words, because: "\(error)", by: "watch", step: step,
          wallTime: Date().timeIntervalSince1970)
        failures.withLock { $0.append(event) }
      }
    }
  }

  /// The run may have branched off since the screen was last drawn.
  private func ask(_ command: Command, by author: String) throws -> CommandAnswer {
    do {
      return try ControlClient.ask(session, command, by: author)
    } catch ControlError.branched(_, let branch) {
      return try ControlClient.ask(branch, command, by: author)
    }
  }

  /// Waits a moment for the commands that are on their way.
  /// - Returns: whether all of them were given or told.
  func finish() -> Bool { unsent.wait(timeout: .now() + .seconds(2)) == .success }

  /// What could not be given since this was last asked.
  func takeFailures() -> [RunEvent] {
    failures.withLock { failures in
      defer { failures = [] }
      return failures
    }
  }
}
