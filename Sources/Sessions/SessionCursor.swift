import Formats
import GRDB
import Signals
import Telemetry

/// How far a reader has read a session; each reading hands out what has come since.
///
/// What is damaged is left out and told; the rest is handed out.
struct SessionCursor {
  private var lastRows: [String: Int] = [:]
  private var lastGeneration = -1
  /// The number of the next sample of each metric.
  var nextSamples: [Int: Int] = [:]
  private var documents: [SessionDocument: String] = [:]
  private var damage: [RecordingDamage] = []

  /// What a reading found, in the order in which a history takes it.
  struct Findings {
    var documents: [RunRecord] = []
    var generations: [(number: Int, records: [RunRecord])] = []
    /// What was damaged, and the state.
    var ending: [RunRecord] = []

    var records: [RunRecord] { documents + generations.flatMap(\.records) + ending }
  }

  private struct Placed<Content> {
    let generation: Int
    let content: Content
  }

  /// - Complexity: the time of what is new, and of the table of metrics.
  mutating func read(from database: Database) throws -> [RunRecord] {
    try find(in: database).records
  }

  /// Takes the chunks in `loose` for new and all others for read, or else all that are new.
  mutating func find(in database: Database, loose: [Row]? = nil) throws -> Findings {
    damage = []
    let changed = try readDocuments(from: database)
    let metrics = try readMetrics(from: database)
    let generations = try readGenerations(from: database)
    var pieces: [ColumnPiece] = []
    if let loose {
      pieces = loose.compactMap { piece(of: $0, metrics: metrics) }
      lastRows["chunks"] = try Row.fetchOne(database, sql: "SELECT max(id) FROM chunks")?.integer(0)
    } else {
      pieces = try readChunks(from: database, metrics: metrics)
    }
    pieces += try readTail(from: database)
    let happenings = try readEvents(from: database) + readConsole(from: database)

    var found: [Int: [RunRecord]] = [:]
    for new in generations {
      found[new.number] = new.number > 0 ? [.generation(startingAt: new.startingStep)] : []
    }
    for placed in columns(of: pieces, metrics: metrics) + happenings {
      found[placed.generation, default: []].append(placed.content)
    }
    var findings = Findings(documents: changed.filter { !$0.isState })
    findings.generations = found.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    findings.ending = damage.map { .damage($0, wallTime: 0) }
    findings.ending += changed.filter(\.isState)
    return findings
  }

  private mutating func readDocuments(from database: Database) throws -> [RunRecord] {
    var records: [RunRecord] = []
    try eachRow(of: database, "SELECT name, body, checksum FROM documents", "documents") {
      cursor, row in
      guard let document = row.text(0).flatMap(SessionDocument.init(rawValue:)),
        let body = row.text(1)
      else { return cursor.tell(.entry("a row of documents")) }
      guard document != .tags, cursor.documents[document] != body else { return }
      cursor.documents[document] = body
      guard row.integer(2) == Checksum.of(body), let record = document.record(of: body) else {
        return cursor.tell(.entry("the \(document.rawValue)"))
      }
      records.append(record)
    }
    return records.sorted { $0.rank < $1.rank }
  }

  private mutating func readMetrics(from database: Database) throws -> [Int: MetricName] {
    var metrics: [Int: MetricName] = [:]
    try eachRow(of: database, "SELECT id, name, checksum FROM metrics", "metrics") { cursor, row in
      guard let metric = row.integer(0), let name = row.text(1),
        row.integer(2) == Checksum.of(name, metric)
      else {
        return cursor.tell(.entry("a metric's name"))
      }
      metrics[metric] = MetricName(name)
    }
    return metrics
  }

  private mutating func readGenerations(
    from database: Database
  ) throws -> [SessionDraft.Generation] {
    var generations: [SessionDraft.Generation] = []
    let query = """
      SELECT id, starting_step, checksum FROM generations WHERE id > \(lastGeneration) ORDER BY id
      """
    try eachRow(of: database, query, "generations") { cursor, row in
      guard let number = row.integer(0), let step = row.integer(1),
        row.integer(2) == Checksum.of("", number, step)
      else {
        return cursor.tell(.entry("a generation"))
      }
      cursor.lastGeneration = number
      generations.append(SessionDraft.Generation(number: number, startingStep: step))
    }
    return generations
  }

  private mutating func readChunks(
    from database: Database, metrics: [Int: MetricName]
  ) throws -> [ColumnPiece] {
    var pieces: [ColumnPiece] = []
    let query = "\(ChunkRow.query) WHERE id > \(lastRow("chunks")) ORDER BY id"
    try eachRow(of: database, query, "chunks", "chunks") { cursor, row in
      if let piece = cursor.piece(of: row, metrics: metrics) { pieces.append(piece) }
    }
    return pieces
  }

  private mutating func piece(of row: Row, metrics: [Int: MetricName]) -> ColumnPiece? {
    switch ChunkRow.read(row) {
    case .piece(let piece): return piece
    case .lost(let place):
      let metric = metrics[place.metric]
      tell(.steps(first: place.firstStep, last: place.lastStep, metric: metric))
    case .unreadable: tell(.entry("a chunk"))
    }
    return nil
  }

  private mutating func readTail(from database: Database) throws -> [ColumnPiece] {
    var pieces: [ColumnPiece] = []
    let query = """
      SELECT sequence, bytes, checksum FROM tail WHERE sequence > \(lastRow("tail"))
      ORDER BY sequence
      """
    try eachRow(of: database, query, "tail", "tail") { cursor, row in
      guard let found = TailRow.checked(row) else {
        return cursor.tell(.end)
      }
      pieces += found
    }
    return pieces
  }

  private mutating func readEvents(from database: Database) throws -> [Placed<RunRecord>] {
    var events: [Placed<RunRecord>] = []
    let query = """
      SELECT id, generation, body, checksum FROM events WHERE id > \(lastRow("events")) ORDER BY id
      """
    try eachRow(of: database, query, "events", "events") { cursor, row in
      guard let generation = row.integer(1), let body = row.text(2),
        row.integer(3) == Checksum.of(body, generation),
        let event = try? JSONText.decode(RunEvent.self, from: body)
      else { return cursor.tell(.entry("an event")) }
      events.append(Placed(generation: generation, content: .event(event)))
    }
    return events
  }

  private mutating func readConsole(from database: Database) throws -> [Placed<RunRecord>] {
    var lines: [Placed<RunRecord>] = []
    let query = """
      SELECT id, generation, body, checksum FROM console
      WHERE id > \(lastRow("console")) ORDER BY id
      """
    try eachRow(of: database, query, "console", "console") { cursor, row in
      guard let generation = row.integer(1), let body = row.text(2),
        row.integer(3) == Checksum.of(body, generation),
        let line = try? JSONText.decode(TimedLine.self, from: body)
      else { return cursor.tell(.entry("a console line")) }
      lines.append(
        Placed(
          generation: generation,
          content: .console(wallTime: line.wallTime, line: line.line)))
    }
    return lines
  }

  // What the tables share.

  private func lastRow(_ table: String) -> Int { lastRows[table] ?? 0 }

  private mutating func tell(_ found: RecordingDamage) {
    damage.append(found)
  }

  /// Goes through a table; where its pages are damaged what came before stands.
  private mutating func eachRow(
    of database: Database, _ query: String, _ what: String, _ counted: String? = nil,
    _ body: (inout SessionCursor, Row) -> Void
  ) throws {
    do {
      let rows = try Row.fetchCursor(database, sql: query)
      while let row = try rows.next() {
        if let counted, let id = row.integer(0) { lastRows[counted] = id }
        body(&self, row)
      }
    } catch let error as DatabaseError where error.resultCode == .SQLITE_CORRUPT {
      tell(.table(what))
    }
  }

  /// One column a metric and generation, in the order in which the metrics appeared: wall times
  /// come first. What stands twice or was read before is left out.
  private mutating func columns(
    of pieces: [ColumnPiece], metrics: [Int: MetricName]
  ) -> [Placed<RunRecord>] {
    var joined: [ColumnKey: MetricColumn] = [:]
    for piece in pieces.sorted(by: { $0.start < $1.start }) {
      guard let name = metrics[piece.metric] else { continue }
      let next = nextSamples[piece.metric] ?? 0
      guard let rest = piece.dropping(before: next) else { continue }
      if rest.start > next, damage.isEmpty {
        tell(.samples(first: next, last: rest.start - 1, metric: name))
      }
      nextSamples[piece.metric] = rest.end
      let key = ColumnKey(generation: rest.generation, metric: rest.metric)
      joined[key, default: MetricColumn(name: name, steps: [], values: [])].append(rest.chunk)
    }
    return joined.sorted { $0.key < $1.key }
      .map { Placed(generation: $0.key.generation, content: .column($0.value)) }
  }
}

private struct ColumnKey: Hashable, Comparable {
  let generation: Int
  let metric: Int

  static func < (left: ColumnKey, right: ColumnKey) -> Bool {
    (left.generation, left.metric) < (right.generation, right.metric)
  }
}

extension MetricColumn {
  fileprivate mutating func append(_ chunk: ColumnChunk) {
    steps += chunk.steps
    values += chunk.values
  }
}

extension SessionDocument {
  fileprivate func record(of body: String) -> RunRecord? {
    switch self {
    case .description:
      (try? JSONText.decode(RunDescription.self, from: body)).map { .description($0) }
    case .settings:
      (try? JSONText.decode([SettingDeclaration].self, from: body)).map { .settings($0) }
    case .state: (try? JSONText.decode(StoredState.self, from: body)).map { .state($0.state) }
    case .tags: nil
    }
  }
}

extension RunRecord {
  var isState: Bool {
    guard case .state = self else { return false }
    return true
  }

  /// The description before the settings.
  fileprivate var rank: Int {
    guard case .description = self else { return 1 }
    return 0
  }
}
