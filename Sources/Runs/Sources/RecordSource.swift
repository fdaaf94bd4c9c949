import Glibc
package import Signals
package import Telemetry

/// Where a run's records come from, whoever makes them: a session that is written, a recording, a
/// file that another program logs to.
///
/// Asked for all there is once, then for what has come since, as often as a screen is drawn.
package protocol RecordSource: AnyObject {
  /// All there is so far; to be asked for before the first `updates`.
  func history() throws -> RunHistory

  /// What has come since this was last asked, in its order, up to about `budget` samples.
  func updates(budget: Int) -> [SourceUpdate]

  /// How the source stands as far as it is known now.
  var state: SourceState { get }

  /// Why the source takes no commands now; nil where it does.
  var refusal: String? { get }

  /// What keeps its records from being written here; nil where nothing does, or nothing writes them.
  var recordingTrouble: String? { get }

  /// Gives a command to whoever makes the run; what becomes of it comes with the records.
  func send(_ command: Command, by author: String)

  /// Waits a moment for the commands that are on their way.
  func finish() -> (isAnswered: Bool, failures: [RunEvent])
}

extension RecordSource {
  /// A source without hands takes no command and owes no answer.
  package var refusal: String? { nil }
  package var recordingTrouble: String? { nil }

  package func send(_ command: Command, by author: String) {}

  package func finish() -> (isAnswered: Bool, failures: [RunEvent]) { (true, []) }
}

/// What a source has to tell.
package enum SourceUpdate: Sendable {
  case records([RunRecord])
  /// The run goes on in another place, of which this is all so far.
  case reopened(RunHistory)
  /// All that is known by now of a long record of which only a part was told; told anew.
  case opened([RunRecord])
}

/// A source of what another program logs, whose records may be written down as they come.
package protocol LogSource: RecordSource {
  /// All there is so far, in its order; to be asked for before the first `updates`.
  func opening() throws -> [RunRecord]

  /// Waits until something may have come, but not longer.
  func wait(milliseconds: Int)

  /// The program that makes the run, where it is one of this machine and known.
  var process: Int32? { get }

  /// The socket of this account's own where the program takes commands; nil where there is none.
  var control: String? { get }
}

/// A log whose program is given commands and answers them between its lines.
package protocol AnsweringLog: LogSource {
  /// Gives a command to the program; `reply` is told what becomes of it in place of the screen.
  func send(
    _ command: Command, by author: String, reply: (@Sendable (CommandAnswer) -> Void)?)
}

extension AnsweringLog {
  package func send(_ command: Command, by author: String) {
    send(command, by: author, reply: nil)
  }
}

extension LogSource {
  package var control: String? { nil }
  package var process: Int32? { nil }

  package func wait(milliseconds: Int) { usleep(UInt32(milliseconds) * 1000) }

  package func history() throws -> RunHistory {
    RunHistory(try opening())
  }
}
