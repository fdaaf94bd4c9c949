import Glibc
package import Sessions
import Telemetry
package import Training

/// The weights of a recorded run as they are now.
///
/// A live run is asked for a checkpoint, which it writes between two steps; of one that is over its
/// last checkpoint counts.
package struct CurrentCheckpoint {
  package let checkpoint: Checkpoint
  package let isLive: Bool

  /// - Throws: `refused` where a live run writes none; `SessionError`, `ControlError`,
  ///   `CheckpointError`.
  package init(of session: SessionReference, by author: String) throws {
    isLive = try Self.asks(session.path, by: author)
    checkpoint = try CheckpointFolder.read(SessionFiles(path: session.path).checkpoints)
  }

  /// - Returns: whether there was a live run to ask
  private static func asks(_ path: String, by author: String) throws -> Bool {
    let answer: CommandAnswer
    do {
      answer = try ControlClient.ask(path, .checkpoint, by: author)
    } catch ControlError.notLive {
      return false
    }
    guard answer.isApplied else { throw Refusal(session: path, reason: answer.text) }
    return true
  }

  /// Why a live run gives no checkpoint.
  package struct Refusal: Error, CustomStringConvertible {
    let session: String
    let reason: String

    package var description: String { "the run in \(session) gives no checkpoint: \(reason)" }
  }

  /// Leaves the processors to whoever else wants them: what is asked of a live run's weights takes
  /// the time that it leaves.
  package static func yieldProcessors() { _ = nice(19) }
}
