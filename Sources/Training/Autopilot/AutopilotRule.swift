package import Telemetry

/// What `[[when]]` says: commands to give where a metric passes a bound.
package struct AutopilotRule: Sendable, Equatable {
  package enum Bound: Sendable, Equatable {
    case above(Double)
    case below(Double)

    /// NaN is beyond any bound.
    func isPassed(by value: Double) -> Bool {
      guard !value.isNaN else { return true }
      return switch self {
      case .above(let bound): value > bound
      case .below(let bound): value < bound
      }
    }

    var words: String {
      switch self {
      case .above(let bound): "above \(SettingValue.number(bound))"
      case .below(let bound): "below \(SettingValue.number(bound))"
      }
    }
  }

  package let metric: MetricName
  package let bound: Bound
  package let commands: [Command]
  /// How often it fires at most in a run, stretches that are gone back over included.
  package let limit: Int
  /// The first step whose metric counts.
  package let after: Int
  /// For how many steps the metric must be beyond the bound without a break.
  package let steps: Int

  package init(
    metric: MetricName, bound: Bound, commands: [Command], limit: Int = 1, after: Int = 0,
    steps: Int = 0
  ) {
    self.metric = metric
    self.bound = bound
    self.commands = commands
    self.limit = limit
    self.after = after
    self.steps = steps
  }
}

extension AutopilotRule: Codable {
  private enum Key: String, CodingKey {
    case metric, above, below, commands, limit, after
    case steps = "for"
  }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    metric = try container.decode(MetricName.self, forKey: .metric)
    if let above = try container.decodeIfPresent(Double.self, forKey: .above) {
      bound = .above(above)
    } else {
      bound = .below(try container.decode(Double.self, forKey: .below))
    }
    commands = try container.decode([String].self, forKey: .commands).map {
      try Command(words: $0)
    }
    limit = try container.decode(Int.self, forKey: .limit)
    // Checkpoints from before there were these have none of them.
    after = try container.decodeIfPresent(Int.self, forKey: .after) ?? 0
    steps = try container.decodeIfPresent(Int.self, forKey: .steps) ?? 0
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(metric, forKey: .metric)
    switch bound {
    case .above(let bound): try container.encode(bound, forKey: .above)
    case .below(let bound): try container.encode(bound, forKey: .below)
    }
    try container.encode(commands.map(\.words), forKey: .commands)
    try container.encode(limit, forKey: .limit)
    try container.encode(after, forKey: .after)
    try container.encode(steps, forKey: .steps)
  }
}
