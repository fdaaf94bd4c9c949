package import Telemetry

/// All that is recorded of a run, a table a generation: what an importer makes and an exporter
/// reads.
package struct RecordedRun: Sendable {
  package struct Generation: Sendable {
    /// The step from which on it supersedes the one before.
    package var startingStep: Int
    package var wallTimes = MetricColumn(name: MetricColumn.wallTime, steps: [], values: [])
    /// In the order in which the metrics appeared. A metric's steps may go back: what follows
    /// supersedes its own samples from there on, and no other's.
    package var columns: [MetricColumn] = []
    /// Events and console lines.
    package var happenings: [RunRecord] = []

    package init(startingStep: Int) {
      self.startingStep = startingStep
    }
  }

  package var description: RunDescription?
  package var settings: [SettingDeclaration] = []
  package var state: RunState?
  package var generations: [Generation] = []
  /// What was wrong with the source, a line each.
  package var warnings: [String] = []

  package init() {}

  /// Samples of all generations.
  package var sampleCount: Int {
    generations.reduce(0) { $0 + $1.columns.reduce(0) { $0 + $1.steps.count } }
  }

  package var names: [MetricName] { distinctNames.sorted() }

  package var metricCount: Int { distinctNames.count }

  private var distinctNames: Set<MetricName> {
    Set(generations.flatMap { $0.columns.map(\.name) })
  }
}

extension RecordedRun {
  /// Gathers what `records` tell, as a session's reader hands them out.
  package init(records: [RunRecord]) {
    self.init()
    var indices: [MetricName: Int] = [:]
    for record in records {
      switch record {
      case .description(let description): self.description = description
      case .settings(let settings): self.settings = settings
      case .state(let state): self.state = state
      case .generation(let step):
        if generations.isEmpty { generations.append(Generation(startingStep: 0)) }
        generations.append(Generation(startingStep: step))
        indices = [:]
      case .column(let column): add(column, &indices)
      case .samples(let samples): add(samples, &indices)
      case .event, .console, .damage: last.happenings.append(record)
      }
    }
  }

  private var last: Generation {
    get { generations.last ?? Generation(startingStep: 0) }
    _modify {
      if generations.isEmpty { generations.append(Generation(startingStep: 0)) }
      yield &generations[generations.count - 1]
    }
  }

  private mutating func add(_ column: MetricColumn, _ indices: inout [MetricName: Int]) {
    guard column.name != MetricColumn.wallTime else {
      last.wallTimes.steps += column.steps
      last.wallTimes.values += column.values
      return
    }
    let index = index(of: column.name, &indices)
    guard !last.columns[index].steps.isEmpty else {
      last.columns[index] = column
      return
    }
    last.columns[index].steps += column.steps
    last.columns[index].values += column.values
  }

  private mutating func add(_ samples: StepSamples, _ indices: inout [MetricName: Int]) {
    last.wallTimes.steps.append(samples.step)
    last.wallTimes.values.append(samples.wallTime)
    for (name, value) in zip(samples.names, samples.values) {
      let index = index(of: name, &indices)
      last.columns[index].steps.append(samples.step)
      last.columns[index].values.append(value)
    }
  }

  private mutating func index(of name: MetricName, _ indices: inout [MetricName: Int]) -> Int {
    if let index = indices[name] { return index }
    indices[name] = last.columns.count
    last.columns.append(MetricColumn(name: name, steps: [], values: []))
    return last.columns.count - 1
  }

  /// The stream that tells the same.
  package var records: [RunRecord] {
    var records: [RunRecord] = []
    if let description { records.append(.description(description)) }
    if !settings.isEmpty { records.append(.settings(settings)) }
    for (number, generation) in generations.enumerated() {
      if number > 0 { records.append(.generation(startingAt: generation.startingStep)) }
      if !generation.wallTimes.steps.isEmpty { records.append(.column(generation.wallTimes)) }
      records += generation.columns.map { .column($0) }
      records += generation.happenings
    }
    records += warnings.map { .console(wallTime: 0, line: $0) }
    if let state { records.append(.state(state)) }
    return records
  }
}
