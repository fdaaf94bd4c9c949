import Formats
import GRDB
import Signals
import Synchronization
import Telemetry

/// Fetches from a session what archived columns are asked for.
final class SessionArchive: Sendable {
  private let reader: ArchiveReader
  private let cache = ChunkCache()
  private let damage: @Sendable (RecordingDamage) -> Void

  init(reader: ArchiveReader, damage: @escaping @Sendable (RecordingDamage) -> Void) {
    self.reader = reader
    self.damage = damage
  }

  /// A stretch of a metric in one generation that rows of summaries hold.
  fileprivate struct Stretch {
    let metric: Int
    let generation: Int
    let count: Int
    let firstStep: Int
    let lastStep: Int
    /// The number of the metric's next sample.
    let end: Int
  }

  /// What a session holds, its archived stretches named and not read.
  struct Contents {
    fileprivate let stretches: [Stretch]
    fileprivate let names: [Int: MetricName]
    var findings: SessionCursor.Findings
    /// Where reading goes on as the session grows.
    let cursor: SessionCursor
  }

  /// nil where a metric went back by itself, where the file has no summaries, or not of all that lies before the newest generation.
  func contents(of database: Database) throws -> Contents? {
    let version = try Migrations.userVersion(database)
    guard version >= 2 else { return nil }
    // A column's steps ascend only where its metric never went back by itself.
    if version >= 4, try Row.fetchOne(database, sql: "SELECT 1 FROM restarts LIMIT 1") != nil {
      return nil
    }
    let stretches = try stretches(in: database)
    guard !stretches.isEmpty, try !hasOldLooseChunks(database, stretches) else { return nil }
    var cursor = SessionCursor()
    for stretch in stretches {
      cursor.nextSamples[stretch.metric] = max(
        cursor.nextSamples[stretch.metric] ?? 0, stretch.end)
    }
    let loose = try looseChunks(in: database, stretches)
    let findings = try cursor.find(in: database, loose: loose)
    return Contents(
      stretches: stretches, names: try metricNames(in: database), findings: findings,
      cursor: cursor)
  }

  /// Must not be called within a reading: a history may look into its columns as it is made.
  func history(of contents: Contents) -> RunHistory {
    let findings = contents.findings
    let stretches = Dictionary(grouping: contents.stretches, by: \.generation)
    var history = RunHistory(findings.documents)
    for (number, records) in findings.generations {
      var records = records[...]
      if case .generation = records.first, let first = records.popFirst() { history.append(first) }
      let columns = (stretches[number] ?? []).compactMap { stretch in
        contents.names[stretch.metric].map { (name: $0, samples: column(stretch, $0)) }
      }
      history.append(columns)
      history.append(contentsOf: records)
    }
    history.append(contentsOf: findings.ending)
    return history
  }

  private func stretches(in database: Database) throws -> [Stretch] {
    let query = """
      SELECT metric, generation, sum(count), min(first_step), max(last_step), max(start + count)
      FROM summaries GROUP BY metric, generation ORDER BY generation, metric
      """
    let chunks = try Row.fetchOne(database, sql: "SELECT max(id) FROM chunks")?.integer(0) ?? 0
    return try Row.fetchAll(database, sql: query).compactMap { row in
      // Rows are checked when they are read; until then a damaged number must do no harm.
      let numbers = (0...5).compactMap { row.integer($0) }
      guard numbers.count == 6, numbers.allSatisfy({ $0.magnitude < 1 << 48 }), numbers[2] > 0,
        numbers[2] / ColumnChunk.capacity <= chunks, numbers[3] <= numbers[4]
      else { return nil }
      return Stretch(
        metric: numbers[0], generation: numbers[1], count: numbers[2], firstStep: numbers[3],
        lastStep: numbers[4], end: numbers[5])
    }
  }

  private func metricNames(in database: Database) throws -> [Int: MetricName] {
    try Row.fetchAll(database, sql: "SELECT id, name, checksum FROM metrics")
      .reduce(into: [:]) { names, row in
        guard let metric = row.integer(0), let name = row.text(1),
          row.integer(2) == Checksum.of(name, metric)
        else { return }
        names[metric] = MetricName(name)
      }
  }

  private func newestGeneration(in database: Database) throws -> Int {
    try Row.fetchOne(database, sql: "SELECT max(id) FROM generations")?.integer(0) ?? 0
  }

  /// Whether an older generation has chunks that lie behind its summaries, as a file of the first
  /// format has that was written on.
  private func hasOldLooseChunks(_ database: Database, _ stretches: [Stretch]) throws -> Bool {
    let newest = try newestGeneration(in: database)
    guard newest > 0 else { return false }
    let sums = "SELECT coalesce(sum(count), 0) FROM"
    let stored = try Row.fetchOne(
      database, sql: "\(sums) chunks WHERE generation < ?", arguments: [newest])?.integer(0)
    return stored != stretches.filter { $0.generation < newest }.reduce(0) { $0 + $1.count }
  }

  /// The chunks of the newest generation that no row of summaries holds.
  private func looseChunks(in database: Database, _ stretches: [Stretch]) throws -> [Row] {
    let newest = try newestGeneration(in: database)
    let statement = try database.cachedStatement(
      sql: "\(ChunkRow.query) WHERE metric = ? AND generation = ? AND first_step > ? ORDER BY id")
    let ends = Dictionary(
      stretches.filter { $0.generation == newest }.map { ($0.metric, $0.lastStep) },
      uniquingKeysWith: { first, _ in first })
    return try metricNames(in: database).keys.sorted().flatMap { metric in
      try Row.fetchAll(statement, arguments: [metric, newest, ends[metric] ?? .min])
    }
  }

  private func column(_ stretch: Stretch, _ name: MetricName) -> ArchivedColumn {
    ArchivedColumn(
      count: stretch.count, firstStep: stretch.firstStep, lastStep: stretch.lastStep, cache: cache,
      readIndex: {
        let index = self.index(of: stretch)
        if index.chunks.reduce(0, { $0 + $1.count }) != stretch.count {
          self.tellLost(stretch.firstStep, stretch.lastStep, of: name)
        }
        return index
      },
      readChunk: { chunk in
        let samples = self.samples(of: chunk, stretch)
        if samples == nil { self.tellLost(chunk.firstStep, chunk.lastStep, of: name) }
        return samples
      })
  }

  private func tellLost(_ first: Int, _ last: Int, of name: MetricName) {
    damage(.steps(first: first, last: last, metric: name))
  }

  private func samples(
    of chunk: ArchivedColumn.Chunk, _ stretch: Stretch
  ) -> ArchivedColumn.Samples? {
    let row = try? reader.fetch { database in
      let statement = try database.cachedStatement(
        sql: "\(ChunkRow.query) WHERE metric = ? AND generation = ? AND first_step = ?")
      return try Row.fetchOne(
        statement, arguments: [stretch.metric, stretch.generation, chunk.firstStep])
    }
    guard let row, case .piece(let piece) = ChunkRow.read(row) else { return nil }
    return ArchivedColumn.Samples(steps: piece.chunk.steps, values: piece.chunk.values)
  }

  private func index(of stretch: Stretch) -> ArchivedColumn.Index {
    var index = ArchivedColumn.Index()
    try? reader.fetch { database in
      let statement = try database.cachedStatement(
        sql: """
          SELECT start, count, first_step, last_step, checksum, bytes FROM summaries
          WHERE metric = ? AND generation = ? AND start < ? ORDER BY start
          """)
      // What a session has gained since belongs to no stretch of this archive.
      let rows = try Row.fetchCursor(
        statement, arguments: [stretch.metric, stretch.generation, stretch.end])
      while let row = try rows.next() {
        guard let part = try part(row, stretch, database) else { continue }
        index.chunks += part.chunks
        index.blocks += part.blocks
      }
    }
    return index
  }

  /// What a row of summaries says; where it is damaged, what its chunks say themselves.
  private func part(
    _ row: Row, _ stretch: Stretch, _ database: Database
  ) throws -> ArchivedColumn.Index? {
    let numbers = (0...4).compactMap { row.integer($0) }
    guard numbers.count == 5, numbers.allSatisfy({ $0.magnitude < 1 << 48 }) else { return nil }
    let place = ChunkPlace(
      metric: stretch.metric, generation: stretch.generation, start: numbers[0],
      count: numbers[1], firstStep: numbers[2], lastStep: numbers[3])
    if let bytes = row.bytes(5), place.checksum(of: bytes) == numbers[4],
      let index = SummaryRow.decoded(bytes)
    {
      return index
    }
    let rows = try Row.fetchAll(
      database,
      sql: """
        \(ChunkRow.query) WHERE metric = ? AND generation = ? AND start BETWEEN ? AND ? ORDER BY id
        """,
      arguments: [
        stretch.metric, stretch.generation, place.start, place.start + place.count - 1,
      ])
    var index = ArchivedColumn.Index()
    for row in rows {
      switch ChunkRow.read(row) {
      case .piece(let piece): index.append(ChunkSummary(of: piece.chunk, start: piece.start))
      case .lost(let place): index.append(ChunkSummary(lost: place))
      case .unreadable: break
      }
    }
    return index
  }
}
