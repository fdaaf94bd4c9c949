/// The samples of one metric in the order of their steps, with a pyramid over them.
///
/// Nothing is sampled away: a column of any width shows the minimum and maximum of all it covers.
package struct Series: Sendable {
  package private(set) var steps: [Int] = []
  package private(set) var values: [Double] = []
  /// How often samples were taken away again, so that what is computed from a series knows when to
  /// start anew.
  package private(set) var truncations = 0
  private var pyramid = Pyramid()

  package init() {}

  package init(steps: [Int], values: [Double]) {
    for (step, value) in zip(steps, values) { append(step: step, value: value) }
  }

  package var count: Int { steps.count }
  package var isEmpty: Bool { steps.isEmpty }
  package var firstStep: Int? { steps.first }
  package var lastStep: Int? { steps.last }
  package var lastValue: Double? { values.last }

  /// Adds a sample after the last one. A step that is already there takes the new value; one before
  /// the last is the caller's to sort out (a new generation) and is left out here.
  package mutating func append(step: Int, value: Double) {
    if let last = steps.last, step <= last {
      guard step == last else { return }
      truncate(toCount: steps.count - 1)
    }
    steps.append(step)
    values.append(value)
    pyramid.extend(values: values)
  }

  /// Takes the samples from `step` on away and returns them.
  package mutating func cut(from step: Int) -> Series {
    let start = index(atOrAfter: step)
    let rest = Series(steps: Array(steps[start...]), values: Array(values[start...]))
    truncate(toCount: start)
    return rest
  }

  private mutating func truncate(toCount count: Int) {
    guard count < steps.count else { return }
    truncations += 1
    steps.removeLast(steps.count - count)
    values.removeLast(values.count - count)
    pyramid.truncate(toCount: count)
  }

  /// Index of the first sample at or after `step`; `count` where there is none.
  package func index(atOrAfter step: Int) -> Int {
    var low = 0
    var high = steps.count
    while low < high {
      let middle = (low + high) / 2
      if steps[middle] < step { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// Index of the last sample at or before `step`.
  package func index(atOrBefore step: Int) -> Int? {
    let next = index(atOrAfter: step)
    if next < count, steps[next] == step { return next }
    return next > 0 ? next - 1 : nil
  }

  /// Value of the last sample at or before `step`.
  package func value(atOrBefore step: Int) -> Double? {
    index(atOrBefore: step).map { values[$0] }
  }

  /// Value of the sample of exactly this step.
  package func value(at step: Int) -> Double? {
    let index = index(atOrAfter: step)
    return index < steps.count && steps[index] == step ? values[index] : nil
  }

  /// What the samples with steps in `range` come to.
  package func summary(of range: Range<Int>) -> ColumnSummary {
    let bounds = index(atOrAfter: range.lowerBound)..<index(atOrAfter: range.upperBound)
    return pyramid.summary(of: bounds, values: values)
  }

  /// One summary a column: column `i` covers the steps from `edges[i]` up to `edges[i + 1]`.
  ///
  /// Costs a time logarithmic in the number of samples, a column.
  /// - Parameter edges: ascending steps, one more than there are columns.
  /// - Returns: the summaries, empty where a column covers no sample.
  package func columns(edges: [Int]) -> [ColumnSummary] {
    guard edges.count > 1 else { return [] }
    let indices = edges.map { index(atOrAfter: $0) }
    return (0..<edges.count - 1).map { column in
      let range = indices[column]..<Swift.max(indices[column], indices[column + 1])
      return pyramid.summary(of: range, values: values)
    }
  }
}
