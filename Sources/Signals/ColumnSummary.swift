/// What a run of samples comes to: enough to draw a column that hides no spike.
///
/// NaN and infinities never enter the range; they are counted, so that they can be marked.
package struct ColumnSummary: Sendable, Equatable {
  package private(set) var minimum = Double.infinity
  package private(set) var maximum = -Double.infinity
  package private(set) var sum = 0.0
  package private(set) var finiteCount = 0
  package private(set) var nonFiniteCount = 0

  package init() {}

  /// A summary as it was stored; the range of one without finite samples is empty.
  package init(
    minimum: Double, maximum: Double, sum: Double, finiteCount: Int, nonFiniteCount: Int
  ) {
    self.minimum = minimum
    self.maximum = maximum
    self.sum = sum
    self.finiteCount = finiteCount
    self.nonFiniteCount = nonFiniteCount
  }

  package init(_ value: Double) {
    add(value)
  }

  package var isEmpty: Bool { finiteCount == 0 && nonFiniteCount == 0 }

  /// Mean of the finite samples; NaN where there is none.
  package var mean: Double { finiteCount > 0 ? sum / Double(finiteCount) : .nan }

  package mutating func add(_ value: Double) {
    guard value.isFinite else {
      nonFiniteCount += 1
      return
    }
    minimum = Swift.min(minimum, value)
    maximum = Swift.max(maximum, value)
    sum += value
    finiteCount += 1
  }

  package mutating func add(_ other: ColumnSummary) {
    minimum = Swift.min(minimum, other.minimum)
    maximum = Swift.max(maximum, other.maximum)
    sum += other.sum
    finiteCount += other.finiteCount
    nonFiniteCount += other.nonFiniteCount
  }
}
