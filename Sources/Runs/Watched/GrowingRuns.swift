package import Dispatch
package import Formats
package import Sessions
package import Signals
import Synchronization
package import Telemetry

/// Runs that are read whole, and on for as long as they are written.
package final class GrowingRuns: Sendable {
  package struct Growth: Sendable {
    package let path: String
    package let records: [RunRecord]
  }

  private struct Content {
    /// Those that grow, by their paths.
    var runs: [String: Follower] = [:]
    var logs: [String: FollowedLog] = [:]
    var isDue = false
    var growth: [Growth] = []
  }

  private let interval: DispatchTimeInterval
  private let content = Mutex(Content())
  private let queue: DispatchQueue

  /// Runs that grow are read on every `interval`, on `queue`: who reads one there hands it on before
  /// anything comes of its growth.
  package init(interval: DispatchTimeInterval, on queue: DispatchQueue) {
    self.interval = interval
    self.queue = queue
  }

  /// What has come since it was last asked.
  package func take() -> [Growth] {
    content.withLock { content in
      defer { content.growth = [] }
      return content.growth
    }
  }

  /// All there is of a run, or of a line of it, here and now; one that is still being written is
  /// followed from then on.
  package func read(path: String) throws(SessionError) -> RunHistory {
    let reference = try SessionReference(path)
    if let line = reference.line {
      return try SessionReader(path: reference.path).history(line: line)
    }
    guard WriterLock.isHeld(session: path) else { return try SessionReader(path: path).history() }
    var follower = try Follower(path: path)
    let history = try follower.history()
    content.withLock { $0.runs[path] = follower }
    readOnLater()
    return history
  }

  /// All there is of a run that another program logs, which is followed from then on.
  package func read(_ run: LoggedRun, aliases: MetricAliases) throws -> RunHistory {
    let history = try content.withLock { content in
      let log = FollowedLog(run, aliases: aliases)
      let history = try log.history()
      content.logs[run.key] = log
      return history
    }
    readOnLater()
    return history
  }

  /// Has a run no longer read on: a session by its path, a log by its key.
  package func drop(path: String) {
    content.withLock { content in
      content.runs[path] = nil
      content.logs[path] = nil
    }
  }

  package func dropAll() {
    content.withLock { content in
      content.runs = [:]
      content.logs = [:]
    }
  }

  /// Sees to it that runs that grow are read on once, however many ask for it.
  private func readOnLater() {
    let isMine = content.withLock { content in
      guard !content.isDue, !content.runs.isEmpty || !content.logs.isEmpty else { return false }
      content.isDue = true
      return true
    }
    guard isMine else { return }
    queue.asyncAfter(deadline: .now() + interval) { [weak self] in self?.readOn() }
  }

  /// Reads what has come of the runs that grow; one that cannot be read just now is tried again.
  private func readOn() {
    content.withLock { content in
      content.isDue = false
      for (path, var follower) in content.runs {
        let records = (try? follower.poll()) ?? []
        if !records.isEmpty { content.growth.append(Growth(path: path, records: records)) }
        content.runs[path] = follower.writer == .writing ? follower : nil
      }
      for (path, log) in content.logs {
        for case .records(let records) in log.updates(budget: 1 << 16) {
          content.growth.append(Growth(path: path, records: records))
        }
      }
    }
    readOnLater()
  }
}
