import Telemetry

/// Columns gone through step by step: each step with the values that the columns have there.
///
/// Where a column has several samples of one step the last one counts.
struct StepRows {
  private let columns: [MetricColumn]
  private var next: [Int]

  init(_ columns: [MetricColumn]) {
    self.columns = columns
    next = columns.map { _ in 0 }
  }

  /// The next step, and which sample of each column is its; nil where a column has none.
  mutating func nextRow(_ samples: inout [Int?]) -> Int? {
    var lowest: Int?
    for (index, column) in columns.enumerated() where next[index] < column.steps.count {
      let step = column.steps[next[index]]
      lowest = min(lowest ?? step, step)
    }
    guard let lowest else { return nil }
    samples.removeAll(keepingCapacity: true)
    for (index, column) in columns.enumerated() {
      var found: Int?
      while next[index] < column.steps.count, column.steps[next[index]] <= lowest {
        found = next[index]
        next[index] += 1
      }
      samples.append(found)
    }
    return lowest
  }
}
