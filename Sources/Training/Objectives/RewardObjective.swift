import Kernels
import Models
import Telemetry

/// How good a text is that a model wrote after a prompt. What takes its time throws once `isWanted`
/// says that nobody waits for the answer any more.
package typealias TextReward =
  @Sendable (_ prompt: [UInt8], _ text: [UInt8], _ isWanted: @Sendable () -> Bool) throws
  -> Double

/// ReMax: what the model writes is made likelier by as much as its reward is above that of what the
/// same weights write greedily.
///
/// objective = 1/B Σ_answers Σ_t (−(r − r')·ln π(a_t) + β·KL(π(·|s_t)‖π₀(·|s_t))), r − r' within ±c. r'
/// does not depend on what was drawn, so that the gradient has no bias from it; there is no value
/// network. An answer ends with the bytes that end one, which count too, or with its window. Each prompt
/// is the beginning of a window of the data and has up to four answers, drawn at temperature 1 from all
/// bytes, and one greedy one. The loss that is told is the mean of −ln π over the answers' bytes.
/// - Cost: two generations, one forward pass of the reference, and the step's own passes
/// - Source: Li et al. 2023 (2310.10505), with γ = 1; the divergence over all bytes is derived, where
///   theirs is that of the byte drawn
struct RewardObjective: StepObjective {
  private let reward: TextReward
  private let promptBytes: Int
  private let pull: Float
  /// c; 0 for no bound.
  private let clip: Double
  /// Of an answer; empty for none.
  private let end: [UInt8]
  private let seed: UInt64
  private let pool: WorkerPool
  private var writer: InferenceEngine?
  private var steering: Steering?
  private var judged = Judged()

  /// Answers to one prompt.
  private static let answers = 4

  /// What a step's texts came to.
  private struct Judged {
    /// Those of the windows.
    var tokens = 0
    var rewards: [Double] = []
    /// Those of the greedy texts, once for each answer.
    var baselines: [Double] = []
    /// Bytes of the texts drawn.
    var lengths: [Int] = []

    var advantages: [Double] { zip(rewards, baselines).map { $0 - $1 } }
    var bytes: Int { lengths.reduce(0, +) }
  }

  /// Nil where nothing is rewarded.
  init?(_ configuration: TrainingConfiguration, _ reward: TextReward?, pool: WorkerPool) {
    guard configuration.reward != nil, let reward else { return nil }
    self.reward = reward
    promptBytes = configuration.promptBytes ?? max(1, configuration.model.context / 4)
    pull = Float(configuration.rewardDivergence)
    clip = configuration.rewardClip
    end = Array((configuration.rewardEnd ?? "").utf8)
    seed = configuration.seed
    self.pool = pool
  }

  var memoryBytes: Int { steering?.bytes ?? 0 }

  mutating func prepare(_ step: ObjectiveStep, _ tokens: inout [Token]) throws -> any TokenLoss {
    let batch = step.engine.batch
    let steering = step.steering(inPlaceOf: steering)
    self.steering = steering
    let writer = writer(for: step)
    judged = Judged(tokens: batch * step.context)
    for first in stride(from: 0, to: batch, by: Self.answers) {
      try answer(first..<min(first + Self.answers, batch), step, writer, &tokens)
    }
    weigh(step, steering)
    if pull > 0 { step.putReference(0..<batch, of: tokens, into: steering) }
    return steering
  }

  /// What the answers' bytes count; the prompts' and what follows an answer's end count nothing.
  private func weigh(_ step: ObjectiveStep, _ steering: Steering) {
    let context = step.context
    let share = Float(step.engine.batch * context) / Float(judged.bytes)
    for (row, advantage) in judged.advantages.enumerated() {
      let weight = Float(clip > 0 ? min(max(advantage, -clip), clip) : advantage) * Float(context)
      // Position t predicts byte t + 1.
      let answer = promptBytes - 1..<promptBytes - 1 + judged.lengths[row]
      for position in 0..<context {
        let isAnswer = answer.contains(position)
        let token = row * context + position
        steering.weights[token] = isAnswer ? weight : 0
        steering.shares[token] = isAnswer ? share : 0
        steering.pulls[token] = isAnswer ? pull * Float(context) : 0
      }
    }
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
    let baseline = try judge(sampling.prompt, answer(in: greedy), step)
    let first = step.firstWindow + rows.lowerBound
    let samples = continuation.samples(
      first..<first + rows.count, rule: SamplingRule(), seed: seed)
    for (row, sample) in zip(rows, samples) {
      tokens.replaceSubrange(
        row * width..<(row + 1) * width,
        with: (sampling.prompt + sample.bytes).map { Token($0) })
      let answer = answer(in: sample)
      judged.rewards.append(try judge(sampling.prompt, answer, step))
      judged.baselines.append(baseline)
      judged.lengths.append(answer.count)
    }
  }

  /// - Throws: ``StepUnwanted``, and what judges texts throws.
  private func judge(
    _ prompt: [UInt8], _ text: [UInt8], _ step: ObjectiveStep
  ) throws -> Double {
    do {
      return try reward(prompt, text, step.isWanted)
    } catch {
      throw step.isWanted() ? error : StepUnwanted()
    }
  }

  /// Up to its end, which is part of it.
  private func answer(in sample: TextSample) -> [UInt8] {
    guard let found = sample.bytes.firstRange(of: end), !found.isEmpty else { return sample.bytes }
    return Array(sample.bytes[..<found.upperBound])
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
    samples.add(MetricCatalog.rewardObjective, statistics.objective)
    samples.add(
      MetricCatalog.rewardLength, Double(judged.bytes) / Double(judged.lengths.count))
    samples.add(MetricCatalog.rewardVariance, variance(judged.rewards))
    samples.add(MetricCatalog.advantageVariance, variance(judged.advantages))
    guard pull > 0 else { return }
    // The statistics' mean is over all of the windows, of which the answers are a part.
    let share = Double(judged.bytes) / Double(judged.tokens)
    samples.add(MetricCatalog.rewardDivergence, statistics.divergence / share)
  }
}

private func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }

private func variance(_ values: [Double]) -> Double {
  let mean = mean(values)
  return values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
}
