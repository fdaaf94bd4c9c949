package import Telemetry

extension RecordedRun {
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
    guard var merged = generations.first else { return run }
    for generation in generations.dropFirst() {
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

extension RecordedRun {
  /// Numbers that were written with the shortest digits of a Float32 are that float again, where
  /// the metric is one that is computed as such.
  func restoringSinglePrecision() -> RecordedRun {
    var run = self
    for generation in run.generations.indices {
      for column in run.generations[generation].columns.indices {
        guard JSONLines.isSingle(run.generations[generation].columns[column].name) else { continue }
        let values = run.generations[generation].columns[column].values
        run.generations[generation].columns[column].values = values.map { value in
          let single = Float(value)
          if Double(single) == value { return value }
          return DecimalNumber.read("\(single)") == value ? Double(single) : value
        }
      }
    }
    return run
  }
}

extension RecordedRun.Generation {
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
      guard let index = indices[column.name] else {
        indices[column.name] = columns.count
        columns.append(column)
        continue
      }
      columns[index].steps += column.steps
      columns[index].values += column.values
    }
    happenings += later.happenings
  }
}

extension MetricColumn {
  /// Steps ascend, so that what is cut off is the end.
  fileprivate mutating func cut(from step: Int) {
    let kept = steps.firstIndex { $0 >= step } ?? steps.count
    steps.removeSubrange(kept...)
    values.removeSubrange(kept...)
  }
}
