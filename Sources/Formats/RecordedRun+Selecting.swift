import Signals
package import Telemetry

extension RecordedRun {
  /// What later samples of the same metrics superseded: of each metric its oldest generation in the
  /// first, and so on; each with the times of its steps as far as they are known.
  package var superseded: [Generation] {
    let history = RunHistory(records)
    var superseded: [Generation] = []
    for name in history.superseded.keys.sorted() {
      for (number, series) in (history.superseded[name] ?? []).enumerated() {
        if number == superseded.count {
          superseded.append(Generation(startingStep: 0))
          superseded[number].wallTimes =
            generations[min(number, max(0, generations.count - 2))].wallTimes
        }
        superseded[number].columns.append(
          MetricColumn(name: name, steps: series.steps, values: series.values))
      }
    }
    return superseded
  }

  /// The run with the metrics that `pattern` matches alone.
  package func selecting(_ pattern: MetricGlob) -> RecordedRun {
    var run = self
    for index in run.generations.indices {
      run.generations[index].columns.removeAll { !pattern.matches($0.name) }
    }
    return run
  }

  /// The run as it went in the end, in one generation: what was superseded is left out.
  package var newest: RecordedRun {
    var run = self
    guard let first = generations.first else { return run }
    guard generations.count > 1 || first.columns.contains(where: \.goesBack) else { return run }
    var merged = Generation(startingStep: first.startingStep)
    for generation in generations {
      merged.cut(from: generation.startingStep)
      merged.append(generation)
    }
    run.generations = [merged]
    return run
  }

  /// The events that led to the run as it went in the end, each generation's start among them.
  package var lineage: EventLineage {
    var lineage = EventLineage()
    for (number, generation) in generations.enumerated() {
      if number > 0 { lineage.beginGeneration(at: generation.startingStep) }
      for case .event(let event) in generation.happenings { lineage.append(event) }
    }
    return lineage
  }
}

extension RecordedRun.Generation {
  /// The columns cut where their steps go back: the first pass has each column's first stretch, the
  /// second those of the columns that went back, and so on.
  var passes: [[MetricColumn]] {
    guard columns.contains(where: \.goesBack) else { return [columns] }
    var passes: [[MetricColumn]] = []
    for column in columns {
      for (number, stretch) in column.stretches.enumerated() {
        if number == passes.count { passes.append([]) }
        passes[number].append(
          MetricColumn(
            name: column.name, steps: Array(column.steps[stretch]),
            values: Array(column.values[stretch])))
      }
    }
    return passes
  }

  /// Leaves the samples out from `step` on.
  package mutating func cut(from step: Int) {
    wallTimes.cut(from: step)
    for index in columns.indices { columns[index].cut(from: step) }
  }

  fileprivate mutating func append(_ later: RecordedRun.Generation) {
    wallTimes.steps += later.wallTimes.steps
    wallTimes.values += later.wallTimes.values
    var indices = Dictionary(
      columns.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
    for column in later.columns {
      let index = indices[column.name] ?? columns.count
      if index == columns.count {
        indices[column.name] = index
        columns.append(MetricColumn(name: column.name, steps: [], values: []))
      }
      for stretch in column.stretches { columns[index].supersede(column, stretch) }
    }
    happenings += later.happenings
  }
}

extension MetricColumn {
  /// Whether some step is not after the one before it.
  var goesBack: Bool { zip(steps, steps.dropFirst()).contains { $0 >= $1 } }

  /// The stretches, as long as they can be, in which each step is after the one before it.
  package var stretches: [Range<Int>] {
    var stretches: [Range<Int>] = []
    var start = 0
    for index in steps.indices.dropFirst() where steps[index] <= steps[index - 1] {
      stretches.append(start..<index)
      start = index
    }
    if start < steps.count { stretches.append(start..<steps.count) }
    return stretches
  }

  /// Takes a stretch of `later` in place of what is here from its first step on.
  fileprivate mutating func supersede(_ later: MetricColumn, _ stretch: Range<Int>) {
    if let last = steps.last, last >= later.steps[stretch.lowerBound] {
      cut(from: later.steps[stretch.lowerBound])
    }
    steps += later.steps[stretch]
    values += later.values[stretch]
  }

  /// Steps ascend, so that what is cut off is the end.
  fileprivate mutating func cut(from step: Int) {
    let kept = steps.firstIndex { $0 >= step } ?? steps.count
    steps.removeSubrange(kept...)
    values.removeSubrange(kept...)
  }
}
