import GRDB
import Telemetry

/// The few values of a session that a list shows, read without reading the session.
struct SessionDigest {
  struct Sample {
    let step: Int
    let value: Double
  }

  private(set) var description: RunDescription?
  private(set) var state: StoredState?
  private(set) var alarms = 0
  private(set) var lastLoss: Sample?
  private(set) var firstWallTime: Sample?
  private(set) var lastWallTime: Sample?

  init(database: Database) throws {
    description = try Self.document(.description, in: database)
    state = try Self.document(.state, in: database)
    let count = "SELECT count(*) FROM events WHERE kind = '\(RunEvent.Kind.alarm.rawValue)'"
    alarms = try Row.fetchOne(database, sql: count)?.integer(0) ?? 0
    lastLoss = try Self.last(of: MetricCatalog.loss, in: database)
    firstWallTime = try Self.first(of: MetricColumn.wallTime, in: database)
    lastWallTime = try Self.last(of: MetricColumn.wallTime, in: database)
  }

  private static func document<Value: Decodable>(
    _ document: SessionDocument, in database: Database
  ) throws -> Value? {
    let row = try Row.fetchOne(
      database, sql: "SELECT body FROM documents WHERE name = ?", arguments: [document.rawValue])
    guard let body = row?.text(0) else { return nil }
    return try? JSONText.decode(Value.self, from: body)
  }

  private static func last(of name: MetricName, in database: Database) throws -> Sample? {
    let pieces = try ends(of: name, in: database, order: "DESC")
    guard let last = pieces.max(by: { $0.end < $1.end })?.chunk, let step = last.steps.last,
      let value = last.values.last
    else { return nil }
    return Sample(step: step, value: value)
  }

  private static func first(of name: MetricName, in database: Database) throws -> Sample? {
    let pieces = try ends(of: name, in: database, order: "ASC")
    guard let first = pieces.min(by: { $0.start < $1.start })?.chunk, let step = first.steps.first,
      let value = first.values.first
    else { return nil }
    return Sample(step: step, value: value)
  }

  /// The outermost stretches of a metric in chunks and in the tail.
  private static func ends(
    of name: MetricName, in database: Database, order: String
  ) throws -> [ColumnPiece] {
    guard let metric = try metric(name, in: database) else { return [] }
    return [
      try chunk(of: metric, in: database, order: order),
      try tailPiece(of: metric, in: database, order: order),
    ].compactMap { $0 }
  }

  private static func metric(_ name: MetricName, in database: Database) throws -> Int? {
    try Row.fetchOne(
      database, sql: "SELECT id FROM metrics WHERE name = ?", arguments: [name.path])?.integer(0)
  }

  private static func chunk(
    of metric: Int, in database: Database, order: String
  ) throws -> ColumnPiece? {
    let query = """
      SELECT generation, start, bytes FROM chunks JOIN payloads ON chunk = id WHERE metric = ?
      ORDER BY generation \(order), first_step \(order) LIMIT 1
      """
    guard let row = try Row.fetchOne(database, sql: query, arguments: [metric]),
      let generation = row.integer(0), let start = row.integer(1), (0..<1 << 48).contains(start),
      let chunk = row.bytes(2).flatMap({ ColumnChunk(encoded: $0) })
    else { return nil }
    return ColumnPiece(metric: metric, generation: generation, start: start, chunk: chunk)
  }

  private static func tailPiece(
    of metric: Int, in database: Database, order: String
  ) throws -> ColumnPiece? {
    let rows = try Row.fetchCursor(
      database, sql: "SELECT sequence, bytes, checksum FROM tail ORDER BY sequence \(order)")
    while let row = try rows.next() {
      let piece = TailRow.checked(row)?.first { $0.metric == metric }
      if let piece { return piece }
    }
    return nil
  }
}
