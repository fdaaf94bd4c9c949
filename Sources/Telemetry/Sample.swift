/// All that one step measured: one value a name, in the order of `names`.
///
/// `names` is shared by every step of a run that measures the same things, so that a step costs one
/// array of numbers.
public struct StepSamples: Sendable, Equatable {
  public var step: Int
  /// Seconds since 1970.
  public var wallTime: Double
  public var names: [MetricName]
  public var values: [Double]

  package init(step: Int, wallTime: Double, names: [MetricName], values: [Double]) {
    precondition(names.count == values.count, "\(names.count) names for \(values.count) values")
    self.step = step
    self.wallTime = wallTime
    self.names = names
    self.values = values
  }

  public subscript(name: MetricName) -> Double? {
    guard let index = names.firstIndex(of: name) else { return nil }
    return values[index]
  }
}

/// Many steps of one metric, as a session file hands them out; steps ascend within one generation.
public struct MetricColumn: Sendable, Equatable {
  public var name: MetricName
  public var steps: [Int]
  public var values: [Double]

  package init(name: MetricName, steps: [Int], values: [Double]) {
    precondition(steps.count == values.count, "\(steps.count) steps for \(values.count) values")
    self.name = name
    self.steps = steps
    self.values = values
  }

  /// The column that carries each step's wall time (seconds since 1970).
  package static let wallTime: MetricName = "wall_time"
}
