import Telemetry

/// The samples of one metric in the order of their steps, with a pyramid over them.
///
/// Nothing is sampled away: a column of any width shows the minimum and maximum of all it covers.
/// The older samples of a long recording lie in archived columns; what is appended is in memory.
package struct Series: Sendable {
  /// How often samples were taken away again, so that what is computed from a series knows when to
  /// start anew.
  package private(set) var truncations = 0
  private var archive = SeriesArchive()
  /// The samples behind the archive.
  private var tailSteps: [Int] = []
  private var tailValues: [Double] = []
  private var pyramid = Pyramid()

  package init() {}

  package init(steps: [Int], values: [Double]) {
    for (step, value) in zip(steps, values) { append(step: step, value: value) }
  }

  package var count: Int { archive.count + tailSteps.count }
  package var isEmpty: Bool { count == 0 }
  /// Whether samples lie elsewhere, so that looking at many of them one by one takes time.
  package var isArchived: Bool { archive.count > 0 }
  package var firstStep: Int? { archive.count > 0 ? archive.firstStep : tailSteps.first }
  package var lastStep: Int? { tailSteps.last ?? archive.lastStep }
  package var lastValue: Double? { isEmpty ? nil : value(atIndex: count - 1) }

  /// All steps. Of an archived series this fetches them all: see `samples(in:)`.
  package var steps: [Int] { isArchived ? samples(in: 0..<count).steps : tailSteps }
  /// All values. Of an archived series this fetches them all: see `samples(in:)`.
  package var values: [Double] { isArchived ? samples(in: 0..<count).values : tailValues }

  /// Adds a sample after the last one. A step that is already there takes the new value; one before
  /// the last is the caller's to sort out (a new generation) and is left out here.
  package mutating func append(step: Int, value: Double) {
    if let last = lastStep, step <= last {
      guard step == last else { return }
      truncate(toCount: count - 1)
    }
    put(step: step, value: value)
  }

  private mutating func put(step: Int, value: Double) {
    tailSteps.append(step)
    tailValues.append(value)
    pyramid.extend(values: tailValues)
  }

  /// Adds a sample after the last one; one that is there already, to the last bit, is that one.
  ///
  /// - Returns: false, and nothing is added, where the sample goes back.
  mutating func extend(step: Int, value: Double) -> Bool {
    if let last = lastStep, step <= last {
      return step == last && lastValue?.bitPattern == value.bitPattern
    }
    append(step: step, value: value)
    return true
  }

  /// Adds the samples of a column from number `start` on, up to the first that goes back.
  ///
  /// - Returns: that one's number, or how many there are.
  mutating func extend(with column: MetricColumn, from start: Int) -> Int {
    var next = start
    while next < column.steps.count {
      guard extend(step: column.steps[next], value: column.values[next]) else { return next }
      var end = next + 1
      while end < column.steps.count, column.steps[end] > column.steps[end - 1] { end += 1 }
      put(column, next + 1..<end)
      next = end
    }
    return next
  }

  /// Adds samples that ascend behind the last one.
  private mutating func put(_ column: MetricColumn, _ range: Range<Int>) {
    guard !range.isEmpty else { return }
    let before = tailValues.count
    tailSteps.append(contentsOf: column.steps[range])
    tailValues.append(contentsOf: column.values[range])
    pyramid.extend(values: tailValues, from: before)
  }

  /// Adds the samples of a column that lie behind the last one.
  package mutating func append(_ column: ArchivedColumn) {
    let start = lastStep.map { column.position(atOrAfter: $0 + 1) } ?? 0
    guard start < column.count else { return }
    guard tailSteps.isEmpty else {
      var (steps, values): ([Int], [Double]) = ([], [])
      column.append(start..<column.count, to: &steps, &values)
      for (step, value) in zip(steps, values) { append(step: step, value: value) }
      return
    }
    archive.append(column, from: start)
  }

  /// Samples that are held in memory, and not archived.
  package var countInMemory: Int { tailSteps.count }

  /// Leaves to `other`'s archive what it holds of the same samples. Nothing changes where the two
  /// do not agree on how many those are.
  package mutating func leaveSamples(toArchiveOf other: Series) {
    guard let last = other.archive.lastStep, other.archive.count >= archive.count,
      index(atOrAfter: last + 1) == other.archive.count
    else { return }
    let rest = samples(in: other.archive.count..<count)
    archive = other.archive
    (tailSteps, tailValues, pyramid) = ([], [], Pyramid())
    for (step, value) in zip(rest.steps, rest.values) { put(step: step, value: value) }
  }

  /// Takes the samples from `step` on away and returns them.
  package mutating func cut(from step: Int) -> Series {
    let start = index(atOrAfter: step)
    var rest = Series()
    rest.archive = archive.dropping(before: start)
    let tailStart = max(0, start - archive.count)
    for index in tailStart..<max(tailStart, tailSteps.count) {
      rest.append(step: tailSteps[index], value: tailValues[index])
    }
    truncate(toCount: start)
    return rest
  }

  private mutating func truncate(toCount count: Int) {
    guard count < self.count else { return }
    truncations += 1
    let left = max(0, count - archive.count)
    archive.truncate(toCount: count)
    tailSteps.removeLast(tailSteps.count - left)
    tailValues.removeLast(tailValues.count - left)
    pyramid.truncate(toCount: left)
  }
}

extension Series {
  package func value(atIndex index: Int) -> Double {
    index < archive.count ? archive.value(at: index) : tailValues[index - archive.count]
  }

  package func step(atIndex index: Int) -> Int {
    index < archive.count ? archive.step(at: index) : tailSteps[index - archive.count]
  }

  /// The samples with these indices.
  package func samples(in range: Range<Int>) -> (steps: [Int], values: [Double]) {
    var (steps, values): ([Int], [Double]) = ([], [])
    let stored = range.clamped(to: 0..<archive.count)
    archive.append(stored, to: &steps, &values)
    let start = max(range.lowerBound, archive.count) - archive.count
    let end = max(range.upperBound, archive.count) - archive.count
    return (steps + tailSteps[start..<end], values + tailValues[start..<end])
  }

  /// Index of the first sample at or after `step`; `count` where there is none.
  package func index(atOrAfter step: Int) -> Int {
    if let last = archive.lastStep, step <= last { return archive.position(atOrAfter: step) }
    guard let first = tailSteps.first, step > first else { return archive.count }
    if tailSteps[tailSteps.count - 1] - first == tailSteps.count - 1 {
      return archive.count + min(step - first, tailSteps.count)  // no step left out
    }
    var low = 0
    var high = tailSteps.count
    while low < high {
      let middle = (low + high) / 2
      if tailSteps[middle] < step { low = middle + 1 } else { high = middle }
    }
    return archive.count + low
  }

  /// Index of the last sample at or before `step`.
  package func index(atOrBefore step: Int) -> Int? {
    let next = index(atOrAfter: step)
    if next < count, self.step(atIndex: next) == step { return next }
    return next > 0 ? next - 1 : nil
  }

  /// Value of the last sample at or before `step`.
  package func value(atOrBefore step: Int) -> Double? {
    index(atOrBefore: step).map { value(atIndex: $0) }
  }

  /// Value of the sample of exactly this step.
  package func value(at step: Int) -> Double? {
    let index = index(atOrAfter: step)
    return index < count && self.step(atIndex: index) == step ? value(atIndex: index) : nil
  }

  /// What the samples with steps in `range` come to.
  package func summary(of range: Range<Int>) -> ColumnSummary {
    summary(ofIndices: index(atOrAfter: range.lowerBound)..<index(atOrAfter: range.upperBound))
  }

  private func summary(ofIndices range: Range<Int>) -> ColumnSummary {
    var total = ColumnSummary()
    archive.add(range.clamped(to: 0..<archive.count), to: &total)
    let start = max(range.lowerBound, archive.count) - archive.count
    let end = max(range.upperBound, archive.count) - archive.count
    total.add(pyramid.summary(of: start..<end, values: tailValues))
    return total
  }

  /// One summary a column: column `i` covers the steps from `edges[i]` up to `edges[i + 1]`.
  ///
  /// Costs a time logarithmic in the number of samples, a column. Between two columns of an
  /// archived series that both hold many samples the border moves by up to 32 of them, to where the
  /// archive has a block's end: each sample is in one column as before, and nothing has to be
  /// fetched.
  /// - Parameter edges: ascending steps, one more than there are columns.
  /// - Returns: the summaries, empty where a column covers no sample.
  package func columns(edges: [Int]) -> [ColumnSummary] {
    guard edges.count > 1 else { return [] }
    var indices = edges.map { index(atOrAfter: $0) }
    if isArchived { moveToBorders(&indices) }
    return (0..<edges.count - 1).map { column in
      summary(ofIndices: indices[column]..<Swift.max(indices[column], indices[column + 1]))
    }
  }

  /// So many samples on both sides make half a block invisible.
  private static let manySamples = 4 * ArchivedColumn.blockLength

  private func moveToBorders(_ indices: inout [Int]) {
    let exact = indices
    for edge in exact.indices.dropFirst().dropLast() {
      guard exact[edge] - exact[edge - 1] >= Self.manySamples,
        exact[edge + 1] - exact[edge] >= Self.manySamples
      else { continue }
      guard exact[edge] < archive.count else { continue }
      indices[edge] = archive.nearestBorder(to: exact[edge])
    }
  }
}
