import GRDB
package import Telemetry

extension RunTraits {
  /// The traits of a session; of one that cannot be read those of its line in the list.
  package init(_ summary: SessionSummary) {
    self.init()
    if let reader = try? SessionReader(path: summary.path),
      let traits = try? reader.read({ try Self.traits(in: $0) })
    {
      self = traits
    } else {
      options = summary.options
    }
    name = summary.name
    state = summary.word
    alarms = summary.alarms
  }

  private static func traits(in database: Database) throws -> RunTraits {
    var traits = RunTraits()
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
