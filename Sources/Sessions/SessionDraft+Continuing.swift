import Formats
import GRDB
import Telemetry

extension SessionDraft {
  /// Goes on where the session in `store` ends: its tail becomes the open end of the columns again.
  init(continuing store: SessionStore) throws(SessionError) {
    self.init()
    do {
      try store.database.read { database in
        try loadStructure(from: database, path: store.path)
        try loadUnsummed(from: database)
        try loadLastSamples(from: database)
        try loadTail(from: database)
      }
    } catch {
      throw SessionError(writing: store.path, error)
    }
  }

  private mutating func loadStructure(from database: Database, path: String) throws {
    let metrics = try Row.fetchAll(
      database, sql: "SELECT id, name, checksum FROM metrics ORDER BY id")
    for row in metrics {
      guard let name = row.text(1), row.integer(0) == columns.count + 1,
        row.integer(2) == Checksum.of(name, columns.count + 1)
      else { throw SessionError.damaged(path: path, what: "its table of metrics has a gap") }
      columnIndices[MetricName(name)] = columns.count
      columns.append(Column(metric: columns.count + 1, name: MetricName(name)))
    }
    let newest = "SELECT id, starting_step FROM generations ORDER BY id DESC LIMIT 1"
    if let row = try Row.fetchOne(database, sql: newest), let number = row.integer(0) {
      generation = Generation(number: number, startingStep: row.integer(1) ?? 0)
    }
    let ends = """
      SELECT metric, generation, max(start + count), max(last_step) FROM chunks GROUP BY 1, 2
      """
    for row in try Row.fetchAll(database, sql: ends) {
      guard let metric = row.integer(0), columns.indices.contains(metric - 1),
        let end = row.integer(2)
      else { continue }
      columns[metric - 1].start = max(columns[metric - 1].start, end)
      if row.integer(1) == generation?.number, let last = row.integer(3) {
        lastStep = max(lastStep ?? last, last)
      }
    }
  }

  /// The chunks of the present generation that no row of summaries holds.
  private mutating func loadUnsummed(from database: Database) throws {
    guard let generation else { return }
    let ends = try database.cachedStatement(
      sql: "SELECT max(last_step) FROM summaries WHERE metric = ? AND generation = ?")
    let chunks = try database.cachedStatement(
      sql: "\(ChunkRow.query) WHERE metric = ? AND generation = ? AND first_step > ? ORDER BY id")
    for index in columns.indices {
      let metric = columns[index].metric
      let ended = try Row.fetchOne(ends, arguments: [metric, generation.number])?.integer(0)
      let rows = try Row.fetchAll(chunks, arguments: [metric, generation.number, ended ?? .min])
      for row in rows {
        guard case .piece(let piece) = ChunkRow.read(row) else { continue }
        columns[index].unsummed.append(ChunkSummary(of: piece.chunk, start: piece.start))
        guard columns[index].unsummed.count == SummaryRow.capacity else { continue }
        closeSummaries(ofColumn: index)
      }
    }
  }

  /// The last sample of each column that is in a chunk.
  private mutating func loadLastSamples(from database: Database) throws {
    guard let generation else { return }
    let statement = try database.cachedStatement(
      sql: """
        \(ChunkRow.query) WHERE metric = ? AND generation = ? ORDER BY start DESC LIMIT 1
        """)
    for index in columns.indices {
      let row = try Row.fetchOne(
        statement, arguments: [columns[index].metric, generation.number])
      guard let row, case .piece(let piece) = ChunkRow.read(row),
        let step = piece.chunk.steps.last, let value = piece.chunk.values.last
      else { continue }
      columns[index].last = StepValue(step: step, value: value)
    }
  }

  private mutating func loadTail(from database: Database) throws {
    let rows = try Row.fetchAll(
      database, sql: "SELECT sequence, bytes, checksum FROM tail ORDER BY sequence")
    for row in rows {
      for piece in TailRow.checked(row) ?? [] where columns.indices.contains(piece.metric - 1) {
        tailedSamples += piece.chunk.steps.count
        reopen(piece)
      }
    }
  }

  private mutating func reopen(_ piece: ColumnPiece) {
    let index = piece.metric - 1
    let end = columns[index].start + columns[index].steps.count
    guard piece.generation == generation?.number, let rest = piece.dropping(before: end) else {
      return
    }
    // A damaged row before this one left a gap: the numbering goes on behind it.
    if rest.start > end {
      if !columns[index].steps.isEmpty { closeChunk(ofColumn: index) }
      columns[index].start = rest.start
    }
    for (step, value) in zip(rest.chunk.steps, rest.chunk.values) {
      append(step: step, value: value, toColumn: index)
    }
    columns[index].tailed = columns[index].steps.count
    if let last = rest.chunk.steps.last { lastStep = max(lastStep ?? last, last) }
  }
}
