/// TensorBoard's smoothing: an exponential average that does not lean towards its start at 0.
///
/// s ← w·s + (1 − w)·y, drawn as s / (1 − wⁿ) over the n finite values so far. A value that is not
/// finite is drawn as it is and counts for nothing; a series that has been constant so far is drawn
/// as it is, without rounding.
/// - Cost: constant a value.
/// - Source: TensorBoard, `line_chart`'s resmoothing.
package struct DebiasedAverage: Sendable, Equatable, Codable {
  /// w: the share that the past keeps at each value, from 0 (no smoothing) to just below 1.
  package let weight: Double
  private var sum = 0.0
  /// wⁿ: the share of the average that is still its start.
  private var remainder = 1.0
  private var constant: Double?
  private var isConstant = true

  package init(weight: Double) {
    precondition(weight >= 0 && weight < 1, "smoothing weight \(weight) is not in 0..<1")
    self.weight = weight
  }

  /// The average so far; NaN before the first finite value.
  package var value: Double {
    guard let constant else { return .nan }
    return isConstant ? constant : sum / (1 - remainder)
  }

  /// Takes one value in and returns what is drawn for it.
  @discardableResult
  package mutating func add(_ value: Double) -> Double {
    guard value.isFinite else { return value }
    let first = constant ?? value
    constant = first
    isConstant = isConstant && value == first
    sum = weight * sum + (1 - weight) * value
    remainder *= weight
    return self.value
  }
}
