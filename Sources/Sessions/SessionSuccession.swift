import Formats
import Foundation
import GRDB
import Telemetry

/// How a session's run goes on where this process of it has ended.
package struct SessionSuccession: Sendable {
  private let last: [RunEvent]
  private let state: RunState
  private let folder: String

  /// - Throws: as ``SessionReader`` does.
  package init(session: String) throws(SessionError) {
    let reader = try SessionReader(path: session)
    folder = session.lastIndex(of: "/").map { String(session[...$0]) } ?? ""
    (last, state) = try reader.read { database in
      let rows = try Row.fetchAll(
        database, sql: "SELECT body FROM events ORDER BY id DESC LIMIT \(Self.lookedAt)")
      let row = try Row.fetchOne(database, sql: "SELECT body FROM documents WHERE name = 'state'")
      let state = row?.text(0).flatMap { try? JSONText.decode(StoredState.self, from: $0) }?.state
      return (
        rows.compactMap { $0.text(0).flatMap { try? JSONText.decode(RunEvent.self, from: $0) } },
        state ?? .starting
      )
    }
  }

  private static let lookedAt = 4
  /// Another process takes a detached run over within so many seconds, or it is not coming.
  private static let patience = 15.0

  /// Whether the run was detached a moment ago, so that another process is about to take it over.
  package var isBeingTakenOver: Bool {
    guard !state.isOver, let detach = last.first(where: { $0.kind == .detach }) else {
      return false
    }
    return abs(Date().timeIntervalSince1970 - detach.wallTime) < Self.patience
  }

  /// The session in which the run goes on after it branched off; nil where it did not.
  package var branch: String? {
    guard state.isOver, let event = last.first(where: { $0.kind == .branch && $0.by == "run" }),
      let name = event.name
    else { return nil }
    let path = folder + name + SessionSummary.ending
    return FileSystem.exists(path) ? path : nil
  }
}
