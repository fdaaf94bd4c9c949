import GRDB
package import Telemetry

extension RunTraits {
  /// The traits of a session; of one that cannot be read those of its line in the list.
  package init(_ summary: SessionSummary) {
    self.init()
    name = summary.name
    state = summary.word
    alarms = summary.alarms
    if summary.flaw == nil {
      numbers = [
        .steps: Double(summary.steps), .alarms: Double(summary.alarms), .length: summary.seconds,
      ]
      numbers[.loss] = summary.judgedLoss
    }
    numbers[.size] = Double(summary.bytes)
    options = summary.options
    environment = summary.environment
    guard let reader = try? SessionReader(path: summary.path),
      let read = try? reader.read({ (try Self.notes(in: $0), try Self.metrics(in: $0)) })
    else { return }
    (notes, metrics) = read
  }

  private static func notes(in database: Database) throws -> [String] {
    let notes = "SELECT body FROM events WHERE kind = '\(RunEvent.Kind.note.rawValue)'"
    return try Row.fetchAll(database, sql: notes).compactMap { row in
      row.text(0).flatMap { try? JSONText.decode(RunEvent.self, from: $0) }?.text
    }
  }

  private static func metrics(in database: Database) throws -> [MetricName] {
    try Row.fetchAll(database, sql: "SELECT name FROM metrics").compactMap { row in
      row.text(0).map { MetricName($0) }
    }
  }
}
