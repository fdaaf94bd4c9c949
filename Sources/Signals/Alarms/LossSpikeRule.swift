import Telemetry

/// The loss far above its recent values, with the gradient norm as evidence.
struct LossSpikeRule: Sendable, Equatable, Codable {
  /// A jump by less than this share of the mean is no trouble, however still the loss has been.
  private static let leastShare = 1e-3

  private var loss = SpikeDetector()
  private var gradNorm = SpikeDetector()

  mutating func findings(_ context: AlarmContext) -> [AlarmFinding] {
    guard let value = context.value(context.layout.loss), value.isFinite else { return [] }
    let mean = loss.mean
    let score = loss.add(value)
    let evidence = gradientEvidence(context)
    guard !score.isNaN else { return [] }
    let isSpike = score >= SpikeDetector.threshold && value - mean > Self.leastShare * abs(mean)
    return [
      AlarmFinding(
        rule: .lossSpike, reading: isSpike ? .trouble : (score < 3 ? .quiet : .between),
        alarm: { Self.text(loss: value, mean: mean, score: score, gradient: evidence) },
        calm: { "loss back at \(NumberText.compact(value))" })
    ]
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
