/// Why a command does not reach a run. The description is one line.
package enum ControlError: Error, Equatable {
  case noFolder(reason: String)
  case notLive(session: String)
  /// It ended here and goes on in another session.
  case branched(session: String, branch: String)
  case deaf(session: String)
  /// Another program's file that nobody writes any more.
  case abandoned(log: String)
  /// Another program's file, and why it has no hands.
  case handless(log: String, reason: String)
  case unreachable(session: String, reason: String)
  case silent(session: String, seconds: Int)
}

extension ControlError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .noFolder(let reason):
      "no folder for the control socket: \(reason): set XDG_RUNTIME_DIR to a folder of your own"
    case .notLive(let session):
      "no live run in \(session): nobody is writing it; 'seismo train --resume' goes on from a "
        + "checkpoint"
    case .branched(let session, let branch):
      "no live run in \(session): it goes on in \(branch)"
    case .deaf(let session):
      "the run in \(session) takes no commands: it has no control socket"
    case .abandoned(let log):
      "no live run in \(log): the program that wrote it is gone"
    case .handless(let log, let reason):
      "the run in \(log) takes no commands: \(reason)"
    case .unreachable(let session, let reason):
      "the run in \(session) cannot be reached: \(reason)"
    case .silent(let session, let seconds):
      "no answer from the run in \(session) within \(seconds) s: it may still obey"
    }
  }
}
