import Kernels
import Models
import Telemetry

/// How good a text is that a model wrote after a prompt.
package typealias TextReward = @Sendable (_ prompt: [UInt8], _ text: [UInt8]) throws -> Double

/// ReMax: what the model writes is made likelier by as much as its reward is above that of what the
/// same weights write greedily.
///
/// loss = 1/B Σ_answers Σ_t (−(r − r')·ln π(a_t) + β·KL(π(·|s_t)‖π₀(·|s_t))). r' does not depend on what
/// was drawn, so that the gradient has no bias from it; there is no value network. Bytes have no end:
/// an answer is the rest of its window. Each prompt is the beginning of a window of the data and has up
/// to four answers, drawn at temperature 1 from all bytes, and one greedy one.
/// - Cost: two generations, one forward pass of the reference, and the step's own passes
/// - Source: Li et al. 2023 (2310.10505), with γ = 1; the divergence over all bytes is derived, where
///   theirs is that of the byte drawn
struct RewardObjective: StepObjective {
  private let reward: TextReward
  private let promptBytes: Int
  private let pull: Float
  private let seed: UInt64
  private let pool: WorkerPool
  private var writer: InferenceEngine?
  private var steering: Steering?
  private var judged = Judged()

  /// Answers to one prompt.
  private static let answers = 4

  /// What a step's texts came to.
  private struct Judged {
    var rewards: [Double] = []
    /// Those of the greedy texts, once for each answer.
    var baselines: [Double] = []

    var advantages: [Double] { zip(rewards, baselines).map { $0 - $1 } }
  }

  /// Nil where nothing is rewarded.
  init?(_ configuration: TrainingConfiguration, _ reward: TextReward?, pool: WorkerPool) {
    guard configuration.reward != nil, let reward else { return nil }
    self.reward = reward
    promptBytes = configuration.promptBytes ?? max(1, configuration.model.context / 4)
    pull = Float(configuration.rewardDivergence)
    seed = configuration.seed
    self.pool = pool
  }

  mutating func prepare(_ step: ObjectiveStep, _ tokens: inout [Token]) throws -> any TokenLoss {
    let (context, batch) = (step.context, step.engine.batch)
    let steering =
      self.steering
      ?? Steering(
        tokens: batch * context, vocabulary: step.engine.configuration.vocabulary)
    self.steering = steering
    let writer = writer(for: step)
    judged = Judged()
    for first in stride(from: 0, to: batch, by: Self.answers) {
      try answer(first..<min(first + Self.answers, batch), step, writer, &tokens)
    }
    for (row, advantage) in judged.advantages.enumerated() {
      for position in 0..<context {
        // Position t predicts byte t + 1.
        let isAnswer = position >= promptBytes - 1
        steering.weights[row * context + position] =
          isAnswer ? Float(advantage) * Float(context) : 0
        steering.pulls[row * context + position] = isAnswer ? pull * Float(context) : 0
      }
    }
    if pull > 0 { step.putReference(0..<batch, of: tokens, into: steering) }
    return steering
  }

  /// Writes the windows of these rows: the first one's prompt, and an answer each.
  private mutating func answer(
    _ rows: Range<Int>, _ step: ObjectiveStep, _ writer: InferenceEngine, _ tokens: inout [Token]
  ) throws {
    let width = step.context + 1
    let start = rows.lowerBound * width
    var sampling = Sampling(prompt: tokens[start..<start + promptBytes].map { UInt8($0) })
    sampling.tokens = width - promptBytes
    let continuation = sampling.continuation(rows.count, engine: writer)
    let greedy = continuation.samples(0..<1, rule: SamplingRule(temperature: 0), seed: seed)[0]
    let baseline = try reward(sampling.prompt, greedy.bytes)
    let first = step.firstWindow + rows.lowerBound
    let samples = continuation.samples(
      first..<first + rows.count, rule: SamplingRule(), seed: seed)
    for (row, sample) in zip(rows, samples) {
      tokens.replaceSubrange(
        row * width..<(row + 1) * width,
        with: (sampling.prompt + sample.bytes).map { Token($0) })
      judged.rewards.append(try reward(sampling.prompt, sample.bytes))
      judged.baselines.append(baseline)
    }
  }

  private mutating func writer(for step: ObjectiveStep) -> InferenceEngine {
    if let writer {
      writer.read(step.settings)
      return writer
    }
    let fresh = InferenceEngine(
      configuration: step.engine.configuration, settings: step.settings,
      parameters: step.parameters, trunk: step.engine.trunk, pool: pool)
    writer = fresh
    return fresh
  }

  mutating func tell(_ statistics: StepStatistics, into samples: inout StepSamples) {
    samples.add(MetricCatalog.reward, mean(judged.rewards))
    samples.add(MetricCatalog.rewardBaseline, mean(judged.baselines))
    samples.add(MetricCatalog.rewardVariance, variance(judged.rewards))
    samples.add(MetricCatalog.advantageVariance, variance(judged.advantages))
    if pull > 0 { samples.add(MetricCatalog.rewardDivergence, statistics.divergence) }
  }
}

private func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }

private func variance(_ values: [Double]) -> Double {
  let mean = mean(values)
  return values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
}
