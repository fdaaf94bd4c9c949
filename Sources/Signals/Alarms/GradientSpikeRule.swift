import Telemetry

/// The gradient norm of another program's run far above its recent values.
///
/// Norms have long tails: beside the deviations it must be three times its recent mean.
struct GradientSpikeRule: Sendable {
  private static let leastRatio = 3.0
  /// Of the score at which it raises.
  private static let calm = 0.3

  private var norm = SpikeDetector()
  private var latch = AlarmLatch()

  /// - Returns: the alarm that this step raised or ended.
  mutating func take(_ samples: StepSamples, thresholds: AlarmThresholds) -> [RunEvent] {
    let rule = AlarmRule.gradientSpike
    guard thresholds.isOn(rule), let value = samples[MetricCatalog.gradNorm], value.isFinite
    else { return [] }
    let mean = norm.mean
    let score = norm.add(value)
    guard !score.isNaN else { return [] }
    let level = thresholds.level(rule)
    let reading: AlarmLatch.Reading =
      score >= level && value > Self.leastRatio * mean
      ? .trouble : score < Self.calm * level ? .quiet : .between
    let change = latch.read(reading, step: samples.step, patience: rule.patience)
    switch change {
    case .raised:
      let ratio = NumberText.compact(value / mean, digits: 2)
      let sentence =
        "gradient norm \(NumberText.compact(value)) is \(ratio)× its recent mean: "
        + "a bad batch, or the rate is too high"
      return [Self.event(samples, .alarm, sentence, ["grad_norm": value, "grad_norm.mean": mean])]
    case .calmed:
      return [Self.event(samples, .calm, "gradient norm back at \(NumberText.compact(value))", [:])]
    case nil: return []
    }
  }

  private static func event(
    _ samples: StepSamples, _ kind: RunEvent.Kind, _ text: String, _ values: [String: Double]
  ) -> RunEvent {
    RunEvent(
      step: samples.step, wallTime: samples.wallTime, kind: kind, by: "alarm",
      name: AlarmRule.gradientSpike.name, text: text, values: values)
  }
}
