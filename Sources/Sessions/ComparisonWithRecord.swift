package import Formats
import Signals
package import Telemetry

/// Holds a run that is computed again against its record, number by number, bit by bit.
///
/// What a clock or the allocator says is left out.
package struct ComparisonWithRecord: Sendable {
  package struct Difference: Sendable, Equatable {
    package let step: Int
    package let name: MetricName
    package let recorded: Double
    package let found: Double
  }

  private struct Column {
    let recorded: MetricColumn
    var next = 0
  }

  private var columns: [MetricName: Column] = [:]
  /// The metrics that are left out.
  package private(set) var leftOut: [MetricName] = []
  package private(set) var compared = 0
  package private(set) var differing = 0
  /// Numbers of the record that did not come again.
  package private(set) var missing = 0
  /// Numbers of the record's metrics at steps where it has none.
  package private(set) var additional = 0
  /// Metrics that the record does not have at all, in the order they came: what made it did not
  /// measure them yet, which says nothing against its numbers.
  package private(set) var unrecorded: [MetricName] = []
  private var knownUnrecorded: Set<MetricName> = []
  package private(set) var first: Difference?
  /// The last step of the record.
  package let lastStep: Int
  /// Updates done in the record.
  package let steps: Int

  package init(_ run: RecordedRun) {
    let recorded = run.newest.generations.first?.columns ?? []
    lastStep = recorded.compactMap(\.steps.last).max() ?? -1
    func last(_ name: MetricName) -> Int? { recorded.first { $0.name == name }?.steps.last }
    steps = RunHistory.stepsDone(
      last: lastStep < 0 ? nil : lastStep, loss: last(MetricCatalog.loss),
      heldOut: last(MetricCatalog.evalLoss))
    for column in recorded {
      if MetricCatalog.family(of: column.name)?.isMeasuredByClock == true {
        leftOut.append(column.name)
      } else {
        columns[column.name] = Column(recorded: column)
      }
    }
  }

  package var metricCount: Int { columns.count }
  package var isEqual: Bool { differing == 0 && missing == 0 && additional == 0 }

  /// Compares what one step measured.
  package mutating func take(_ samples: StepSamples) {
    guard samples.step <= lastStep else { return }
    for (name, value) in zip(samples.names, samples.values) {
      guard MetricCatalog.family(of: name)?.isMeasuredByClock != true else { continue }
      guard columns[name] != nil else {
        if knownUnrecorded.insert(name).inserted { unrecorded.append(name) }
        continue
      }
      compare(name, step: samples.step, value: value)
    }
  }

  private mutating func compare(_ name: MetricName, step: Int, value: Double) {
    guard var column = columns[name] else { return }
    defer { columns[name] = column }
    let steps = column.recorded.steps
    while column.next < steps.count, steps[column.next] < step {
      missing += 1
      column.next += 1
    }
    guard column.next < steps.count, steps[column.next] == step else {
      additional += 1
      return
    }
    // Of several samples of one step the last one counts.
    while column.next + 1 < steps.count, steps[column.next + 1] == step { column.next += 1 }
    let recorded = column.recorded.values[column.next]
    column.next += 1
    compared += 1
    guard recorded.bitPattern != value.bitPattern, !(recorded.isNaN && value.isNaN) else { return }
    differing += 1
    if first == nil {
      first = Difference(step: step, name: name, recorded: recorded, found: value)
    }
  }

  /// Counts what of the record did not come.
  package mutating func finish() {
    for (name, column) in columns {
      missing += column.recorded.steps.count - column.next
      columns[name]?.next = column.recorded.steps.count
    }
  }
}
