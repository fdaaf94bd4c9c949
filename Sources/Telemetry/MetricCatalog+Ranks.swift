extension MetricCatalog {
  /// What each rank of a run says of itself at every step, and rank 0 of all of them.
  static let rankFamilies: [MetricFamily] = [
    MetricFamily(
      "rank/step_seconds/R", unit: "s", reduction: .mean, isMeasuredByClock: true,
      meaning: "time that rank R took for the step, its waiting for others included"),
    MetricFamily(
      "rank/waiting_seconds/R", unit: "s", reduction: .mean, isMeasuredByClock: true,
      meaning: "time of it that rank R spent in exchanges with other ranks"),
    MetricFamily(
      "rank/memory_bytes/R", unit: "bytes", reduction: .maximum, isMeasuredByClock: true,
      meaning: "resident memory of rank R"),
    MetricFamily(
      "rank/stray_weights", unit: "", reduction: .maximum, isMeasuredByClock: true,
      meaning:
        "ranks whose weights are not rank 0's: every 100 steps, with --shard-optimizer at each, where"
        + " it stays until the run goes back; 0 where all is well"
    ),
    MetricFamily(
      "rank/loss/R", unit: "nats/token", reduction: .mean, precision: .float64,
      meaning: "loss that rank R of another program's run says of its own part of the batch"),
    MetricFamily(
      "rank/loss_spread", unit: "nats/token", reduction: .maximum, precision: .float64,
      meaning: "largest less smallest loss of such ranks at a step that all of them have told"),
    MetricFamily(
      "rank/lag_seconds/R", unit: "s", reduction: .maximum, isMeasuredByClock: true,
      meaning: "how much later than the first of them such a rank told a step"),
  ]

  package static let rankLossSpread: MetricName = "rank/loss_spread"

  package static func rankLoss(_ rank: Int) -> MetricName { MetricName("rank/loss/\(rank)") }

  package static func rankLag(_ rank: Int) -> MetricName {
    MetricName("rank/lag_seconds/\(rank)")
  }

  package static func rankSeconds(_ rank: Int) -> MetricName {
    MetricName("rank/step_seconds/\(rank)")
  }

  package static func rankWaiting(_ rank: Int) -> MetricName {
    MetricName("rank/waiting_seconds/\(rank)")
  }

  package static func rankMemory(_ rank: Int) -> MetricName {
    MetricName("rank/memory_bytes/\(rank)")
  }

  package static let strayWeights: MetricName = "rank/stray_weights"
}
