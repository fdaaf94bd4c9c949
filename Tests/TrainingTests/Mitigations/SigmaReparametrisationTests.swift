import Foundation
import Kernels
import Models
import Telemetry
import Testing

@testable import Training

@Suite(.timeLimit(.minutes(15)))
struct SigmaReparametrisationTests {
  private static let dense = ModelConfiguration(width: 12, layers: 2, heads: 2, context: 5)
  /// Every token goes to every expert: on the border between two the loss would jump.
  private static let mixture = ModelConfiguration(
    width: 8, layers: 2, heads: 2, context: 5,
    experts: ExpertConfiguration(count: 3, width: 10, active: 3))

  /// A model under sigma-reparametrisation, with windows to train on.
  private struct Reparametrised {
    let engine: TransformerEngine
    let parameters: FloatBuffer
    let sigma: SigmaReparametrisation
    let tokens: [Token]
    let plainLoss: Double

    init(_ configuration: ModelConfiguration, workers: Int = 1) {
      var configuration = configuration
      configuration.sigmaReparam = true
      let pool = WorkerPool(workers: workers)
      engine = TransformerEngine(configuration: configuration, batch: 4, pool: pool)
      parameters = FloatBuffer(count: engine.layout.count)
      initialise(parameters: parameters, layout: engine.layout, seed: 3)
      var random = RandomStream(seed: 5)
      tokens = (0..<4 * 6).map { _ in Token(random.next() % 11) }
      plainLoss = Self.loss(engine, parameters, tokens)
      sigma = SigmaReparametrisation(layout: engine.layout, pool: pool)
      sigma.begin(at: parameters, seed: 3)
    }

    var loss: Double { Self.loss(engine, parameters, tokens) }

    private static func loss(
      _ engine: TransformerEngine, _ parameters: FloatBuffer, _ tokens: [Token]
    ) -> Double {
      tokens.withUnsafeBufferPointer {
        engine.loss(parameters: parameters, tokens: $0, rows: 4, settings: LossSettings()).loss
      }
    }

    /// The gradient of what is trained.
    func gradient() -> [Float] {
      _ = tokens.withUnsafeBufferPointer {
        engine.lossAndGradients(parameters: parameters, tokens: $0, settings: LossSettings())
      }
      sigma.backward(engine.sliceGradients)
      return (0..<parameters.count).map { index in
        engine.sliceGradients.reduce(0) { $0 + $1[index] }
      }
    }

    /// The loss at `weights`, with the vectors of the power iteration as they are.
    func loss(at weights: FloatBuffer) -> Double {
      let folded = FloatBuffer(count: weights.count)
      folded.copy(from: weights)
      for part in sigma.parts {
        let factor = weights[part.gain] / value(part, weights)
        copy(weights, at: part.place, times: factor, into: folded)
      }
      return Self.loss(engine, folded, tokens)
    }

    /// uᵀWv.
    private func value(_ part: SigmaReparametrisation.Part, _ weights: FloatBuffer) -> Float {
      var sum = 0.0
      for row in 0..<part.place.rows {
        for column in 0..<part.place.columns {
          sum +=
            Double(sigma.left[part.left + row]) * Double(sigma.right[part.right + column])
            * Double(weights[part.place.start(of: row) + column])
        }
      }
      return Float(sum)
    }
  }

  @Test(arguments: [dense, mixture])
  func `the model starts as what it was, bit for bit`(configuration: ModelConfiguration) {
    let model = Reparametrised(configuration)
    #expect(model.loss == model.plainLoss)
    let gains = model.engine.layout.tensors.filter { $0.name.hasSuffix(".sigma") }
    #expect(gains.map(\.shape).contains([3]))
    // A random square matrix of deviation 1/sqrt(D) has a largest singular value below 2.
    for gain in gains where gain.name.contains("query_key_value") {
      for index in 0..<3 {
        #expect((1.0...2.2).contains(model.parameters[gain.offset + index]), "\(gain.name)")
      }
    }
  }

  @Test(arguments: [dense, mixture])
  func `gradients flow through sigma and not through its vectors`(
    configuration: ModelConfiguration
  ) {
    let model = Reparametrised(configuration)
    let gradient = model.gradient()
    for tensor in model.engine.layout.tensors {
      let range = tensor.offset..<tensor.offset + tensor.count
      let norm = range.reduce(0) { $0 + Double(gradient[$1] * gradient[$1]) }.squareRoot()
      let isOff = ["q_layernorm.weight", "k_layernorm.weight"].contains {
        tensor.name.hasSuffix($0)
      }
      #expect((norm > 1e-6) != isOff, "\(tensor.name): \(norm)")
      guard !isOff else { continue }
      let moved = { (step: Double) -> Double in
        let weights = FloatBuffer(count: model.parameters.count)
        weights.copy(from: model.sigma.weights)
        for index in range { weights[index] += Float(step * Double(gradient[index]) / norm) }
        return model.loss(at: weights)
      }
      let slope = (moved(0.02) - moved(-0.02)) / 0.04
      #expect(abs(slope - norm) < 0.02 * norm + 2e-4, "\(tensor.name): \(slope), \(norm)")
    }
  }

  @Test func `a matrix's largest singular value is its gain, also after it was trained`() throws {
    let model = Reparametrised(Self.dense)
    let optimizer = Optimizer(layout: model.engine.layout, pool: WorkerPool(workers: 1))
    for step in 0..<60 {
      _ = model.gradient()
      _ = optimizer.update(
        parameters: model.sigma.weights, sliceGradients: model.engine.sliceGradients, updates: step,
        rates: Optimizer.Rates(learningRate: 0.01, peakLearningRate: 0.01))
      model.sigma.fold(into: model.parameters)
    }
    #expect(model.loss < model.plainLoss - 1)
    let tensor = try #require(
      model.engine.layout["model.layers.1.mlp.dense_h_to_4h.weight"])
    let gain = try #require(model.engine.layout[tensor.sigmaGainName])
    let place = try #require(MuonPart.places(of: tensor).first)
    let (left, right) = (FloatBuffer(count: place.rows), FloatBuffer(count: place.columns))
    left[0] = 1
    var largest: Float = 0
    for _ in 0..<200 {
      largest = powerIteration(
        model.parameters, at: place, left: left.base, right: right.base)
    }
    // One step of power iteration an update stays a little behind.
    #expect(abs(largest / model.parameters[gain.offset] - 1) < 0.05)
  }

  @Test(arguments: [Preset.tiny, .moeTiny])
  func `a run goes on from its checkpoints bit for bit, which hold what the engine saw`(
    preset: Preset
  ) async throws {
    let folder = try ScratchFolder()
    let configure = { (workers: Int) in
      { (configuration: inout TrainingConfiguration) in
        configuration.steps = 30
        configuration.model.sigmaReparam = true
        configuration.checkpointEvery = 7
        configuration.workers = workers
        configuration.evalEvery = 7
      }
    }
    let script = [(9, "set batch 12"), (14, "set qk_layernorm on")]
    let whole = try await TrainedRun(
      preset, script: script, checkpointFolder: folder.url, configure(1))
    let other = try await TrainedRun(preset, script: script, configure(2))
    #expect(whole.numbers == other.numbers)
    for entry in try CheckpointFolder.list(in: folder.path).dropLast() {
      let checkpoint = try CheckpointFolder.read(entry.path)
      let rest = try await TrainedRun(resuming: checkpoint)
      #expect(rest.numbers == Array(whole.numbers.dropFirst(entry.step)), "from \(entry.step)")
      let hasForm = FileManager.default.fileExists(atPath: entry.path + "/config.json")
      #expect(hasForm == (preset == .tiny && entry.step <= 14))
    }
  }

  @Test func `a clip of the weights' scale is refused, at the start and live`() async throws {
    let error = #expect(throws: ConfigurationError.self) {
      try TrainingConfiguration(options: ["qk-clip": "100", "sigma-reparam": "on"])
    }
    #expect(
      error?.description == "qk-clip has no effect under sigma-reparam, which ignores the weights'"
        + " scale: choose one")
    let run = try await TrainedRun(script: [(1, "set qk_clip 100")]) {
      $0.steps = 3
      $0.model.sigmaReparam = true
    }
    #expect(
      run.events.filter { $0.kind == .refused }.map(\.text) == [
        "set qk_clip 100 refused: sigma-reparametrisation ignores the weights' scale, which is all"
          + " it changes"
      ])
  }
}
