package import Signals
import Telemetry

extension RecordedRun {
  /// Adds the alarms that the samples of another trainer's run raise, as they would have come while
  /// it ran; none where the run tells its own.
  /// - Returns: what goes on with the alarms of the samples to come.
  @discardableResult
  package mutating func addAlarms(thresholds: AlarmThresholds) -> ForeignAlarms {
    var alarms = ForeignAlarms(thresholds: thresholds)
    if let description {
      _ = alarms.take(.description(description))
      if description.model != nil { return alarms }
    }
    if let told = generations.lazy.compactMap(\.firstAlarm).first {
      _ = alarms.take(.event(told))
      return alarms
    }
    for index in generations.indices {
      var raised: [RunRecord] = []
      generations[index].eachStep(watchedBy: alarms) { samples in
        raised += alarms.take(.samples(samples)).map { .event($0) }
      }
      generations[index].happenings += raised
    }
    return alarms
  }
}

extension RecordedRun.Generation {
  fileprivate var firstAlarm: RunEvent? {
    for case .event(let event) in happenings where event.kind == .alarm { return event }
    return nil
  }

  /// What was measured step by step; a step without a time of its own has the one before it.
  var samples: [StepSamples] {
    var samples: [StepSamples] = []
    eachStep { samples.append($0) }
    return samples
  }

  private func eachStep(_ body: (StepSamples) -> Void) {
    for columns in passes { eachStep(of: columns, body) }
  }

  /// Every step, with the values that can raise an alarm. Most of what is logged cannot: that a step
  /// has some of it is all that is told of it.
  fileprivate func eachStep(watchedBy alarms: ForeignAlarms, _ body: (StepSamples) -> Void) {
    let watched = Set(columns.map(\.name).filter(alarms.watches))
    for columns in passes {
      let told = columns.filter {
        watched.contains($0.name) || !$0.values.allSatisfy { $0.isFinite }
      }
      let toldNames = Set(told.map(\.name))
      let others = columns.filter { !toldNames.contains($0.name) }
      eachStep(of: told, others: Self.distinctSteps(of: others), body)
    }
  }

  /// One column for all those that have the same steps.
  private static func distinctSteps(of columns: [MetricColumn]) -> [MetricColumn] {
    var distinct: [[Int]: MetricColumn] = [:]
    var last: [Int] = []
    for column in columns where column.steps != last {
      last = column.steps
      distinct[last] = column
    }
    return Array(distinct.values)
  }

  /// `others`: what is not told of a step makes it one.
  private func eachStep(
    of columns: [MetricColumn], others: [MetricColumn] = [], _ body: (StepSamples) -> Void
  ) {
    var rows = StepRows(columns + others + [wallTimes])
    var found: [Int?] = []
    var wallTime = wallTimes.values.first ?? 0
    // Most steps have the metrics of the one before: then no list of names is made.
    var (present, names): ([Int], [MetricName]) = ([], [])
    while let step = rows.nextRow(&found) {
      if let index = found.last ?? nil { wallTime = wallTimes.values[index] }
      let measured = columns.indices.filter { found[$0] != nil }
      if measured != present { (present, names) = (measured, measured.map { columns[$0].name }) }
      guard !names.isEmpty || others.indices.contains(where: { found[columns.count + $0] != nil })
      else { continue }
      let values = present.map { columns[$0].values[found[$0] ?? 0] }
      body(StepSamples(step: step, wallTime: wallTime, names: names, values: values))
    }
  }
}
