package import Telemetry

/// Puts a run together from what decoders find, a column a metric.
///
/// The steps of a column may go back: see ``RecordedRun/Generation``.
package struct RunAssembly {
  private var run = RecordedRun()
  /// The column of each metric in the newest generation.
  private var places: [Int?] = []
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
      // A generation without anything in it is none.
      if let last = run.generations.last, last.columns.isEmpty, last.happenings.isEmpty {
        run.generations.removeLast()
      }
      places = []
      return run.generations.append(.init(startingStep: step))
    }
    if run.generations.isEmpty { run.generations.append(.init(startingStep: step)) }
    run.generations[run.generations.count - 1].happenings.append(record.timed(0))
  }

  private mutating func take(_ row: RunBatch.Row, _ range: Range<Int>, of batch: RunBatch) {
    if run.generations.isEmpty { run.generations.append(.init(startingStep: row.step)) }
    let newest = run.generations.count - 1
    for index in range {
      let id = batch.ids[index]
      let column = place(id, in: batch)
      run.generations[newest].columns[column].steps.append(row.step)
      run.generations[newest].columns[column].values.append(batch.values[index])
    }
    guard !row.wallTime.isNaN, run.generations[newest].wallTimes.steps.last != row.step else {
      return
    }
    run.generations[newest].wallTimes.steps.append(row.step)
    run.generations[newest].wallTimes.values.append(row.wallTime)
  }

  private mutating func place(_ id: Int, in batch: RunBatch) -> Int {
    while places.count <= id { places.append(nil) }
    if let place = places[id] { return place }
    let newest = run.generations.count - 1
    let place = run.generations[newest].columns.count
    places[id] = place
    run.generations[newest].columns.append(
      MetricColumn(name: batch.names.names[id], steps: [], values: []))
    return place
  }

  /// The run, wall times in the order of their steps.
  package func finished(_ batch: RunBatch) -> RecordedRun {
    var run = run
    if let last = run.generations.last, last.columns.isEmpty, last.happenings.isEmpty {
      run.generations.removeLast()
    }
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
