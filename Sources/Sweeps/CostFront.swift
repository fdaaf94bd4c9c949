import Signals
package import Training

/// The cells that no other beats both in held-out loss and in what it costs.
package struct CostFront: Sendable {
  package enum Cost: String, Sendable, CaseIterable {
    /// Trained on a second, of one core: the more the better.
    case tokensPerSecond = "tokens_per_s"
    /// Of all steps and evaluations.
    case flops
    /// Weights without embedding and unembedding.
    case parameters
    /// Bytes that a run takes, about.
    case memory

    fileprivate var isBetterHigh: Bool { self == .tokensPerSecond }
  }

  package struct Entry: Sendable {
    package let group: SeedGroup
    package let cost: Double
  }

  /// From the cheapest to the dearest, and so from the highest loss to the lowest.
  package let entries: [Entry]
  /// Others, each beaten by one of these.
  package let beaten: Int

  /// - Throws: where a cell's options contradict each other.
  package init(_ results: SweepResults, by cost: Cost) throws(ConfigurationError) {
    var all: [Entry] = []
    for group in results.seedGroups {
      guard let cost = try Self.cost(cost, of: group, in: results) else { continue }
      all.append(Entry(group: group, cost: cost))
    }
    let sign = cost.isBetterHigh ? -1.0 : 1
    let front = all.filter { entry in
      !all.contains { other in
        let (dearer, worse) = (
          sign * (other.cost - entry.cost), other.group.outcome.loss - entry.group.outcome.loss
        )
        return dearer <= 0 && worse <= 0 && (dearer < 0 || worse < 0)
      }
    }
    entries = front.sorted { sign * $0.cost < sign * $1.cost }
    beaten = all.count - front.count
  }

  /// The mean over the cells that have ended.
  private static func cost(
    _ cost: Cost, of group: SeedGroup, in results: SweepResults
  ) throws(ConfigurationError) -> Double? {
    var values: [Double] = []
    for place in group.cells {
      guard let result = results.results[results.cells[place].number] else { continue }
      switch cost {
      case .tokensPerSecond:
        if result.seconds > 0 { values.append(Double(result.tokens) / result.seconds) }
      case .flops: values.append(results.costs[place].flops)
      case .parameters: values.append(Double(results.costs[place].parameters))
      case .memory: values.append(try results.cells[place].configuration().estimatedBytes)
      }
    }
    return values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
  }
}
