import Signals
import Telemetry

/// What has been recorded and is not in the file yet, with the open end of every column.
///
/// Samples reach the file twice: soon, many columns together in one row of the tail, and once a
/// column holds ``ColumnChunk/capacity`` of them, in a chunk of their own. So a commit costs one
/// small row, whatever the number of metrics, and nothing is rewritten but the tail. A draft knows
/// nothing of the disk: where a commit fails it keeps all it holds, closed chunks in coded form.
struct SessionDraft {
  /// The samples of one metric that are in no chunk yet.
  struct Column {
    let metric: Int
    let name: MetricName
    /// Number of the first sample held here, over all generations.
    var start = 0
    var steps: [Int] = []
    var values: [Double] = []
    /// The last sample of the present generation, wherever it lies.
    var last: StepValue?
    /// How many of the samples held here are in the file's tail.
    var tailed = 0

    /// The closed chunks that no row of summaries holds yet.
    var unsummed: [ChunkSummary] = []

    var untailed: Int { steps.count - tailed }
  }

  /// A chunk in the form in which it will lie in the file.
  struct ClosedChunk {
    let place: ChunkPlace
    let bytes: [UInt8]
    let summary: ColumnSummary
  }

  /// A sample with which a metric begins again within a generation: its own samples from there on
  /// are superseded, and no other's.
  struct Restart {
    let metric: Int
    let generation: Int
    let start: Int
  }

  struct PlacedEvent {
    let generation: Int
    let event: RunEvent
  }

  struct PlacedLine {
    let generation: Int
    let line: TimedLine
  }

  struct Generation {
    let number: Int
    let startingStep: Int
    /// What the run was called before, and how it stood, where the file does not say so yet.
    var before: (description: RunDescription?, state: StoredState?) = (nil, nil)
  }

  var columns: [Column] = []
  var columnIndices: [MetricName: Int] = [:]
  /// The present generation; nil before the first sample.
  var generation: Generation?
  /// The last step of the present generation.
  var lastStep: Int?
  /// Samples in the file's tail, those that stand in chunks too included.
  var tailedSamples = 0

  var newMetrics: [Column] = []
  var newGenerations: [Generation] = []
  var newDescription: RunDescription?
  var newSettings: [SettingDeclaration]?
  var newState: StoredState?
  var newEvents: [PlacedEvent] = []
  var newLines: [PlacedLine] = []
  var newChunks: [ClosedChunk] = []
  var newSummaries: [SummaryRow] = []
  var newRestarts: [Restart] = []
  /// Records taken since the last commit that succeeded.
  var pendingRecords = 0

  private var knownNames: [MetricName] = []
  private var knownIndices: [Int] = []

  private var generationNumber: Int { generation?.number ?? 0 }

  /// Takes a record in; `wallTime` is the present time for a record that carries none.
  mutating func absorb(_ record: RunRecord, wallTime: Double) {
    pendingRecords += 1
    switch record {
    case .description(let description): newDescription = description
    case .settings(let settings): newSettings = settings
    case .state(let state): newState = StoredState(state: state, wallTime: wallTime)
    case .event(let event):
      newEvents.append(PlacedEvent(generation: generationNumber, event: event))
    case .console(let wallTime, let line):
      let line = TimedLine(wallTime: wallTime, line: line)
      newLines.append(PlacedLine(generation: generationNumber, line: line))
    case .damage(let damage, let wallTime):
      let line = TimedLine(wallTime: wallTime, line: damage.line)
      newLines.append(PlacedLine(generation: generationNumber, line: line))
    case .samples(let samples): absorb(samples)
    case .column(let column): absorb(column)
    case .generation(let step): beginGeneration(at: step)
    }
  }

  private mutating func absorb(_ samples: StepSamples) {
    if generation == nil || startsAgain(samples) { beginGeneration(at: samples.step) }
    let clock = columnIndex(of: MetricColumn.wallTime)
    // What counts something else than the others does not turn the clock back.
    if samples.step > columns[clock].last?.step ?? .min {
      append(step: samples.step, value: samples.wallTime, toColumn: clock)
    }
    lastStep = max(samples.step, lastStep ?? samples.step)
    if samples.names != knownNames {
      knownNames = samples.names
      knownIndices = samples.names.map { columnIndex(of: $0) }
    }
    for (index, value) in zip(knownIndices, samples.values)
    where !ends(with: value, at: samples.step, column: index) {
      append(step: samples.step, value: value, toColumn: index)
    }
  }

  /// Whether a step that goes back has all that is measured: then the whole run does.
  private func startsAgain(_ samples: StepSamples) -> Bool {
    guard let lastStep, samples.step < lastStep else { return false }
    let present = Set(samples.names)
    return columns.allSatisfy { column in
      column.last == nil || column.name == MetricColumn.wallTime || present.contains(column.name)
        || MetricCatalog.isMachine(column.name)
    }
  }

  private mutating func absorb(_ column: MetricColumn) {
    guard let first = column.steps.first, let last = column.steps.max() else { return }
    let index = columnIndex(of: column.name)
    if generation == nil { beginGeneration(at: first) }
    var next = 0
    while next < column.steps.count { next = append(column, from: next, toColumn: index) }
    lastStep = max(last, lastStep ?? last)
  }

  /// Takes samples in from the one at `start` on, as many as one chunk has room for and do not go
  /// back.
  /// - Returns: where the others begin.
  private mutating func append(
    _ column: MetricColumn, from start: Int, toColumn index: Int
  ) -> Int {
    append(step: column.steps[start], value: column.values[start], toColumn: index)
    let room = ColumnChunk.capacity - columns[index].steps.count
    let limit = min(column.steps.count, start + 1 + room)
    var end = start + 1
    while end < limit, column.steps[end] >= column.steps[end - 1] { end += 1 }
    guard end > start + 1 else { return end }
    columns[index].steps.append(contentsOf: column.steps[start + 1..<end])
    columns[index].values.append(contentsOf: column.values[start + 1..<end])
    columns[index].last = StepValue(step: column.steps[end - 1], value: column.values[end - 1])
    if columns[index].steps.count == ColumnChunk.capacity { closeChunk(ofColumn: index) }
    return end
  }

  private mutating func columnIndex(of name: MetricName) -> Int {
    if let index = columnIndices[name] { return index }
    let column = Column(metric: columns.count + 1, name: name)
    columnIndices[name] = columns.count
    columns.append(column)
    newMetrics.append(column)
    return columns.count - 1
  }

  /// Whether the column ends with this sample: a run that goes on where it ended measures there
  /// once more what it had measured.
  private func ends(with value: Double, at step: Int, column index: Int) -> Bool {
    guard let last = columns[index].last else { return false }
    return last.step == step && last.value.bitPattern == value.bitPattern
  }

  mutating func append(step: Int, value: Double, toColumn index: Int) {
    if let last = columns[index].last, step < last.step { beginAgain(column: index) }
    columns[index].last = StepValue(step: step, value: value)
    columns[index].steps.append(step)
    columns[index].values.append(value)
    if columns[index].steps.count == ColumnChunk.capacity { closeChunk(ofColumn: index) }
  }

  /// The metric goes back by itself. The steps of a chunk ascend, so that this one ends.
  private mutating func beginAgain(column index: Int) {
    if !columns[index].steps.isEmpty { closeChunk(ofColumn: index) }
    closeSummaries(ofColumn: index)
    newRestarts.append(
      Restart(
        metric: columns[index].metric, generation: generationNumber, start: columns[index].start))
  }

  /// The last step of the present generation, unless it was only measured and is still to be
  /// trained.
  var lastTrainedStep: Int? {
    let loss = columnIndices[MetricCatalog.loss].flatMap { columns[$0].last?.step }
    let heldOut = columnIndices[MetricCatalog.evalLoss].flatMap { columns[$0].last?.step }
    let done = RunHistory.stepsDone(last: lastStep, loss: loss, heldOut: heldOut)
    return done > 0 ? done - 1 : nil
  }

  /// Supersedes the samples from `step` on, without losing them. A generation that has no sample
  /// yet and begins there is that generation.
  mutating func beginGeneration(at step: Int) {
    if let generation, lastStep == nil, generation.startingStep == step { return }
    closeChunks()
    for index in columns.indices {
      closeSummaries(ofColumn: index)
      columns[index].last = nil
    }
    let next = Generation(
      number: generation.map { $0.number + 1 } ?? 0, startingStep: step,
      before: (newDescription, newState))
    generation = next
    newGenerations.append(next)
    lastStep = nil
  }

  /// Turns all that is open into chunks: at the end of a generation, and of the run.
  mutating func closeChunks() {
    for index in columns.indices where !columns[index].steps.isEmpty {
      closeChunk(ofColumn: index)
    }
  }

  mutating func closeChunk(ofColumn index: Int) {
    let column = columns[index]
    let chunk = ColumnChunk(steps: column.steps, values: column.values)
    let place = ChunkPlace(
      metric: column.metric, generation: generationNumber, start: column.start,
      count: column.steps.count, firstStep: column.steps.first ?? 0,
      lastStep: column.steps.last ?? 0)
    newChunks.append(
      ClosedChunk(place: place, bytes: chunk.encoded(), summary: chunk.summary))
    columns[index].unsummed.append(ChunkSummary(of: chunk, start: column.start))
    if columns[index].unsummed.count == SummaryRow.capacity { closeSummaries(ofColumn: index) }
    columns[index].start += column.steps.count
    columns[index].steps.removeAll(keepingCapacity: true)
    columns[index].values.removeAll(keepingCapacity: true)
    columns[index].tailed = 0
  }
}

extension SessionDraft {
  /// Turns the summaries of the last chunks into a row.
  mutating func closeSummaries(ofColumn index: Int) {
    let column = columns[index]
    guard
      let row = SummaryRow(
        metric: column.metric, generation: generationNumber, chunks: column.unsummed)
    else { return }
    newSummaries.append(row)
    columns[index].unsummed.removeAll(keepingCapacity: true)
  }
}

/// A line of the console.
struct TimedLine: Codable, Equatable {
  let wallTime: Double
  let line: String
}

/// Where the run stood when it last said so.
struct StoredState: Codable, Equatable {
  let state: RunState
  let wallTime: Double
}
