package import Telemetry

/// Puts a run together from what decoders find, a column a metric.
///
/// The steps of a column may go back: see ``RecordedRun/Generation``.
package struct RunAssembly: Sendable {
  private var run = RecordedRun()
  /// The columns of the newest generation, which are put into it once it ends.
  private var columns: [MetricColumn] = []
  /// The column of each metric among them; -1 for none.
  private var places: [Int] = []
  private var warnings: [String] = []

  package init() {}

  /// Takes all there is of a batch.
  package mutating func take(_ batch: inout RunBatch) {
    var start = 0
    for happening in batch.happenings {
      if happening.row > start { take(rows: start..<happening.row, of: batch) }
      start = max(start, happening.row)
      let step = happening.row < batch.rows.count ? batch.rows[happening.row].step : 0
      take(happening, startingAt: step)
    }
    if start < batch.rows.count { take(rows: start..<batch.rows.count, of: batch) }
    batch.removeAll()
  }

  private mutating func take(_ happening: RunBatch.Happening, startingAt step: Int) {
    let record = happening.record
    if happening.isWarning, case .console(_, let line) = record { return warnings.append(line) }
    if case .generation(let step) = record {
      endGeneration()
      return run.generations.append(.init(startingStep: step))
    }
    if run.generations.isEmpty { run.generations.append(.init(startingStep: step)) }
    run.generations[run.generations.count - 1].happenings.append(record.timed(0))
  }

  /// Takes rows between two happenings. Their values are put in the order of the columns first, so
  /// that each column grows once.
  private mutating func take(rows range: Range<Int>, of batch: RunBatch) {
    let rows = batch.rows[range]
    guard let first = rows.first, let last = rows.last else { return }
    if run.generations.isEmpty { run.generations.append(.init(startingStep: first.step)) }
    run.generations[run.generations.count - 1].wallTimes.append(timesOf: rows)
    let values = (range.lowerBound > 0 ? batch.rows[range.lowerBound - 1].end : 0)..<last.end
    for index in values { makePlace(for: batch.ids[index], in: batch) }
    let ordered = ColumnOrder(rows, values, places: places, columns: columns.count, batch)
    for column in columns.indices where !ordered.ranges[column].isEmpty {
      let part = ordered.ranges[column]
      columns[column].steps.append(contentsOf: ordered.steps[part])
      columns[column].values.append(contentsOf: ordered.values[part])
    }
  }

  private mutating func makePlace(for id: Int, in batch: RunBatch) {
    while places.count <= id { places.append(-1) }
    guard places[id] < 0 else { return }
    places[id] = columns.count
    columns.append(MetricColumn(name: batch.names.names[id], steps: [], values: []))
  }

  /// A generation without anything in it is none.
  private mutating func endGeneration() {
    defer { (columns, places) = ([], []) }
    guard let last = run.generations.indices.last else { return }
    run.generations[last].columns = columns
    if columns.isEmpty, run.generations[last].happenings.isEmpty { run.generations.removeLast() }
  }

  /// The run, wall times in the order of their steps.
  package func finished(_ batch: RunBatch) -> RecordedRun {
    var assembly = self
    assembly.endGeneration()
    var run = assembly.run
    for index in run.generations.indices { run.generations[index].wallTimes.order() }
    run.warnings = warnings
    if batch.strays > 0 {
      run.warnings.append("\(batch.strays) numbers have steps that cannot be: left out")
    }
    run.description = batch.description
    run.state = batch.state
    return run
  }
}

/// The values of some rows, column by column, each column's in the order of the rows.
private struct ColumnOrder {
  private(set) var steps: [Int]
  private(set) var values: [Double]
  /// Where the samples of each column stand.
  private(set) var ranges: [Range<Int>] = []

  init(
    _ rows: ArraySlice<RunBatch.Row>, _ range: Range<Int>, places: [Int], columns: Int,
    _ batch: RunBatch
  ) {
    var next = [Int](repeating: 0, count: columns)
    for index in range { next[places[batch.ids[index]]] += 1 }
    ranges.reserveCapacity(columns)
    var start = 0
    for column in 0..<columns {
      ranges.append(start..<start + next[column])
      (next[column], start) = (start, start + next[column])
    }
    steps = [Int](repeating: 0, count: range.count)
    values = [Double](repeating: 0, count: range.count)
    var index = range.lowerBound
    for row in rows {
      while index < row.end {
        let column = places[batch.ids[index]]
        steps[next[column]] = row.step
        values[next[column]] = batch.values[index]
        next[column] += 1
        index += 1
      }
    }
  }
}

extension MetricColumn {
  /// Takes the times of rows that have one; of several rows of a step that follow each other the
  /// first counts.
  fileprivate mutating func append(timesOf rows: ArraySlice<RunBatch.Row>) {
    for row in rows where !row.wallTime.isNaN && steps.last != row.step {
      steps.append(row.step)
      values.append(row.wallTime)
    }
  }
}

extension MetricColumn {
  /// Puts the steps in order where they are not; of several samples of one step the last stays.
  package mutating func order() {
    let isOrdered = zip(steps, steps.dropFirst()).allSatisfy { $0 < $1 }
    guard !isOrdered else { return }
    let lasts = Dictionary(zip(steps, values), uniquingKeysWith: { _, last in last })
    steps = lasts.keys.sorted()
    values = steps.map { lasts[$0] ?? .nan }
  }
}
