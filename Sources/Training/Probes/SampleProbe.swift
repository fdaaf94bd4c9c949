import Dispatch
import Kernels
import Models
import Ranks
package import Telemetry

/// What the model writes after a prompt of one's own, every so many steps: always with the same
/// draws, so that the weights alone make the difference.
///
/// It runs before a step's passes on the step's own weights, and touches nothing of the engine's.
/// Its cost is bounded by the shapes, not by a clock, so that a run told again writes the same: as
/// many bytes as at a byte's rate of an eighth of training's take a twentieth of the steps between,
/// and no more than a pane has room for.
/// - Source: Oliaro et al. 2024 (2402.18789), co-serving, with a fixed share of the time
package struct SampleProbe: Probe {
  private let every: Int
  private let rank: Bool
  private let pool: WorkerPool
  private let model: ModelConfiguration
  private let prompt: String
  private let sampling: Sampling
  private var engine: InferenceEngine?
  private var written: RunEvent?

  /// A sample of fewer bytes says nothing.
  static let fewest = 16
  private static let most = 200
  private static let share = 0.05
  /// Operations of a byte written by itself take so many times as long as a trained one's.
  private static let slowness = 8.0

  init?(_ run: ProbedRun) {
    let configuration = run.configuration
    guard configuration.sampleEvery > 0 else { return nil }
    every = configuration.sampleEvery
    // What is written is the same on all ranks: the first one writes it.
    rank = run.ranks.isFirst
    pool = run.pool
    model = configuration.model
    prompt = configuration.samplePrompt
    var sampling = Sampling(prompt: Array(configuration.samplePrompt.utf8))
    sampling.tokens = min(Self.bytes(configuration), Self.most)
    sampling.seed = configuration.seed
    self.sampling = sampling
  }

  /// The bytes that a sample's share of the time is worth: forward and backward pass are three
  /// times the operations of a byte written.
  static func bytes(_ configuration: TrainingConfiguration) -> Int {
    let trained = Double(configuration.batch * configuration.model.context)
    let worth = share * 3 * Double(configuration.model.passes) / slowness
    return Int(min(1e9, worth * trained * Double(configuration.sampleEvery)))
  }

  /// The fewest steps between two samples.
  static func leastSteps(_ configuration: TrainingConfiguration) -> Int {
    var configuration = configuration
    configuration.sampleEvery = 1
    while bytes(configuration) < fewest { configuration.sampleEvery += 1 }
    return configuration.sampleEvery
  }

  package func isDue(in step: ProbedStep) -> Bool { rank && step.number % every == 0 }

  package mutating func beforePasses(of step: ProbedStep) {
    let start = DispatchTime.now().uptimeNanoseconds
    let engine = engine(for: step)
    let sample = sampling.continuation(1, engine: engine)
      .samples(0..<1, rule: sampling.rule, seed: sampling.seed)[0]
    let milliseconds = Double(DispatchTime.now().uptimeNanoseconds - start) / 1e6
    written = RunEvent(
      step: step.number, wallTime: Trainer.now(), kind: .sample, by: "run", name: prompt,
      text: sample.line,
      values: [
        "bytes": Double(sample.bytes.count), "logprob": sample.logProbability, "ms": milliseconds,
      ])
  }

  package mutating func events(of step: ProbedStep) -> [RunEvent] {
    defer { written = nil }
    return written.map { [$0] } ?? []
  }

  private mutating func engine(for step: ProbedStep) -> InferenceEngine {
    var settings = step.lossSettings
    settings.draw = 0
    if let engine {
      engine.read(settings)
      return engine
    }
    let fresh = InferenceEngine(
      configuration: model, settings: settings, parameters: step.parameters,
      trunk: step.engine.trunk, pool: pool)
    engine = fresh
    return fresh
  }
}
