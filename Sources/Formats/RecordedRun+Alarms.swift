package import Signals
import Telemetry

extension RecordedRun {
  /// Adds the alarms that the samples of another trainer's run raise, as they would have come while
  /// it ran; none where the run tells its own.
  /// - Returns: what goes on with the alarms of the samples to come.
  @discardableResult
  package mutating func addAlarms(thresholds: AlarmThresholds) -> ForeignAlarms {
    var alarms = ForeignAlarms(thresholds: thresholds)
    if let told = generations.lazy.compactMap(\.firstAlarm).first {
      _ = alarms.take(.event(told))
      return alarms
    }
    for index in generations.indices {
      for samples in generations[index].samples {
        generations[index].happenings += alarms.take(.samples(samples)).map { .event($0) }
      }
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
    passes.flatMap { samples(of: $0) }
  }

  private func samples(of columns: [MetricColumn]) -> [StepSamples] {
    var rows = StepRows(columns + [wallTimes])
    var (found, samples): ([Int?], [StepSamples]) = ([], [])
    var wallTime = wallTimes.values.first ?? 0
    while let step = rows.nextRow(&found) {
      if let index = found.last ?? nil { wallTime = wallTimes.values[index] }
      var row = StepSamples(step: step, wallTime: wallTime, names: [], values: [])
      for (column, index) in zip(columns, found) {
        guard let index else { continue }
        row.names.append(column.name)
        row.values.append(column.values[index])
      }
      if !row.names.isEmpty { samples.append(row) }
    }
    return samples
  }
}
