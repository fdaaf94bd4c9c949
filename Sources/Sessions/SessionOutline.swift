import GRDB
package import Signals
package import Telemetry

/// What a list draws of a session: the course of its losses, what happened, its tags and notes.
package struct SessionOutline: Sendable {
  package private(set) var loss = CurveOutline()
  package private(set) var heldOut = CurveOutline()
  package private(set) var lastHeldOut: Measured?
  package private(set) var bestHeldOut: Measured?
  /// The losses of the lines that the run went back from, the oldest first.
  package private(set) var abandoned: [CurveOutline] = []
  /// Alarms and what was done about them, in the order in which they happened; of very many the
  /// last ones.
  package private(set) var events: [RunEvent] = []
  package private(set) var tags: [String] = []
  package private(set) var notes: [String] = []
  package private(set) var metrics: [MetricName] = []

  /// A value and the step at which it was measured.
  package struct Measured: Sendable, Hashable {
    package var step: Int
    package var value: Double
  }

  /// Beyond so many samples the summaries of a session are read instead of its samples.
  private static let mostSamplesRead = 100_000

  /// - Throws: as ``SessionReader`` does.
  package init(path: String) throws(SessionError) {
    let reader = try SessionReader(path: path)
    let history = try Self.losses(reader)
    loss = CurveOutline(of: history[MetricCatalog.loss] ?? Series())
    takeHeldOut(history[MetricCatalog.evalLoss] ?? Series())
    abandoned = (history.superseded[MetricCatalog.loss] ?? []).map { CurveOutline(of: $0) }
    try reader.read { database in
      events = try Self.events(in: database)
      notes = try Self.notes(in: database)
      tags = try SessionTags.read(from: database)
      metrics = try Row.fetchAll(database, sql: "SELECT name FROM metrics").compactMap { row in
        row.text(0).map { MetricName($0) }
      }
    }
  }

  private mutating func takeHeldOut(_ series: Series) {
    heldOut = CurveOutline(of: series, reach: 0)
    let measured = zip(series.steps, series.values).map { Measured(step: $0, value: $1) }
    lastHeldOut = measured.last
    bestHeldOut = measured.filter(\.value.isFinite).min { $0.value < $1.value }
  }

  /// A history of the losses alone.
  private static func losses(_ reader: SessionReader) throws(SessionError) -> RunHistory {
    let names = [MetricCatalog.loss, MetricCatalog.evalLoss]
    let found = try reader.read { database -> RunHistory? in
      let metrics = try names.compactMap { name in
        try SessionDigest.metric(name, in: database).map { (name, $0) }
      }
      let numbers = metrics.map { "\($0.1)" }.joined(separator: ", ")
      let count = try Row.fetchOne(
        database, sql: "SELECT coalesce(sum(count), 0) FROM chunks WHERE metric IN (\(numbers))")
      guard count?.integer(0) ?? 0 <= mostSamplesRead else { return nil }
      return try history(of: metrics, in: database)
    }
    if let found { return found }
    return try reader.history()
  }

  private static func history(
    of metrics: [(name: MetricName, number: Int)], in database: Database
  ) throws -> RunHistory {
    let pieces = try pieces(of: metrics.map(\.number), in: database)
    let generations = try Row.fetchAll(
      database, sql: "SELECT id, starting_step FROM generations ORDER BY id")
    let starts = generations.compactMap { row in
      row.integer(0).flatMap { number in row.integer(1).map { (number, $0) } }
    }
    var history = RunHistory()
    for (number, start) in starts {
      if number > 0 { history.append(.generation(startingAt: start)) }
      for (name, metric) in metrics {
        var column = MetricColumn(name: name, steps: [], values: [])
        for piece in pieces where piece.generation == number && piece.metric == metric {
          column.steps += piece.chunk.steps
          column.values += piece.chunk.values
        }
        if !column.steps.isEmpty { history.append(.column(column)) }
      }
    }
    return history
  }

  /// Every sample once, in order; what is damaged is left out.
  private static func pieces(of metrics: [Int], in database: Database) throws -> [ColumnPiece] {
    let numbers = metrics.map { "\($0)" }.joined(separator: ", ")
    let rows = try Row.fetchAll(database, sql: "\(ChunkRow.query) WHERE metric IN (\(numbers))")
    var pieces = rows.compactMap { row -> ColumnPiece? in
      guard case .piece(let piece) = ChunkRow.read(row) else { return nil }
      return piece
    }
    let tail = try Row.fetchCursor(database, sql: "SELECT sequence, bytes, checksum FROM tail")
    while let row = try tail.next() {
      pieces += (TailRow.checked(row) ?? []).filter { metrics.contains($0.metric) }
    }
    var ends: [Int: Int] = [:]
    return pieces.sorted { $0.start < $1.start }.compactMap { piece in
      let rest = piece.dropping(before: ends[piece.metric] ?? 0)
      if let rest { ends[piece.metric] = rest.end }
      return rest
    }
  }

  private static let mostEvents = 60

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
