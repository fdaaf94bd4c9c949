import Dashboard
import Dispatch
import Foundation
import Sessions
import Signals
import Synchronization
import Telemetry

/// The recorded runs beside the one on screen, read where they hold no frame up. What is laid over
/// the charts and still grows is followed.
final class RunShelf: Sendable {
  private struct Followed {
    /// Those that grow, by their paths.
    var runs: [String: Follower] = [:]
    var isDue = false
  }

  private let interval: DispatchTimeInterval
  private let found = Mutex<[Action]>([])
  private let followed = Mutex(Followed())
  private let queue = DispatchQueue(label: "seismo.runs", qos: .userInitiated)

  /// Runs that grow are read on every `interval`.
  init(interval: DispatchTimeInterval = .seconds(1)) {
    self.interval = interval
  }

  /// What has been read since it was last asked.
  func take() -> [Action] {
    found.withLock { found in
      defer { found = [] }
      return found
    }
  }

  /// Lists the sessions of the folder in which `session` lies, without that one.
  func list(beside session: String?) {
    queue.async { [self] in
      let path = session ?? ""
      let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
      let name = session == nil ? "sessions" : folder.path
      let own = URL(fileURLWithPath: path).standardizedFileURL.path
      let summaries = (try? SessionSummary.sessions(in: name)) ?? []
      let runs = summaries.filter {
        $0.flaw == nil && URL(fileURLWithPath: $0.path).standardizedFileURL.path != own
      }
      let lines = summaries.filter { $0.flaw == nil }.flatMap(ListedRun.abandoned)
      found.withLock { $0.append(.runsListed(runs.map(ListedRun.init) + lines)) }
    }
  }

  func load(_ run: ListedRun) {
    queue.async { [self] in
      let action: Action
      do throws(SessionError) {
        action = .runLoaded(run, try read(path: run.path))
      } catch {
        action = .runNotLoaded(run, reason: error.description)
      }
      found.withLock { $0.append(action) }
    }
  }

  /// Has the run that was taken away from the charts no longer read.
  func drop(path: String) {
    queue.async { [self] in followed.withLock { $0.runs[path] = nil } }
  }

  /// All there is of a run, or of a line of it, here and now; one that is still being written is
  /// followed from then on.
  func read(path: String) throws(SessionError) -> RunHistory {
    let reference = try SessionReference(path)
    if let line = reference.line {
      return try SessionReader(path: reference.path).history(line: line)
    }
    guard WriterLock.isHeld(session: path) else { return try SessionReader(path: path).history() }
    var follower = try Follower(path: path)
    let history = try follower.history()
    followed.withLock { $0.runs[path] = follower }
    readOnLater()
    return history
  }

  /// Sees to it that runs that grow are read on once, however many ask for it.
  private func readOnLater() {
    let isMine = followed.withLock { followed in
      guard !followed.isDue, !followed.runs.isEmpty else { return false }
      followed.isDue = true
      return true
    }
    guard isMine else { return }
    queue.asyncAfter(deadline: .now() + interval) { [weak self] in self?.readOn() }
  }

  /// Reads what has come of the runs that grow; one that cannot be read just now is tried again.
  private func readOn() {
    let arrived = followed.withLock { followed in
      followed.isDue = false
      var arrived: [Action] = []
      for (path, var follower) in followed.runs {
        let records = (try? follower.poll()) ?? []
        if !records.isEmpty { arrived.append(.runGrew(path: path, records)) }
        followed.runs[path] = follower.writer == .writing ? follower : nil
      }
      return arrived
    }
    found.withLock { $0 += arrived }
    readOnLater()
  }
}

extension ListedRun {
  init(_ summary: SessionSummary) {
    self.init(
      path: URL(fileURLWithPath: summary.path).standardizedFileURL.path, steps: summary.steps,
      finalLoss: summary.judgedLoss, traits: RunTraits(summary))
  }

  /// The lines that a run left, to be laid over the charts like other runs.
  static func abandoned(_ summary: SessionSummary) -> [ListedRun] {
    summary.abandoned.map { line in
      let reference = SessionReference(
        path: URL(fileURLWithPath: summary.path).standardizedFileURL.path, line: line.number)
      var traits = RunTraits()
      traits.name = reference.name
      traits.state = "abandoned"
      traits.options = summary.options
      return ListedRun(
        path: reference.path + reference.suffix, steps: line.steps, finalLoss: line.judgedLoss,
        traits: traits)
    }
  }
}
