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
  private static let followInterval = DispatchTimeInterval.seconds(1)

  private let found = Mutex<[Action]>([])
  /// Those that grow, by their paths; touched on the queue alone.
  private let followed = Mutex<[String: Follower]>([:])
  private let queue = DispatchQueue(label: "seismo.runs", qos: .userInitiated)

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
      found.withLock { $0.append(.runsListed(runs.map(ListedRun.init))) }
    }
  }

  func load(_ run: ListedRun) {
    queue.async { [self] in
      let action: Action
      do throws(SessionError) {
        action = .runLoaded(run, try follow(run.path))
      } catch {
        action = .runNotLoaded(run, reason: error.description)
      }
      found.withLock { $0.append(action) }
    }
  }

  /// Has the run that was taken away from the charts no longer read.
  func drop(path: String) {
    queue.async { [self] in followed.withLock { $0[path] = nil } }
  }

  private func follow(_ path: String) throws(SessionError) -> RunHistory {
    guard WriterLock.isHeld(session: path) else { return try Self.history(path: path) }
    var follower = try Follower(path: path)
    let history = try follower.history()
    let isFirst = followed.withLock { followed in
      defer { followed[path] = follower }
      return followed.isEmpty
    }
    if isFirst { readOnLater() }
    return history
  }

  private func readOnLater() {
    queue.asyncAfter(deadline: .now() + Self.followInterval) { [weak self] in self?.readOn() }
  }

  /// Reads what has come of the runs that grow; one that cannot be read just now is tried again.
  private func readOn() {
    let arrived = followed.withLock { followed in
      var arrived: [Action] = []
      for (path, var follower) in followed {
        let records = (try? follower.poll()) ?? []
        if !records.isEmpty { arrived.append(.runGrew(path: path, records)) }
        followed[path] = follower.writer == .writing ? follower : nil
      }
      return arrived
    }
    found.withLock { $0 += arrived }
    if followed.withLock({ !$0.isEmpty }) { readOnLater() }
  }

  static func history(path: String) throws(SessionError) -> RunHistory {
    try SessionReader(path: path).history()
  }
}

extension ListedRun {
  init(_ summary: SessionSummary) {
    self.init(
      path: URL(fileURLWithPath: summary.path).standardizedFileURL.path, steps: summary.steps,
      finalLoss: summary.finalLoss, traits: RunTraits(summary))
  }
}
