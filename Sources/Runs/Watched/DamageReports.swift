import Foundation
import Synchronization
package import Telemetry

/// What of a recording turned out to be lost while it was looked at.
package final class DamageReports: Sendable {
  private let found = Mutex<[RecordingDamage]>([])

  package init() {}

  package func add(_ damage: RecordingDamage) {
    found.withLock { $0.append(damage) }
  }

  /// What has come since the last call, as records.
  package func records() -> [RunRecord] {
    take().map { .damage($0, wallTime: Date().timeIntervalSince1970) }
  }

  /// What has come since the last call.
  package func take() -> [RecordingDamage] {
    found.withLock { found in
      defer { found = [] }
      return found
    }
  }
}
