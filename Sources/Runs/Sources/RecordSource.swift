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

  /// Gives a command to whoever makes the run; what becomes of it comes with the records.
  func send(_ command: Command, by author: String)

  /// Waits a moment for the commands that are on their way.
  func finish() -> (isAnswered: Bool, failures: [RunEvent])
}

extension RecordSource {
  /// A source without hands takes no command and owes no answer.
  package func send(_ command: Command, by author: String) {}

  package func finish() -> (isAnswered: Bool, failures: [RunEvent]) { (true, []) }
}

/// What a source has to tell.
package enum SourceUpdate: Sendable {
  case records([RunRecord])
  /// The run goes on in another place, of which this is all so far.
  case reopened(RunHistory)
}

/// How a source stands.
package enum SourceState: Sendable, Equatable {
  /// Records come.
  case live
  /// No more records come.
  case ended
  /// Nothing has come for longer than is usual, since this time.
  case silent(since: Double)
  /// Whoever made the records is gone before the run's end.
  case crashed
  /// Nothing can be read just now, and why.
  case unreachable(reason: String)

  /// What is to be told of it; nil where all is well.
  package func trouble(now: Double) -> String? {
    switch self {
    case .live, .ended: nil
    case .silent(let since): "last data \(NumberText.duration(seconds: now - since)) ago"
    case .crashed: "the process that trained is gone"
    case .unreachable(let reason): reason
    }
  }
}
