import Foundation
import Kernels
import Models
import Telemetry
import TestSupport
import Testing

@testable import Training

/// Steps without gradients.
@Suite(.timeLimit(.minutes(15)))
struct SparseMeZOTests {
  /// What PyTorch made of five steps; by Tests/ModelsTests/Recorded/make_mezo.py.
  private struct Recorded: Decodable {
    let rate: Float
    let epsilon: Double
    let sparsity: Double
    let seed: UInt64
    let plus: [Double]
    let minus: [Double]
    let slopes: [Double]
    let masked: [Double]
    let norms: [Double]

    init() throws {
      let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
      let file = tests.appendingPathComponent("ModelsTests/Recorded/mezo.json")
      self = try JSONDecoder().decode(Recorded.self, from: Data(contentsOf: file))
    }
  }

  /// A model with its windows, and steps over them.
  private final class Loop {
    let run: RecordedRun
    let engine: TransformerEngine
    let mezo: SparseMeZO
    let parameters: FloatBuffer
    var clipping = GradientClipping()
    var rates = Optimizer.Rates(learningRate: 2e-3, peakLearningRate: 2e-3)

    init(_ options: SparseMeZO.Options, seed: UInt64 = 11, workers: Int = 1) throws {
      run = try RecordedRun("dense")
      let pool = WorkerPool(workers: workers)
      engine = TransformerEngine(
        configuration: run.configuration, batch: run.description.batch, pool: pool,
        takesGradients: false)
      mezo = SparseMeZO(layout: engine.layout, pool: pool, options: options, seed: seed)
      parameters = run.flatParameters(engine.layout)
      rates.weightDecay = 0
      rates.gradClip = 0
      mezo.begin(at: parameters)
    }

    func losses(_ step: Int, frozenBlocks: Int = 0) -> StepStatistics {
      run.description.batches[step].withUnsafeBufferPointer {
        mezo.losses(
          engine, parameters: parameters, tokens: $0, noise: [], settings: run.settings,
          frozenBlocks: frozenBlocks, step: step)
      }
    }

    func update(_ step: Int) -> UpdateStatistics {
      mezo.update(parameters, clipping: &clipping, rates: rates, updates: step)
    }
  }

  @Test func `five steps are PyTorch's`() throws {
    let recorded = try Recorded()
    let options = SparseMeZO.Options(epsilon: recorded.epsilon, sparsity: recorded.sparsity)
    let loop = try Loop(options, seed: recorded.seed)
    loop.rates.learningRate = recorded.rate
    #expect(recorded.plus.count == 5)
    for step in 0..<5 {
      let statistics = loop.losses(step)
      let update = loop.update(step)
      let measure = try #require(update.zerothOrder)
      #expect(abs(measure.plus - recorded.plus[step]) < 1e-5)
      #expect(abs(measure.minus - recorded.minus[step]) < 1e-5)
      // A difference of losses over 2ε: what Float32 rounds is 500 times as large there.
      #expect(abs(measure.projectedGradient - recorded.slopes[step]) < 3e-3)
      #expect(abs(measure.maskedShare - recorded.masked[step]) < 1e-9)
      #expect(abs(statistics.loss - (recorded.plus[step] + recorded.minus[step]) / 2) < 1e-5)
    }
    for (tensor, expected) in zip(loop.engine.layout.tensors, recorded.norms) {
      let squares = (tensor.offset..<tensor.offset + tensor.count).reduce(0.0) {
        $0 + Double(loop.parameters[$1]) * Double(loop.parameters[$1])
      }
      #expect(abs(squares.squareRoot() - expected) < 1e-4, "\(tensor.name)")
    }
  }

  @Test(arguments: [MeZOMask.small, .random])
  func `losses leave every bit as it is, and an update moves what the mask lets through`(
    mask: MeZOMask
  ) throws {
    let loop = try Loop(SparseMeZO.Options(sparsity: 0.75, mask: mask))
    let before = bits(loop.parameters)
    _ = loop.losses(0)
    #expect(bits(loop.parameters) == before)
    let update = loop.update(0)
    let moved = zip(before, bits(loop.parameters)).count { $0 != $1 }
    let measure = try #require(update.zerothOrder)
    let counted = loop.engine.layout.tensors.reduce(0) {
      $0 + ($1.role == .queryKeyGain ? 0 : $1.count)
    }
    // Some steps are too small for the last bit.
    let expected = (1 - measure.maskedShare) * Double(counted)
    #expect(abs(Double(moved) - expected) < 0.02 * expected)
    #expect(abs(measure.maskedShare - 0.75) < 0.03)
    let gains = try #require(loop.engine.layout["model.layers.0.self_attn.q_layernorm.weight"])
    let range = gains.offset..<gains.offset + gains.count
    #expect(range.allSatisfy { loop.parameters[$0].bitPattern == before[$0] })
  }

  @Test func `the projected gradient is the gradient's product with the direction`() throws {
    let loop = try Loop(SparseMeZO.Options(epsilon: 1e-3, sparsity: 0.5))
    let engine = TransformerEngine(
      configuration: loop.run.configuration, batch: loop.run.description.batch,
      pool: WorkerPool(workers: 1))
    for step in 0..<3 {
      let before = FloatBuffer(count: loop.parameters.count)
      before.copy(from: loop.parameters)
      _ = loop.run.description.batches[step].withUnsafeBufferPointer {
        engine.lossAndGradients(
          parameters: before, tokens: $0, settings: loop.run.settings)
      }
      _ = loop.losses(step)
      let slope = try #require(loop.update(step).zerothOrder).projectedGradient
      var product = 0.0
      for index in 0..<before.count {
        let gradient = engine.sliceGradients.reduce(0.0) { $0 + Double($1[index]) }
        product += gradient * Double(before[index] - loop.parameters[index])
      }
      // Θ moved by rate·slope·m·z.
      #expect(abs(product / (2e-3 * slope) - slope) < 0.02 * max(abs(slope), 0.5), "\(step)")
    }
  }

  @Test func `decay, cap, clip and freeze are those of a step with gradients`() throws {
    let loop = try Loop(SparseMeZO.Options(sparsity: 0))
    loop.rates.updateCap = 1e-5
    loop.rates.weightDecay = 1e-3
    loop.rates.gradClip = 1e-2
    loop.rates.frozenBlocks = 1
    let before = FloatBuffer(count: loop.parameters.count)
    before.copy(from: loop.parameters)
    _ = loop.losses(0, frozenBlocks: 1)
    let update = loop.update(0)
    #expect(update.zerothOrder?.maskedShare == 0)
    #expect(update.isClipped && update.cappedShare > 0 && update.cappedShare <= 1)
    for (index, tensor) in loop.engine.layout.tensors.enumerated() {
      let range = tensor.offset..<tensor.offset + tensor.count
      let isStill = tensor.role == .embedding || tensor.layer == 0 || tensor.role == .queryKeyGain
      let change = range.reduce(0.0) {
        let difference = Double(loop.parameters[$1] - before[$1])
        return $0 + difference * difference
      }.squareRoot()
      let norm = range.reduce(0.0) { $0 + Double(before[$1]) * Double(before[$1]) }.squareRoot()
      #expect((change == 0) == isStill, "\(tensor.name)")
      #expect(change <= 1e-5 * norm * 1.05 + 1e-7)
      #expect(abs(Double(update.paramNorm[index]) - norm) < 1e-3 * norm)
    }
  }

  @Test func `a loss that is not finite makes no update`() throws {
    let loop = try Loop(SparseMeZO.Options())
    let gain = try #require(loop.engine.layout["model.final_layernorm.weight"])
    loop.parameters[gain.offset] = .infinity
    let before = bits(loop.parameters)
    let statistics = loop.losses(0)
    let update = loop.update(0)
    #expect(!statistics.loss.isFinite && !update.isMade)
    #expect(bits(loop.parameters) == before && update.updateRMS.allSatisfy { $0 == 0 })
  }
}

/// Runs of such steps.
@Suite(.timeLimit(.minutes(15)))
struct MeZORunTests {
  private static func options(_ own: [String: String]) -> [String: String] {
    own.merging(["optimizer": "mezo"]) { $1 }
  }

  private static func change(_ configuration: inout TrainingConfiguration) {
    configuration.optimizer = .mezo
    configuration.learningRate = 1e-3
    configuration.steps = 16
    configuration.checkpointEvery = 8
  }

  @Test(arguments: [Preset.tiny, .moeTiny])
  func `a run goes on from its checkpoint bit for bit, whoever works`(
    preset: Preset
  ) async throws {
    let folder = try TestFolder()
    let run = try await TrainedRun(preset, checkpointFolder: folder.url) {
      Self.change(&$0)
      $0.workers = 2
    }
    let alone = try await TrainedRun(preset) {
      Self.change(&$0)
      $0.workers = 1
    }
    #expect(alone.numbers == run.numbers)
    let checkpoint = try CheckpointFolder.read(folder.url.appending(path: "step-000000008").path)
    let rest = try await TrainedRun(resuming: checkpoint)
    #expect(rest.numbers.count == 8 && rest.numbers == run.numbers.suffix(8))
    #expect(run.values(MetricCatalog.mezoMasked).allSatisfy { abs($0 - 0.75) < 0.05 })
    for name in [MetricCatalog.mezoLossPlus, MetricCatalog.mezoProjectedGradient] {
      #expect(run.values(name).count == 16)
    }
    #expect(run.samples.allSatisfy { $0[MetricCatalog.updateCosine] == nil })
    #expect(run.values(MetricCatalog.stepShare(phase: "backward")).allSatisfy { $0 == 0 })
  }

  @Test func `it goes on from another optimizer's checkpoint, and none goes on from its`()
    async throws
  {
    let folder = try TestFolder()
    _ = try await TrainedRun(checkpointFolder: folder.url) { $0.steps = 6 }
    let checkpoint = try CheckpointFolder.read(folder.url.appending(path: "step-000000006").path)
    let next = try TestFolder()
    var options = try checkpoint.continuation().options
    options.merge(["optimizer": "mezo", "lr": "1e-4", "steps": "10"]) { $1 }
    let run = try await TrainedRun(
      TrainingRun(
        resuming: checkpoint, configuration: TrainingConfiguration(options: options),
        corpus: Corpus.synthetic(seed: 1, bytes: 20_000), script: [], checkpointFolder: next.url))
    #expect(run.samples.map(\.step) == [6, 7, 8, 9])
    let later = try CheckpointFolder.read(next.url.appending(path: "step-000000010").path)
    options.merge(["optimizer": "adamw", "steps": "12"]) { $1 }
    for name in TrainingConfiguration.mezoOptions { options[name] = nil }
    let error = #expect(throws: ConfigurationError.self) {
      _ = try TrainingRun(
        resuming: later, configuration: TrainingConfiguration(options: options),
        corpus: Corpus.synthetic(seed: 1, bytes: 20_000), script: [], checkpointFolder: nil)
    }
    #expect(error?.description.contains("mezo's, not adamw's") == true)
  }

  @Test(arguments: [
    (["mu-param": "on"], "mu-param scales the rates of gradients"),
    (["sigma-reparam": "on"], "sigma-reparam trains other weights than the losses see"),
    (["sharpness-every": "5"], "sharpness-every follows gradients"),
    (["shard-optimizer": "on"], "shard-optimizer shares moments out"),
    (["router": "thor"], "the router thor takes two passes"),
  ])
  func `what needs gradients is refused`(own: [String: String], words: String) {
    let error = #expect(throws: ConfigurationError.self) {
      try TrainingConfiguration(options: Self.options(own))
    }
    #expect(
      error?.description
        == "\(words), and mezo takes losses alone: leave it out, or choose another optimizer")
  }

  @Test(arguments: [["anchor": "1"], ["reward": "words"]])
  func `a loss of another kind is refused`(own: [String: String]) throws {
    let name = try #require(own.keys.first)
    let error = #expect(throws: ConfigurationError.self) {
      try TrainingConfiguration(
        options: Self.options(own.merging(["preset": "tiny", "base": "x"]) { $1 }))
    }
    #expect(
      error?.description
        == "mezo trains by the data's loss alone, without \(name): leave \(name) out, or choose"
        + " another optimizer")
  }

  @Test func `its options are told with it alone, and go with no other`() throws {
    let own = ["mezo-eps": "0.01", "mezo-sparsity": "0.5", "mezo-mask": "random"]
    let configuration = try TrainingConfiguration(options: Self.options(own))
    #expect(configuration.mezo == .init(epsilon: 0.01, sparsity: 0.5, mask: .random))
    #expect(configuration.weightDecay == 0 && configuration.gradClip == 0)
    #expect(try TrainingConfiguration(options: configuration.options) == configuration)
    #expect(TrainingConfiguration(preset: .tiny).options["mezo-eps"] == nil)
    let error = #expect(throws: ConfigurationError.self) {
      try TrainingConfiguration(options: own)
    }
    #expect(
      error?.description
        == "--mezo-eps needs losses in place of gradients: add --optimizer mezo")
  }
}
