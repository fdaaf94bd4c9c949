/// What a machine has said since a step was told last, so that one value a metric goes with the next:
/// the mean of what it was meanwhile, or the largest.
package struct MachineReadings: Sendable {
  private struct Sum {
    var total = 0.0
    var count = 0
    var largest = -Double.infinity
    var last = 0.0
  }

  private var names: [MetricName] = []
  private var sums: [MetricName: Sum] = [:]

  package init() {}

  package var isEmpty: Bool { names.isEmpty }

  /// Takes a value in; one that is not finite says nothing of a machine.
  package mutating func add(_ name: MetricName, _ value: Double) {
    guard value.isFinite else { return }
    if sums[name] == nil { names.append(name) }
    var sum = sums[name] ?? Sum()
    sum.total += value
    sum.count += 1
    sum.largest = max(sum.largest, value)
    sum.last = value
    sums[name] = sum
  }

  /// A value a metric, in the order in which they came first; what comes is counted anew.
  package mutating func take() -> [(name: MetricName, value: Double)] {
    defer { (names, sums) = ([], [:]) }
    return names.compactMap { name in
      guard let sum = sums[name] else { return nil }
      let value =
        switch MetricCatalog.family(of: name)?.reduction ?? .mean {
        case .mean: sum.total / Double(sum.count)
        case .maximum: sum.largest
        case .last: sum.last
        }
      return (name, value)
    }
  }
}
