package import Telemetry

/// Puts a run together from what decoders find, a column a metric.
///
/// The steps of a column may go back: see ``RecordedRun/Generation``.
package struct RunAssembly {
  private var run = RecordedRun()
  /// The columns of the newest generation, which are put into it once it ends.
  private var columns: [MetricColumn] = []
  /// The column of each metric among them; -1 for none.
  private var places: [Int] = []
  private var warnings: [String] = []

  package init() {}

  /// Takes all there is of a batch.
  package mutating func take(_ batch: inout RunBatch) {
    var (start, next) = (0, 0)
    for (number, row) in batch.rows.enumerated() {
      while next < batch.happenings.count, batch.happenings[next].row <= number {
        take(batch.happenings[next], startingAt: row.step)
        next += 1
      }
      take(row, start..<row.end, of: batch)
      start = row.end
    }
    for happening in batch.happenings[next...] { take(happening, startingAt: 0) }
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

  private mutating func take(_ row: RunBatch.Row, _ range: Range<Int>, of batch: RunBatch) {
    if run.generations.isEmpty { run.generations.append(.init(startingStep: row.step)) }
    for index in range { makePlace(for: batch.ids[index], in: batch) }
    let places = places
    columns.withUnsafeMutableBufferPointer { columns in
      for index in range {
        let column = places[batch.ids[index]]
        columns[column].steps.append(row.step)
        columns[column].values.append(batch.values[index])
      }
    }
    let newest = run.generations.count - 1
    guard !row.wallTime.isNaN, run.generations[newest].wallTimes.steps.last != row.step else {
      return
    }
    run.generations[newest].wallTimes.steps.append(row.step)
    run.generations[newest].wallTimes.values.append(row.wallTime)
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
