import Formats
import Foundation
import Signals
import Telemetry

extension SessionFiles {
  /// Makes an abandoned line the run again: its samples and events from where it was left are
  /// written once more, behind those of the line that was the newest, which is kept as it is.
  ///
  /// - Returns: the steps that the run has done then.
  /// - Throws: `noLine`, `absent`, `notASession`, `alreadyWritten`, `damaged`, `unwritable`.
  package func restore(line: Int) throws(SessionError) -> Int {
    try check()
    let reader = try SessionReader(path: path)
    let all = RecordedRun(records: try reader.records())
    guard line < all.generations.count else {
      guard line == all.generations.count else {
        throw .noLine(path: path, number: line, count: all.generations.count)
      }
      return SessionSummary(path: path).steps
    }
    let start = all.generations[line...].map(\.startingStep).min() ?? 0
    let run = RecordedRun(records: try reader.records(line: line))
    let recorder = try Recorder(appendingTo: SessionStore(appendingTo: path))
    for record in run.records(from: start) { recorder.record(record) }
    let steps = RunHistory(run.records).stepsDone
    recorder.record(
      .event(
        RunEvent(
          step: steps, wallTime: Date().timeIntervalSince1970, kind: .note, by: "you",
          text: "line \(line) is the run again, from step \(start)")))
    if let state = run.state { recorder.record(.state(state)) }
    try recorder.close()
    return steps
  }
}

extension RecordedRun {
  /// What the run is, and all that it went through from `step` on, as a generation of its own.
  fileprivate func records(from step: Int) -> [RunRecord] {
    var records: [RunRecord] = [.generation(startingAt: step)]
    if let description { records.append(.description(description)) }
    guard let merged = newest.generations.first else { return records }
    for column in [merged.wallTimes] + merged.columns {
      let kept = column.steps.firstIndex { $0 >= step } ?? column.steps.count
      guard kept < column.steps.count else { continue }
      records.append(
        .column(
          MetricColumn(
            name: column.name, steps: Array(column.steps[kept...]),
            values: Array(column.values[kept...]))))
    }
    return records + events(from: step).map { .event($0) }
  }

  /// The events that a run which starts again at `step` leaves behind it.
  private func events(from step: Int) -> [RunEvent] {
    var lineage = lineage
    let all = lineage.events
    lineage.beginGeneration(at: step)
    let kept = Set(lineage.events)
    return all.filter { !kept.contains($0) }
  }
}
