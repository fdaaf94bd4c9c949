import Telemetry

/// The loss far above its recent values, with the gradient norm as evidence.
///
/// Standard deviations over the last 1,000 values, seven unless told otherwise; and, since the first descent is in that
/// window for a thousand steps and hides all but the largest spikes there, seven deviations
/// of what is left over a short average of the values before.
///
/// A spike is over only where the loss is back at its level of before: the windows take its own
/// values in and get used to them.
struct LossSpikeRule: Sendable, Equatable, Codable {
  /// A jump by less than this share of the mean is no trouble, however still the loss has been.
  private static let leastShare = 1e-3
  /// Of the score at which it raises.
  private static let calm = 3.0 / 7

  private var loss = SpikeDetector()
  private var trend = DebiasedAverage(weight: 0.9)
  private var remainder = SpikeDetector()
  private var gradNorm = SpikeDetector()
  private var before: Before?

  /// What the loss was before the spike.
  private struct Before: Sendable, Equatable, Codable {
    let mean: Double
    let deviation: Double
    /// The level up to which the loss is back; nil where none was known.
    let sound: Double?
    var quietSteps = 0
  }

  mutating func findings(_ context: AlarmContext, levels: LossLevels) -> [AlarmFinding] {
    guard let value = context.value(context.layout.loss), value.isFinite else { return [] }
    let (score, mean, deviation) = score(value)
    let evidence = gradientEvidence(context)
    guard !score.isNaN else { return [] }
    let level = context.level(.lossSpike)
    let isSpike = score >= level && value - mean > Self.leastShare * abs(mean)
    if isSpike, before == nil {
      before = Before(mean: mean, deviation: deviation, sound: levels.lastBlockSound)
    }
    return [
      AlarmFinding(
        rule: .lossSpike, reading: reading(value, levels.lastBlock, score: score, level: level),
        alarm: { Self.text(loss: value, mean: mean, score: score, gradient: evidence) },
        calm: { "loss back at \(NumberText.compact(value))" })
    ]
  }

  /// Counted from the level before the spike where there was one.
  private mutating func reading(
    _ value: Double, _ median: Double?, score: Double, level: Double
  ) -> AlarmLatch.Reading {
    guard let known = before else { return score < Self.calm * level ? .quiet : .between }
    func limit(_ deviations: Double) -> Double {
      known.mean + max(deviations * known.deviation, Self.leastShare * abs(known.mean))
    }
    let isBack = (median ?? value) <= known.sound ?? .infinity
    guard isBack, value <= limit(Self.calm * level) else {
      before?.quietSteps = 0
      return value >= limit(level) ? .trouble : .between
    }
    before?.quietSteps += 1
    if known.quietSteps >= AlarmRule.lossSpike.patience.quiet { before = nil }
    return .quiet
  }

  /// The larger of both scores, with the mean that it counts from and the deviation it counts in.
  private mutating func score(
    _ value: Double
  ) -> (score: Double, mean: Double, deviation: Double) {
    let (mean, level) = (loss.mean, trend.value)
    let (deviation, remainderDeviation) = (loss.deviation, remainder.deviation)
    let score = loss.add(value)
    let trendScore = level.isNaN ? .nan : remainder.add(value - level)
    trend.add(value)
    return trendScore > score || score.isNaN
      ? (trendScore, level, remainderDeviation) : (score, mean, deviation)
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
      sentence: sentence + ": a bad batch, or the rate is too high", hint: .halveRate,
      values: values)
  }
}
