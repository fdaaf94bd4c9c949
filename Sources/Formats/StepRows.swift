import Telemetry

/// Columns gone through step by step: each step with the values that the columns have there.
///
/// Where a column has several samples of one step the last one counts.
struct StepRows {
  private let columns: [MetricColumn]
  private var next: [Int]
  /// The step of each column's next sample; `Int.max` behind its last.
  private var steps: [Int]

  init(_ columns: [MetricColumn]) {
    self.columns = columns
    next = columns.map { _ in 0 }
    steps = columns.map { $0.steps.first ?? .max }
  }

  /// The next step, and which sample of each column is its; nil where a column has none.
  mutating func nextRow(_ samples: inout [Int?]) -> Int? {
    var lowest = Int.max
    for step in steps { lowest = min(lowest, step) }
    guard lowest < .max || steps.indices.contains(where: hasMore) else { return nil }
    samples.removeAll(keepingCapacity: true)
    for index in steps.indices {
      guard steps[index] <= lowest, hasMore(index) else {
        samples.append(nil)
        continue
      }
      samples.append(pass(lowest, of: index))
    }
    return lowest
  }

  private func hasMore(_ index: Int) -> Bool { next[index] < columns[index].steps.count }

  /// Goes past the samples of `step` in a column and gives the last of them.
  private mutating func pass(_ step: Int, of index: Int) -> Int {
    let count = columns[index].steps.count
    var place = next[index] + 1
    while place < count, columns[index].steps[place] <= step { place += 1 }
    next[index] = place
    steps[index] = place < count ? columns[index].steps[place] : .max
    return place - 1
  }
}
