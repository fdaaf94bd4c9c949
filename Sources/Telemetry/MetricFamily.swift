/// How the samples of a metric are summed up where many fall into one column or one number.
package enum MetricReduction: String, Sendable, Codable {
  case mean, maximum, last
}

/// The width in which a metric is computed, and so recorded: every bit comes back.
package enum MetricPrecision: Int, Sendable, Codable {
  case float32 = 4
  case float64 = 8
}

/// One line of the table that help, the README and the dashboard read.
package struct MetricFamily: Sendable {
  /// The name with its variable parts in capitals: `expert_load/L/E`.
  package let pattern: String
  package let unit: String
  package let meaning: String
  package let reduction: MetricReduction
  package let precision: MetricPrecision
  /// Whether a clock or the allocator says it, so that no two runs agree on it.
  package let isMeasuredByClock: Bool
  /// The words of the pattern before its first variable part.
  package let stem: String
  /// How many words there are in a name.
  let partCount: Int
  /// How many of them are the stem's.
  let stemPartCount: Int

  package init(
    _ pattern: String, unit: String, reduction: MetricReduction,
    precision: MetricPrecision = .float32, isMeasuredByClock: Bool = false, meaning: String
  ) {
    self.pattern = pattern
    self.unit = unit
    self.reduction = reduction
    self.precision = precision
    self.isMeasuredByClock = isMeasuredByClock
    self.meaning = meaning
    let parts = pattern.split(separator: "/")
    let fixed = parts.prefix { $0 != $0.uppercased() || $0 == $0.lowercased() }
    stem = fixed.joined(separator: "/")
    (partCount, stemPartCount) = (parts.count, fixed.count)
  }

  package var parts: [Substring] { pattern.split(separator: "/") }
}
