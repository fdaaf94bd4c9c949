import GRDB
import Telemetry

/// The samples of one metric as they lie in a session, a stretch a generation.
///
/// What is damaged is left out.
struct GenerationColumns {
  struct Stretch {
    var steps: [Int] = []
    var values: [Double] = []
  }

  private(set) var stretches: [Int: Stretch] = [:]

  /// Reads all samples of `name`, or those of the newest `chunks` chunks and the file's tail.
  init(of name: MetricName, newest chunks: Int? = nil, in database: Database) throws {
    let row = try Row.fetchOne(
      database, sql: "SELECT id FROM metrics WHERE name = ?", arguments: [name.path])
    guard let metric = row?.integer(0) else { return }
    let query = "\(ChunkRow.query) WHERE metric = ? ORDER BY start DESC LIMIT ?"
    let rows = try Row.fetchAll(database, sql: query, arguments: [metric, chunks ?? -1])
    var pieces = rows.compactMap { row -> ColumnPiece? in
      guard case .piece(let piece) = ChunkRow.read(row) else { return nil }
      return piece
    }
    let tail = try Row.fetchAll(
      database, sql: "SELECT sequence, bytes, checksum FROM tail ORDER BY sequence")
    for row in tail { pieces += (TailRow.checked(row) ?? []).filter { $0.metric == metric } }
    append(pieces)
  }

  /// What stands twice, in the tail and in a chunk, counts once. Where the metric went back by itself
  /// its newest samples stand.
  private mutating func append(_ pieces: [ColumnPiece]) {
    var next = 0
    for piece in pieces.sorted(by: { $0.start < $1.start }) {
      guard let rest = piece.dropping(before: next) else { continue }
      next = rest.end
      if let first = rest.chunk.steps.first {
        stretches[rest.generation]?.cut(from: first)
      }
      stretches[rest.generation, default: Stretch()].steps += rest.chunk.steps
      stretches[rest.generation, default: Stretch()].values += rest.chunk.values
    }
  }

  /// The samples as they were when generation `number` ended: of those before it what the later
  /// ones left. `starts` holds the step at which each generation begins.
  func line(through number: Int, starts: [Int: Int]) -> Stretch {
    var line = Stretch()
    for generation in stretches.keys.sorted() where generation <= number {
      guard let stretch = stretches[generation] else { continue }
      if let start = starts[generation] { line.cut(from: start) }
      if let first = stretch.steps.first { line.cut(from: first) }
      line.steps += stretch.steps
      line.values += stretch.values
    }
    return line
  }
}

extension GenerationColumns.Stretch {
  fileprivate mutating func cut(from step: Int) {
    while let last = steps.last, last >= step {
      steps.removeLast()
      values.removeLast()
    }
  }

  var last: StepValue? {
    guard let step = steps.last, let value = values.last else { return nil }
    return StepValue(step: step, value: value)
  }

  /// The lowest finite value, the first of several.
  var lowest: StepValue? {
    var lowest: StepValue?
    for (step, value) in zip(steps, values) where value.isFinite {
      if value < lowest?.value ?? .infinity { lowest = StepValue(step: step, value: value) }
    }
    return lowest
  }
}
