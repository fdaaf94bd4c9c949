import Telemetry

extension JSONLines {
  /// Hands out what older generations measured, each with its number; then the lines that
  /// `train --json` printed of the run as it went in the end: a step's events, then what it
  /// measured.
  package static func eachLine(
    of run: RecordedRun, _ body: (String) throws -> Void
  ) rethrows {
    for (number, generation) in run.superseded.enumerated() {
      var rows = StepRows([generation.wallTimes] + generation.columns)
      var samples: [Int?] = []
      while let step = rows.nextRow(&samples) {
        let measured = generation.measured(at: step, samples)
        if !measured.values.isEmpty { try body(line(measured, generation: number)) }
      }
    }
    guard let generation = run.newest.generations.first else { return }
    var events = Array(generation.happenings.compactMap(\.event).reversed())
    events.sort { $0.step > $1.step }
    var rows = StepRows([generation.wallTimes] + generation.columns)
    var samples: [Int?] = []
    while let step = rows.nextRow(&samples) {
      while let event = events.last, event.step <= step {
        try body(line(event))
        events.removeLast()
      }
      let measured = generation.measured(at: step, samples)
      if !measured.values.isEmpty { try body(line(measured)) }
    }
    for event in events.reversed() { try body(line(event)) }
  }
}

extension RunRecord {
  fileprivate var event: RunEvent? {
    guard case .event(let event) = self else { return nil }
    return event
  }
}

extension RecordedRun.Generation {
  fileprivate func measured(at step: Int, _ samples: [Int?]) -> StepSamples {
    let wallTime = samples[0].map { wallTimes.values[$0] } ?? .nan
    var measured = StepSamples(step: step, wallTime: wallTime, names: [], values: [])
    for (column, index) in zip(columns, samples.dropFirst()) {
      guard let index else { continue }
      measured.names.append(column.name)
      measured.values.append(column.values[index])
    }
    return measured
  }
}
