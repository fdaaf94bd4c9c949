import GRDB
package import Signals
package import Telemetry

/// What a list draws of a session: the course of its losses, what happened, its tags and notes.
package struct SessionOutline: Sendable {
  package private(set) var loss = CurveOutline()
  package private(set) var heldOut = CurveOutline()
  /// The losses of the abandoned lines from where they were left, in the order of
  /// ``SessionSummary/abandoned``.
  package private(set) var abandoned: [CurveOutline] = []
  /// Alarms and what was done about them, in the order in which they happened; of very many the
  /// last ones.
  package private(set) var events: [RunEvent] = []
  package private(set) var tags: [String] = []
  package private(set) var notes: [String] = []
  package private(set) var metrics: [MetricName] = []

  /// Beyond so many samples the summaries of a session are read instead of its samples.
  private static let mostSamplesRead = 100_000
  private static let mostEvents = 60

  /// - Throws: as ``SessionReader`` does.
  package init(_ summary: SessionSummary) throws(SessionError) {
    try self.init(summary, from: SessionReader(path: summary.path))
  }

  init(_ summary: SessionSummary, from reader: SessionReader) throws(SessionError) {
    let isLong = summary.steps > Self.mostSamplesRead
    try reader.read { database in
      if !isLong { try takeLines(of: summary, from: database) }
      events = try Self.events(in: database)
      notes = try Self.notes(in: database)
      tags = try SessionTags.read(from: database)
      metrics = try Row.fetchAll(database, sql: "SELECT name FROM metrics").compactMap { row in
        row.text(0).map { MetricName($0) }
      }
    }
    guard isLong else { return }
    let history = try reader.history()
    loss = CurveOutline(of: history[MetricCatalog.loss] ?? Series())
    heldOut = CurveOutline(of: history[MetricCatalog.evalLoss] ?? Series(), reach: 0)
    abandoned = summary.abandoned.map { _ in CurveOutline() }
  }

  private mutating func takeLines(
    of summary: SessionSummary, from database: Database
  ) throws {
    let starts = try LineDigest.starts(in: database)
    let losses = try GenerationColumns(of: MetricCatalog.loss, in: database)
    let evaluations = try GenerationColumns(of: MetricCatalog.evalLoss, in: database)
    func curve(
      _ columns: GenerationColumns, _ line: SessionLine, reach: Double = 0.01
    ) -> CurveOutline {
      let whole = columns.line(through: line.number - 1, starts: starts)
      var series = Series(steps: whole.steps, values: whole.values)
      if let start = line.leftAt { series = series.cut(from: start) }
      return CurveOutline(of: series, reach: reach)
    }
    loss = curve(losses, summary.newest)
    heldOut = curve(evaluations, summary.newest, reach: 0)
    abandoned = summary.abandoned.map { curve(losses, $0) }
  }

  private static func events(in database: Database) throws -> [RunEvent] {
    let rows = try Row.fetchAll(
      database,
      sql: """
        SELECT body FROM events WHERE kind IN
        ('alarm', 'calm', 'set', 'note', 'rewind', 'branch', 'diverged', 'fault')
        ORDER BY id DESC LIMIT \(mostEvents)
        """)
    return rows.reversed().compactMap { row in
      row.text(0).flatMap { try? JSONText.decode(RunEvent.self, from: $0) }
    }
  }

  private static func notes(in database: Database) throws -> [String] {
    let notes = "SELECT body FROM events WHERE kind = '\(RunEvent.Kind.note.rawValue)' ORDER BY id"
    return try Row.fetchAll(database, sql: notes).compactMap { row in
      row.text(0).flatMap { try? JSONText.decode(RunEvent.self, from: $0) }?.text
    }
  }
}
