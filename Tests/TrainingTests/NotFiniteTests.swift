import Kernels
import Models
import Telemetry
import Testing

@testable import Training

/// A step whose loss or gradient is not finite leaves the run as it found it.
@Suite(.timeLimit(.minutes(15)))
struct NotFiniteTests {
  /// Weights, moments and what else an update changes.
  private func state(_ run: TrainingRun) -> [[UInt32]] {
    [
      bits(run.parameters), bits(run.weights), bits(run.optimizer.firstMoments),
      bits(run.optimizer.secondMoments), run.routerBias.values.map(\.bitPattern),
    ]
  }

  @Test(arguments: [
    ["optimizer": "adamw"], ["optimizer": "muon"], ["optimizer": "sgd"],
    ["optimizer": "stable-adamw"], ["optimizer": "lion"], ["sigma-reparam": "on"],
    ["qk-clip": "0.001"],
    ["preset": "moe-tiny", "moe-bias-balance": "0.01"],
  ])
  func `no update is made`(options: [String: String]) throws {
    let preset = options["preset"].flatMap(Preset.init) ?? .tiny
    var configuration = TrainingConfiguration.small(preset)
    configuration.evalEvery = 0
    configuration.gradClip = 0
    configuration.optimizer = options["optimizer"].flatMap(OptimizerKind.init) ?? .adamW
    configuration.model.sigmaReparam = options["sigma-reparam"] == "on"
    configuration.qkClip = options["qk-clip"].flatMap(Double.init) ?? 0
    configuration.biasBalance = options["moe-bias-balance"].flatMap(Double.init) ?? 0
    configuration.schedule = .constant
    configuration.warmup = 0
    let run = try TrainingRun(
      configuration: configuration, corpus: Corpus.synthetic(seed: 1, bytes: 20_000),
      checkpointFolder: nil)
    for step in 0..<3 {
      guard case .done = try run.advance(now: { Double(step) }) else {
        Issue.record("it diverged before it was made to")
        return
      }
    }
    let places = run.engine.layout.tensors.filter { $0.name == "lm_head.weight" }
    // Of both signs, so that one logit is infinite whatever the feature's sign is.
    for buffer in [run.parameters, run.weights] {
      buffer[places[0].offset] = .infinity
      buffer[places[0].offset + places[0].shape[1]] = -.infinity
    }
    let before = state(run)
    let records = Records()
    run.emit = { records.add($0) }
    guard case .diverged = try run.advance(now: { 3 }) else {
      Issue.record("the loss of an infinite weight is finite")
      return
    }
    let told = records.all.compactMap { record in
      if case .samples(let samples) = record { samples } else { nil }
    }
    #expect(state(run) == before)
    #expect(run.step == 3)
    #expect(told.count == 1 && told[0][MetricCatalog.loss]?.isFinite == false)
  }
}
