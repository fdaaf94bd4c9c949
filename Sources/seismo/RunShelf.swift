import Dashboard
import Dispatch
import Foundation
import Sessions
import Signals
import Synchronization
import Telemetry

/// The recorded runs beside the one on screen, read where they hold no frame up.
final class RunShelf: Sendable {
  private let found = Mutex<[Action]>([])
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
        action = .runLoaded(run, try Self.history(path: run.path))
      } catch {
        action = .runNotLoaded(run, reason: error.description)
      }
      found.withLock { $0.append(action) }
    }
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
