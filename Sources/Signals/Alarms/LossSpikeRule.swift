import Telemetry

/// The loss far above its recent values, with the gradient norm as evidence.
///
/// Standard deviations over the last 1,000 values, seven unless told otherwise; and, since the first descent is in that
/// window for a thousand steps and hides all but the largest spikes there, seven deviations
/// of what is left over a short average of the values before.
struct LossSpikeRule: Sendable, Equatable, Codable {
  /// A jump by less than this share of the mean is no trouble, however still the loss has been.
  private static let leastShare = 1e-3
  /// Of the score at which it raises.
  private static let calm = 3.0 / 7

  private var loss = SpikeDetector()
  private var trend = DebiasedAverage(weight: 0.9)
  private var remainder = SpikeDetector()
  private var gradNorm = SpikeDetector()

  mutating func findings(_ context: AlarmContext) -> [AlarmFinding] {
    guard let value = context.value(context.layout.loss), value.isFinite else { return [] }
    let (score, mean) = score(value)
    let evidence = gradientEvidence(context)
    guard !score.isNaN else { return [] }
    let level = context.level(.lossSpike)
    let isSpike = score >= level && value - mean > Self.leastShare * abs(mean)
    return [
      AlarmFinding(
        rule: .lossSpike,
        reading: isSpike ? .trouble : (score < Self.calm * level ? .quiet : .between),
        alarm: { Self.text(loss: value, mean: mean, score: score, gradient: evidence) },
        calm: { "loss back at \(NumberText.compact(value))" })
    ]
  }

  /// The larger of both scores, with the mean that it counts from.
  private mutating func score(_ value: Double) -> (score: Double, mean: Double) {
    let (mean, level) = (loss.mean, trend.value)
    let score = loss.add(value)
    let trendScore = level.isNaN ? .nan : remainder.add(value - level)
    trend.add(value)
    return trendScore > score || score.isNaN ? (trendScore, level) : (score, mean)
  }

  private struct GradientEvidence {
    let value: Double
    let mean: Double
  }

  private mutating func gradientEvidence(_ context: AlarmContext) -> GradientEvidence? {
    guard let value = context.value(context.layout.gradNorm), value.isFinite else { return nil }
    let mean = gradNorm.mean
    gradNorm.add(value)
    return mean > 0 ? GradientEvidence(value: value, mean: mean) : nil
  }

  private static func text(
    loss: Double, mean: Double, score: Double, gradient: GradientEvidence?
  ) -> AlarmText {
    var sentence =
      "loss \(NumberText.compact(loss)) is \(NumberText.compact(score, digits: 2))σ above "
      + "its recent mean \(NumberText.compact(mean))"
    var values = ["loss": loss, "loss.mean": mean]
    if score.isFinite { values["loss.sigma"] = score }
    if let gradient {
      let ratio = gradient.value / gradient.mean
      sentence += ", gradient norm \(NumberText.compact(ratio, digits: 2))× its mean"
      values["grad_norm"] = gradient.value
      values["grad_norm.mean"] = gradient.mean
    }
    return AlarmText(
      sentence: sentence + ": a bad batch, or the rate is too high", hint: "{: halve the rate",
      values: values)
  }
}
