import Foundation
import Synchronization
package import Telemetry

/// What of a recording turned out to be lost while it was looked at.
package final class DamageReports: Sendable {
  private let lines = Mutex<[String]>([])

  package init() {}

  package func add(_ line: String) {
    lines.withLock { $0.append(line) }
  }

  /// What has come since the last call, as the console tells it.
  package func records() -> [RunRecord] {
    take().map { .console(wallTime: Date().timeIntervalSince1970, line: $0) }
  }

  /// What has come since the last call.
  package func take() -> [String] {
    lines.withLock { lines in
      defer { lines = [] }
      return lines
    }
  }
}
