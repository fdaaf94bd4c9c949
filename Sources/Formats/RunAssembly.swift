package import Telemetry

/// Puts a run together from single numbers in the order in which they were logged.
///
/// Nothing is discarded. A metric whose own steps go back opens a new generation; the other metrics
/// join it when their next number comes. A metric that counts something else than the others
/// (epochs, say) opens none.
struct RunAssembly {
  private struct Metric {
    let name: MetricName
    var generation = -1
    var column = 0
    var lastStep = Int.min
  }

  /// Beyond these no trainer counts, and differences of steps would overflow.
  static let knownSteps = -(1 << 52)...(1 << 52)

  private(set) var run = RecordedRun()
  private var metrics: [Metric] = []
  private var indices: [String: Int] = [:]
  /// Numbers whose step no trainer can have reached.
  private(set) var strays = 0

  var isEmpty: Bool { metrics.isEmpty }
  /// The step of the number added last.
  private(set) var lastStep = 0

  /// What stands for `name` in ``add(_:step:wallTime:value:)``.
  mutating func metric(_ name: String) -> Int {
    if let index = indices[name] { return index }
    indices[name] = metrics.count
    metrics.append(Metric(name: MetricName(name)))
    return metrics.count - 1
  }

  mutating func add(_ name: String, step: Int, wallTime: Double?, value: Double) {
    add(metric(name), step: step, wallTime: wallTime, value: value)
  }

  mutating func add(_ metric: Int, step: Int, wallTime: Double?, value: Double) {
    guard Self.knownSteps.contains(step) else {
      strays += 1
      return
    }
    if run.generations.isEmpty { run.generations.append(.init(startingStep: step)) }
    place(metric, at: step)
    let newest = run.generations.count - 1
    let column = metrics[metric].column
    run.generations[newest].columns[column].steps.append(step)
    run.generations[newest].columns[column].values.append(value)
    if let wallTime { note(wallTime, step: step, generation: newest) }
    lastStep = step
  }

  /// Sees to it that the metric has a column in the newest generation, and that it may go on there.
  private mutating func place(_ metric: Int, at step: Int) {
    let newest = run.generations.count - 1
    let goesBack = step < metrics[metric].lastStep
    defer { metrics[metric].lastStep = step }
    if metrics[metric].generation == newest {
      guard goesBack else { return }
      restart(at: step)
    } else if goesBack || step == metrics[metric].lastStep {
      run.generations[newest].startingStep = min(run.generations[newest].startingStep, step)
    }
    metrics[metric].generation = run.generations.count - 1
    metrics[metric].column = run.generations[run.generations.count - 1].columns.count
    run.generations[run.generations.count - 1].columns.append(
      MetricColumn(name: metrics[metric].name, steps: [], values: []))
  }

  private mutating func note(_ wallTime: Double, step: Int, generation: Int) {
    guard run.generations[generation].wallTimes.steps.last != step else { return }
    run.generations[generation].wallTimes.steps.append(step)
    run.generations[generation].wallTimes.values.append(wallTime)
  }

  /// Begins a generation: what comes from `step` on supersedes what was there.
  mutating func restart(at step: Int) {
    guard Self.knownSteps.contains(step) else { return }
    if let last = run.generations.last, last.columns.isEmpty, run.generations.count > 1 {
      run.generations[run.generations.count - 1].startingStep = step
    } else {
      run.generations.append(.init(startingStep: step))
    }
  }

  mutating func add(_ happening: RunRecord) {
    if run.generations.isEmpty { run.generations.append(.init(startingStep: 0)) }
    run.generations[run.generations.count - 1].happenings.append(happening)
  }

  mutating func add(note text: String, step: Int, wallTime: Double) {
    guard Self.knownSteps.contains(step) else { return }
    add(.event(RunEvent(step: step, wallTime: wallTime, kind: .note, by: "log", text: text)))
  }

  mutating func warn(_ what: String) {
    run.warnings.append(what)
  }

  /// The run, wall times in the order of their steps.
  func finished() -> RecordedRun {
    var run = run
    if run.generations.count > 1, run.generations[0].columns.isEmpty,
      run.generations[0].happenings.isEmpty
    {
      run.generations.removeFirst()
    }
    if run.generations.count > 1, run.generations[run.generations.count - 1].columns.isEmpty,
      run.generations[run.generations.count - 1].happenings.isEmpty
    {
      run.generations.removeLast()
    }
    for index in run.generations.indices { run.generations[index].wallTimes.order() }
    if strays > 0 { run.warnings.append("\(strays) numbers have steps that cannot be: left out") }
    return run
  }
}

extension MetricColumn {
  /// Puts the steps in order where they are not; of several samples of one step the first stays.
  package mutating func order() {
    let isOrdered = zip(steps, steps.dropFirst()).allSatisfy { $0 < $1 }
    guard !isOrdered else { return }
    let firsts = Dictionary(zip(steps, values), uniquingKeysWith: { first, _ in first })
    steps = firsts.keys.sorted()
    values = steps.map { firsts[$0] ?? .nan }
  }
}
