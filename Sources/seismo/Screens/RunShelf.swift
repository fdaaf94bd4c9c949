import Dashboard
import Dispatch
import Formats
import Foundation
import Runs
import Sessions
import Signals
import Synchronization
import Telemetry

/// The recorded runs beside the one on screen, read where they hold no frame up. What is laid over
/// the charts and still grows is followed.
final class RunShelf: Sendable {
  private let found = Mutex<[Action]>([])
  private let grown: GrowingRuns
  private let library = RunLibrary()
  /// What other programs log, where such was named.
  let roster: LogRoster?
  private let isListDue = Atomic(false)
  private let queue: DispatchQueue

  /// Runs that grow are read on every `interval`.
  init(interval: DispatchTimeInterval = .seconds(1), roster: LogRoster? = nil) {
    queue = DispatchQueue(label: "seismo.runs", qos: .userInitiated)
    grown = GrowingRuns(interval: interval, on: queue)
    self.roster = roster
    if roster != nil { lookLater() }
  }

  /// So many seconds after it was looked whether other programs have begun to log more it is looked
  /// again; among very many folders after so many times as long as that took.
  private static let lookInterval = (least: 2.0, factor: 20.0)

  private func lookLater(after seconds: Double = RunShelf.lookInterval.least) {
    queue.asyncAfter(deadline: .now() + seconds) { [weak self] in
      guard let self else { return }
      let start = DispatchTime.now().uptimeNanoseconds
      for run in roster?.look() ?? [] { post(.runAppeared(name: run.name)) }
      let taken = Double(DispatchTime.now().uptimeNanoseconds - start) / 1e9
      lookLater(after: max(Self.lookInterval.least, Self.lookInterval.factor * taken))
    }
  }

  /// Has these sessions listed too.
  func include(_ sessions: [String]) {
    queue.async { [self] in
      for session in sessions { _ = try? library.add(session, beside: nil) }
    }
  }

  /// What has been read since it was last asked.
  func take() -> [Action] {
    let grown = grown.take().map { Action.runGrew(path: $0.path, $0.records) }
    return found.withLock { found in
      defer { found = [] }
      return found + grown
    }
  }

  /// Lists the sessions of the folder in which `session` lies and of those named since, as they
  /// are read.
  func list(beside session: String?) {
    // Who asks while a list is still to be begun has the same one.
    guard !isListDue.exchange(true, ordering: .acquiringAndReleasing) else { return }
    queue.async { [self] in
      isListDue.store(false, ordering: .releasing)
      postList(beside: session)
    }
  }

  /// Looks for runs in a folder or a file as a person typed it, too.
  func look(in place: String, beside session: String?) {
    queue.async { [self] in
      do throws(RunError) {
        let found = try library.add(place, beside: session)
        postList(beside: session)
        let count = "\(found.count) run\(found.count == 1 ? "" : "s")"
        post(.runsChanged("\(count) in \(place)", at: found.first))
      } catch {
        post(.runsNotChanged(reason: error.description))
        postList(beside: session)
      }
    }
  }

  /// Changes a run's files, and lists what there is then.
  func make(_ edit: RunEdit, beside session: String?) {
    guard roster?.run(at: edit.path) == nil else {
      return post(
        .runsNotChanged(reason: "another program's log is left as it is: import keeps it"))
    }
    queue.async { [self] in
      let answer: Action
      do throws(SessionError) {
        let (words, path) = try edit.perform()
        answer = .runsChanged(words, at: path)
      } catch {
        answer = .runsNotChanged(reason: error.description)
      }
      postList(beside: session)
      post(answer)
    }
  }

  private func postList(beside session: String?) {
    let logs = roster?.listed() ?? []
    let places = roster?.places.map(Invocation.shown) ?? []
    func withLogs(_ action: Action) -> Action {
      guard case .runsListed(let runs, let others) = action else { return action }
      return .runsListed(logs + runs, in: places + others)
    }
    let all = library.list(beside: session) {
      self.post(withLogs($0.action(beside: session)))
    }
    post(withLogs(all.action(beside: session)))
  }

  private func post(_ action: Action) {
    found.withLock { $0.append(action) }
  }

  func load(_ run: ListedRun) {
    queue.async { [self] in
      let action: Action
      do {
        action = .runLoaded(run, try readInTurn(path: run.path))
      } catch {
        action = .runNotLoaded(run, reason: "\(error)")
      }
      post(action)
    }
  }

  /// Has the run that was taken away from the charts no longer read.
  func drop(path: String) {
    queue.async { [self] in grown.drop(path: path) }
  }

  /// Has no run read on, for a screen on which none is drawn.
  func dropAll() {
    queue.async { [self] in grown.dropAll() }
  }

  /// All there is of a run, or of a line of it, after what was asked before; one that is still being
  /// written is followed from then on.
  func read(path: String) throws -> RunHistory {
    try queue.sync { try readInTurn(path: path) }
  }

  private func readInTurn(path: String) throws -> RunHistory {
    if let log = roster?.run(at: path) {
      return try grown.read(log, aliases: roster?.aliases ?? .usual)
    }
    return try grown.read(path: path)
  }
}
