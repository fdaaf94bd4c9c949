import GRDB
package import Telemetry

/// What a session can be found by, beside the figures of its line in the list.
package struct SessionTraits: Sendable {
  package var options: [String: String] = [:]
  package var environment: [String: String] = [:]
  package var notes: [String] = []
  package var metrics: [MetricName] = []

  package init() {}

  /// The traits of the session at `path`; none of one that cannot be read.
  package init(path: String) {
    guard let reader = try? SessionReader(path: path) else { return }
    let traits = try? reader.read { try Self.traits(in: $0) }
    self = traits ?? SessionTraits()
  }

  private static func traits(in database: Database) throws -> SessionTraits {
    var traits = SessionTraits()
    let description = try SessionDigest(database: database).description
    traits.options = description?.options ?? [:]
    traits.environment = description?.environment ?? [:]
    let notes = "SELECT body FROM events WHERE kind = '\(RunEvent.Kind.note.rawValue)'"
    traits.notes = try Row.fetchAll(database, sql: notes).compactMap { row in
      row.text(0).flatMap { try? JSONText.decode(RunEvent.self, from: $0) }?.text
    }
    traits.metrics = try Row.fetchAll(database, sql: "SELECT name FROM metrics").compactMap { row in
      row.text(0).map { MetricName($0) }
    }
    return traits
  }
}
