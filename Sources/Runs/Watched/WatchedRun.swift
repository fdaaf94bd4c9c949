package import Sessions
package import Signals
package import Telemetry

/// A run of another process, followed where it goes: into the session it branches off to, too.
package final class WatchedRun: RecordSource {
  package private(set) var path: String
  private var follower: Follower
  private var hands: RemoteHands
  /// What the run was asked for in sessions that it has left.
  private var formerHands: [RemoteHands] = []
  private let damage = DamageReports()
  private var lastStep = 0
  package private(set) var state = SourceState.live

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
  package func history() throws -> RunHistory {
    try wholeHistory()
  }

  private func wholeHistory() throws(SessionError) -> RunHistory {
    let history = try follower.history { [damage] in damage.add($0) }
    lastStep = history.lastStep ?? 0
    return history
  }

  /// A session is read whole each time: its writer commits four times a second.
  package func updates(budget: Int) -> [SourceUpdate] {
    do throws(SessionError) {
      let records = try follower.poll()
      for case .column(let column) in records { lastStep = column.steps.last ?? lastStep }
      state =
        switch follower.writer {
        case .writing: .live
        case .ended: .ended
        case .crashed: .gone(remark: "the process that trained is gone")
        }
      let moved = try followBranch(records)
      let rest = (moved.isEmpty ? records : []) + damage.records()
      let told = rest + failures().map { .event($0) }
      return moved + (told.isEmpty ? [] : [.records(told)])
    } catch {
      state = .unreachable(reason: error.description)
      return []
    }
  }

  /// - Returns: where the run goes on elsewhere, `records` and all that there is; else nothing.
  private func followBranch(_ records: [RunRecord]) throws(SessionError) -> [SourceUpdate] {
    let isOver = records.contains { record in
      if case .state(let state) = record { state.isOver } else { false }
    }
    guard isOver, let branch = try SessionSuccession(session: path).branch else { return [] }
    let next = try WatchedRun(path: branch)
    let history = try next.wholeHistory()
    formerHands.append(hands)
    (path, follower, hands) = (branch, next.follower, next.hands)
    lastStep = history.lastStep ?? lastStep
    // Under its new name first, which is told apart from the old one.
    let named = records + (history.description.map { [.description($0)] } ?? [])
    return [.records(named), .reopened(history)]
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
