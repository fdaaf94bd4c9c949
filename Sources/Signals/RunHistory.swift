package import Telemetry

/// All that is known of a run so far: what its records add up to.
///
/// A dashboard draws from it, live or in a replay; nothing of the past is ever changed but by a new
/// generation, which keeps the superseded samples apart.
package struct RunHistory: Sendable {
  package private(set) var description: RunDescription?
  /// How the run wants its metrics shown.
  package private(set) var definitions = MetricDefinitions()
  /// The settings as the source last declared them.
  package private(set) var settings: [SettingDeclaration] = []
  package private(set) var state = RunState.starting
  package private(set) var events: [RunEvent] = []
  package private(set) var series: [MetricName: Series] = [:]
  /// What later generations superseded, oldest first; drawn faint.
  package private(set) var superseded: [MetricName: [Series]] = [:]
  package private(set) var wallTimes = Series()
  package private(set) var console: [String] = []
  /// What of the recording could not be read; the console has it too.
  package private(set) var damage: [RecordingDamage] = []
  /// Steps at which a later generation began.
  package private(set) var generationStarts: [Int] = []
  /// The last step of all that was superseded.
  package private(set) var lastSupersededStep: Int?
  /// The events that led to the run as it is, without what was gone back over.
  private(set) var lineage = EventLineage()

  package static let consoleLimit = 2000

  package init() {}

  /// What all of `records` add up to.
  package init(_ records: some Sequence<RunRecord>) {
    append(contentsOf: records)
  }

  /// The last step of all that is not superseded.
  package var lastStep: Int? { hasOwnGenerations ? lastSampleStep : wallTimes.lastStep }
  /// Whether a metric has gone back by itself: the clock may then be ahead of what is not superseded.
  private var hasOwnGenerations = false
  private var lastSampleStep: Int?
  /// How many metrics have their last sample at that step.
  private var countAtLastSample = 0
  package var firstStep: Int? { wallTimes.firstStep }
  /// All metrics, in the order of their names.
  package private(set) var names: [MetricName] = []
  private var families: [String: [MetricName]] = [:]
  /// Metrics that have no place in that order yet.
  private var unplaced: [MetricName] = []

  /// The metrics of one line of the table, by its stem, in the order of their names.
  package func names(ofFamily stem: String) -> [MetricName] { families[stem] ?? [] }

  package subscript(name: MetricName) -> Series? { series[name] }

  /// A metric's first step. Nothing is copied for it: a frame asks this of every metric.
  package func firstStep(of name: MetricName) -> Int? {
    series.index(forKey: name).flatMap { series.values[$0].firstStep }
  }

  /// A metric's last value at or before `step`, without a copy too.
  package func value(of name: MetricName, atOrBefore step: Int) -> Double? {
    series.index(forKey: name).flatMap { series.values[$0].value(atOrBefore: step) }
  }

  /// Updates done: as many as the last step's number, and one more where that step was trained and
  /// not only measured. Of another trainer's run the last step that it logged.
  package var stepsDone: Int {
    if let description, description.isForeign { return lastStep ?? 0 }
    let done = Self.stepsDone(
      last: lastStep, loss: self[MetricCatalog.loss]?.lastStep,
      heldOut: self[MetricCatalog.evalLoss]?.lastStep, state: state)
    // A trainer that counts from 1 logs its last step under the planned number.
    return lastStep == description?.totalSteps ? min(done, lastStep ?? 0) : done
  }

  /// From the last steps of a run, of its loss and of its held-out loss.
  ///
  /// A run's end measures its held-out loss at the step that would come next; the step at which a
  /// run diverges has no update.
  package static func stepsDone(
    last: Int?, loss: Int?, heldOut: Int?, state: RunState = .running
  ) -> Int {
    guard let last else { return 0 }
    if state == .diverged { return last }
    if let loss, loss < last, heldOut == last { return last }
    return last + 1
  }

  package mutating func append(_ record: RunRecord) {
    take(record)
    placeNames()
  }

  /// Adds records in their order.
  ///
  /// - Complexity: however many metrics the records name, these are put in order once.
  package mutating func append(contentsOf records: some Sequence<RunRecord>) {
    for record in records { take(record) }
    placeNames()
  }

  private mutating func take(_ record: RunRecord) {
    switch record {
    case .description(let description):
      self.description = description.plausible
      definitions = MetricDefinitions(description)
    case .settings(let settings): self.settings = settings
    case .state(let state): self.state = state
    case .event(let event):
      events.append(event)
      lineage.append(event)
    case .samples(let samples): append(samples)
    case .column(let column): append(column)
    case .console(_, let line): append(line: line)
    case .damage(let found, _):
      damage.append(found)
      append(line: found.line)
    case .generation(let step): beginGeneration(at: step)
    }
  }

  private mutating func append(_ samples: StepSamples) {
    for (name, value) in zip(samples.names, samples.values) {
      append(value, at: samples.step, to: name)
    }
    append(wallTime: samples.wallTime, at: samples.step)
  }

  private mutating func append(_ value: Double, at step: Int, to name: MetricName) {
    let place = place(of: name)
    let before = series.values[place].lastStep
    if !series.values[place].extend(step: step, value: value) {
      supersede(name, from: step)
      _ = series.values[place].extend(step: step, value: value)
    }
    countLastSample(step, before: before)
  }

  /// Where the metric's series lies; a new metric gets one.
  private mutating func place(of name: MetricName) -> [MetricName: Series].Index {
    if let place = series.index(forKey: name) { return place }
    unplaced.append(name)
    series[name] = Series()
    return place(of: name)
  }

  /// A metric's last sample is now at `step`, and was at `before`.
  private mutating func countLastSample(_ step: Int, before: Int?) {
    guard before != step else { return }
    if let last = lastSampleStep, step <= last {
      if before == last { countAtLastSample -= 1 }
      if step == last { countAtLastSample += 1 }
      if countAtLastSample == 0 { findLastSample() }
    } else {
      (lastSampleStep, countAtLastSample) = (step, 1)
    }
  }

  /// The metric begins a generation of its own: what it had from `step` on joins the first of its
  /// older ones that ended before.
  private mutating func supersede(_ name: MetricName, from step: Int) {
    guard let old = series[name]?.cut(from: step), let first = old.firstStep else { return }
    hasOwnGenerations = true
    var layers = superseded[name] ?? []
    if let index = layers.firstIndex(where: { $0.lastStep ?? .min < first }) {
      for (step, value) in zip(old.steps, old.values) {
        layers[index].append(step: step, value: value)
      }
    } else {
      layers.append(old)
    }
    superseded[name] = layers
  }

  private mutating func findLastSample() {
    let lasts = series.values.compactMap(\.lastStep)
    lastSampleStep = lasts.max()
    countAtLastSample = lasts.count { $0 == lastSampleStep }
  }

  /// The clock goes back where all metrics have; what counts something else does not turn it.
  private mutating func append(wallTime: Double, at step: Int) {
    if let last = wallTimes.lastStep, step < last, hasOwnGenerations, step == lastSampleStep {
      _ = wallTimes.cut(from: step)
    }
    wallTimes.append(step: step, value: wallTime)
  }

  /// A screen asks for the names many times between two that are new.
  private mutating func placeNames() {
    guard !unplaced.isEmpty else { return }
    names.insert(unplaced)
    let fresh = Dictionary(grouping: unplaced) { MetricCatalog.family(of: $0)?.stem ?? "" }
    for (stem, members) in fresh { families[stem, default: []].insert(members) }
    unplaced = []
  }

  private mutating func append(_ column: MetricColumn) {
    guard column.name != MetricColumn.wallTime else {
      for (step, value) in zip(column.steps, column.values) {
        wallTimes.append(step: step, value: value)
      }
      return
    }
    guard !column.steps.isEmpty else { return }
    let place = place(of: column.name)
    var (next, before) = (0, series.values[place].lastStep)
    while next < column.steps.count {
      next = series.values[place].extend(with: column, from: next)
      let last = series.values[place].lastStep
      if let last { countLastSample(last, before: before) }
      before = last
      if next < column.steps.count { supersede(column.name, from: column.steps[next]) }
    }
  }

  /// Takes the samples of columns that lie elsewhere, each behind those of its metric that are
  /// known.
  package mutating func append(_ columns: [(name: MetricName, samples: ArchivedColumn)]) {
    for (name, samples) in columns { append(samples, of: name) }
    placeNames()
  }

  private mutating func append(_ column: ArchivedColumn, of name: MetricName) {
    guard name != MetricColumn.wallTime else { return wallTimes.append(column) }
    let place = place(of: name)
    let before = series.values[place].lastStep
    series.values[place].append(column)
    if let last = series.values[place].lastStep { countLastSample(last, before: before) }
  }

  /// Steps whose samples are held in memory, and not archived.
  package var stepsInMemory: Int { wallTimes.countInMemory }

  /// Leaves older samples to the archive of `other`, the same run as it was read from its session a
  /// moment ago.
  package mutating func leaveSamples(toArchiveOf other: RunHistory) {
    guard generationStarts == other.generationStarts else { return }
    wallTimes.leaveSamples(toArchiveOf: other.wallTimes)
    for (name, read) in other.series where read.isArchived {
      series[name]?.leaveSamples(toArchiveOf: read)
    }
    for (name, read) in other.superseded where superseded[name]?.count == read.count {
      for (index, part) in read.enumerated() where part.isArchived {
        superseded[name]?[index].leaveSamples(toArchiveOf: part)
      }
    }
  }

  private mutating func append(line: String) {
    console.append(line)
    if console.count > Self.consoleLimit { console.removeFirst() }
  }

  private mutating func beginGeneration(at step: Int) {
    generationStarts.append(step)
    lineage.beginGeneration(at: step)
    for name in series.keys {
      guard let old = series[name]?.cut(from: step), !old.isEmpty else { continue }
      superseded[name, default: []].append(old)
    }
    if let last = lastStep, last >= step {
      lastSupersededStep = max(last, lastSupersededStep ?? last)
    }
    _ = wallTimes.cut(from: step)
    findLastSample()
  }

}

extension [MetricName] {
  /// Takes names into those that are in order.
  fileprivate mutating func insert(_ fresh: [MetricName]) {
    // A run may bring its names one by one: then what is in order is moved, and not compared anew.
    guard fresh.count <= 4 else {
      append(contentsOf: fresh)
      return sort()
    }
    for name in fresh { insert(name, at: place(of: name)) }
  }

  private func place(of name: MetricName) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if self[middle] < name { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
