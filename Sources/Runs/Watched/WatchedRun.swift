package import Sessions
package import Signals
package import Telemetry

/// A run of another process, followed where it goes: into the session it branches off to, too.
package final class WatchedRun {
  package private(set) var path: String
  private var follower: Follower
  private var hands: RemoteHands
  /// What the run was asked for in sessions that it has left.
  private var formerHands: [RemoteHands] = []
  private let damage = DamageReports()
  private var lastStep = 0
  /// What is wrong with the run or its session; nil where nothing is.
  package private(set) var trouble: String?

  package init(path: String) throws(SessionError) {
    self.path = path
    follower = try Follower(path: path)
    hands = RemoteHands(session: path)
  }

  /// Where the run of the session at `path` goes on, if it has branched off and does.
  package static func present(_ path: String) throws(SessionError) -> String {
    var path = path
    while !WriterLock.isHeld(session: path),
      let branch = try SessionSuccession(session: path).branch, branch != path
    {
      path = branch
    }
    return path
  }

  /// All there is so far.
  package func history() throws(SessionError) -> RunHistory {
    let history = try follower.history { [damage] in damage.add($0) }
    lastStep = history.lastStep ?? 0
    return history
  }

  /// What has come since the last call; `open` is given all of the session in which the run goes on.
  package func records(open: ([RunRecord], RunHistory) -> Void) -> [RunRecord] {
    do throws(SessionError) {
      let records = try follower.poll()
      for case .column(let column) in records { lastStep = column.steps.last ?? lastStep }
      trouble = follower.writer == .crashed ? "the process that trained is gone" : nil
      let isLeft = try followBranch(records, open: open)
      return (isLeft ? [] : records) + damage.records() + failures().map { .event($0) }
    } catch {
      trouble = error.description
      return []
    }
  }

  /// - Returns: whether the run goes on elsewhere; then `records` have been handed over.
  private func followBranch(
    _ records: [RunRecord], open: ([RunRecord], RunHistory) -> Void
  ) throws(SessionError) -> Bool {
    let isOver = records.contains { record in
      if case .state(let state) = record { state.isOver } else { false }
    }
    guard isOver, let branch = try SessionSuccession(session: path).branch else { return false }
    let next = try WatchedRun(path: branch)
    let history = try next.history()
    formerHands.append(hands)
    (path, follower, hands) = (branch, next.follower, next.hands)
    lastStep = history.lastStep ?? lastStep
    // Under its new name first, which is told apart from the old one.
    open(records + (history.description.map { [.description($0)] } ?? []), history)
    return true
  }

  package func send(_ command: Command, by author: String) {
    hands.send(command, by: author, step: lastStep)
  }

  private func failures() -> [RunEvent] {
    (formerHands + [hands]).flatMap { $0.takeFailures() }
  }

  /// Waits a moment for the commands that are on their way.
  /// - Returns: whether all of them were answered, and what could not be given.
  package func finish() -> (isAnswered: Bool, failures: [RunEvent]) {
    let isAnswered = (formerHands + [hands]).allSatisfy { $0.finish() }
    return (isAnswered, failures())
  }
}
