/// How a recorder stands with the disk.
package enum RecorderStatus: Equatable, Sendable {
  case ok
  /// The last commit failed; the records are kept in memory and tried again with each commit.
  case waiting(reason: FileObstacle, pendingRecords: Int)

  /// One line for the screen; nil where there is nothing to say.
  package var text: String? {
    switch self {
    case .ok: nil
    case .waiting(let reason, let records):
      "not recorded yet, \(reason): \(records) records wait in memory"
    }
  }
}
