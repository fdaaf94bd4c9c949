import Foundation
import Kernels
import Models
import Ranks
import Telemetry
import TestSupport
import Testing

@testable import Training

@Suite(.timeLimit(.minutes(15)))
struct SharedParametersTests {
  /// A model whose matrices are read from an array, with windows to train on.
  private struct Shared {
    let engine: TransformerEngine
    let parameters: FloatBuffer
    let shared: SharedParameters
    let tokens: [Token]
    let dense: [Float]

    init(_ share: Double, workers: Int = 1) throws {
      var configuration = ModelConfiguration(width: 12, layers: 2, heads: 2, context: 5)
      configuration.sharing = share
      let pool = WorkerPool(workers: workers)
      engine = TransformerEngine(configuration: configuration, batch: 4, pool: pool)
      parameters = FloatBuffer(count: engine.layout.count)
      initialise(parameters: parameters, layout: engine.layout, seed: 3)
      dense = (0..<parameters.count).map { [parameters] in parameters[$0] }
      var random = RandomStream(seed: 5)
      tokens = (0..<4 * 6).map { _ in Token(random.next() % 11) }
      shared = try #require(
        SharedParameters(
          layout: engine.layout, seed: 7, pool: pool, slices: 4, ranks: SoleRank()))
      shared.begin(at: parameters)
    }

    var array: ParameterTensor { engine.layout.tensors[engine.layout.tensors.count - 1] }
    var matrices: [ParameterTensor] { engine.layout.tensors.filter(\.role.isHiddenMatrix) }

    func loss() -> Double {
      tokens.withUnsafeBufferPointer {
        engine.loss(parameters: parameters, tokens: $0, rows: 4, settings: LossSettings()).loss
      }
    }

    /// The array's gradient before the readers' number divides it would be `readers` times this.
    func gradient() -> [Float] {
      _ = tokens.withUnsafeBufferPointer {
        engine.lossAndGradients(parameters: parameters, tokens: $0, settings: LossSettings())
      }
      shared.backward(engine.sliceGradients)
      return (array.offset..<array.offset + array.count).map { index in
        engine.sliceGradients.reduce(0) { $0 + $1[index] }
      }
    }
  }

  @Test func `at a share of 1 the matrices are the dense model's, bit for bit`() throws {
    let shared = try Shared(1)
    for tensor in shared.engine.layout.tensors where tensor.role != .sharedArray {
      let range = tensor.offset..<tensor.offset + tensor.count
      #expect(range.map { shared.parameters[$0] } == Array(shared.dense[range]))
    }
    #expect(shared.shared.collisions == 0)
    _ = shared.gradient()
    #expect(abs(shared.shared.gradientScale - 1) < 1e-6)
  }

  @Test(arguments: [0.9, 0.5, 0.37, 0.1, 0.0001])
  func `every place has as many readers as the next, or one more`(share: Double) throws {
    let shared = try Shared(share)
    let weights = shared.matrices.reduce(0) { $0 + $1.count }
    #expect(shared.array.count == max(1, Int((Double(weights) * share).rounded())))
    // Each weight is ± one number of the array, in its matrix's own measure: distinct sizes a matrix
    // are no more than the array's.
    for tensor in shared.matrices {
      let sizes = Set(
        (tensor.offset..<tensor.offset + tensor.count).map { abs(shared.parameters[$0]) })
      #expect(sizes.count <= shared.array.count * 3)
      let squares = (tensor.offset..<tensor.offset + tensor.count).reduce(0.0) {
        $0 + Double(shared.parameters[$1] * shared.parameters[$1])
      }
      guard share >= 0.1 else { continue }
      let deviation = (squares / Double(tensor.count)).squareRoot()
      #expect(abs(deviation * Double(tensor.fanIn).squareRoot() - 1) < 0.2, "\(tensor.name)")
    }
    let expected = weights >= 2 * shared.array.count ? 1.0 : 1 / share - 1
    #expect(abs(shared.shared.collisions - expected) < 0.01)
  }

  @Test(arguments: [1, 0.5, 0.23])
  func `the array's gradient is that of differences, over its readers' number`(
    share: Double
  ) throws {
    let shared = try Shared(share)
    let gradient = shared.gradient()
    let weights = shared.matrices.reduce(0) { $0 + $1.count }
    let (least, most) = (weights / shared.array.count, weights / shared.array.count + 1)
    let places = gradient.indices.sorted { abs(gradient[$0]) > abs(gradient[$1]) }.prefix(6)
    for place in places {
      let index = shared.array.offset + place
      let kept = shared.parameters[index]
      let values = [Float(-2), -1, 1, 2].map { step -> Double in
        shared.parameters[index] = kept + step * 4e-3
        shared.shared.expand(shared.parameters)
        return shared.loss()
      }
      shared.parameters[index] = kept
      shared.shared.expand(shared.parameters)
      let slope = (8 * (values[2] - values[1]) - (values[3] - values[0])) / (12 * 4e-3)
      let readers = slope / Double(gradient[place])
      #expect(
        abs(readers - readers.rounded()) < 0.02 * readers, "place \(place): \(readers) readers")
      #expect((least...most).contains(Int(readers.rounded())))
    }
  }

  @Test func `workers change no bit of the array's gradient`() throws {
    let (one, two) = (try Shared(0.3), try Shared(0.3, workers: 2))
    #expect(one.gradient() == two.gradient())
    #expect(one.shared.gradientScale == two.shared.gradientScale)
    #expect(one.shared.gradientScale > 0.2 && one.shared.gradientScale < 1)
  }

  private static func run(
    _ share: Double, workers: Int = 1, folder: URL? = nil
  ) async throws -> TrainedRun {
    try await TrainedRun(checkpointFolder: folder) {
      $0.model.sharing = share
      $0.steps = 40
      $0.checkpointEvery = 9
      $0.workers = workers
    }
  }

  @Test func `at a share of 1 a run has the losses of the dense one`() async throws {
    let dense = try await TrainedRun { $0.steps = 40 }
    let shared = try await Self.run(1)
    let pairs = zip(dense.values(MetricCatalog.loss), shared.values(MetricCatalog.loss))
    #expect(shared.values(MetricCatalog.loss).count == 40)
    // Norms are added up in another order, which clipping hands on.
    for (expected, found) in pairs { #expect(abs(found - expected) < 2e-3) }
    let first = dense.values(MetricCatalog.loss)[0]
    #expect(shared.values(MetricCatalog.loss)[0] == first)
  }

  @Test func `it trains, its bits are the same for all workers, and it goes on from checkpoints`()
    async throws
  {
    let folder = try TestFolder()
    let one = try await Self.run(0.25, workers: 1, folder: folder.url)
    let two = try await Self.run(0.25, workers: 2)
    #expect(one.samples.map(\.unclocked) == two.samples.map(\.unclocked))
    let losses = one.values(MetricCatalog.loss)
    #expect(losses.count == 40 && losses[39] < losses[0] - 0.5)
    for entry in try CheckpointFolder.list(in: folder.url.path) where entry.step < 40 {
      let checkpoint = try CheckpointFolder.read(entry.path)
      #expect(checkpoint.configuration.sharing == 0.25)
      let rest = try await TrainedRun(resuming: checkpoint)
      let expected = Array(one.samples.map(\.unclocked).dropFirst(entry.step))
      #expect(rest.samples.map(\.unclocked) == expected, "from \(entry.step)")
    }
    #expect(one.values(MetricCatalog.shareCollisions) == [1, 1, 1, 1])
    let names = Set(one.samples.flatMap(\.names).map(\.path))
    #expect(names.contains("grad_rms/shared") && !names.contains("grad_rms/L0.qkv"))
  }

  @Test func `the options give it back, and only trained numbers are counted`() throws {
    let shared = try TrainingConfiguration(options: ["preset": "tiny", "share-parameters": "0.1"])
    #expect(shared.model.sharing == 0.1)
    #expect(try TrainingConfiguration(options: shared.options) == shared)
    let dense = try TrainingConfiguration(options: ["preset": "tiny"])
    #expect(dense.options["share-parameters"] == nil)
    let matrices = 2 * 12 * 64 * 64
    #expect(
      dense.model.parameterCount - shared.model.parameterCount
        == matrices - Int((0.1 * Double(matrices)).rounded()))
  }

  @Test(arguments: [
    (["optimizer": "muon"], "muon"), (["sparsity": "0.5"], "sparsity"),
    (["mu-param": "on"], "mu-param"), (["qk-clip": "100"], "qk-clip"), (["freeze": "1"], "freeze"),
  ])
  func `what needs matrices of their own is refused in one line`(
    options: [String: String], name: String
  ) {
    let error = #expect(throws: ConfigurationError.self) {
      try TrainingConfiguration(
        options: options.merging(["preset": "tiny", "share-parameters": "0.1"]) { own, _ in own })
    }
    #expect(
      error?.description
        == "\(name) needs matrices of their own, and with --share-parameters all are read from one"
        + " array: choose one of them")
  }
}

/// What PyTorch computed; made by make_shared.py beside it.
extension SharedParametersTests {
  private struct Recorded: Decodable {
    struct Tensor: Decodable {
      let name: String
      let count: Int
    }

    let share: Double
    let seed: UInt64
    let width: Int
    let layers: Int
    let heads: Int
    let context: Int
    let batch: Int
    let losses: [Double]
    let gradNorms: [Double]
    let batches: [[Token]]
    let peak: Float
    let warmup: Int
    let weightDecay: Float
    let tensors: [Tensor]
    let finalNorm: Double
  }

  @Test func `ten steps have PyTorch's array, gradient, losses and norms`() throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Recorded")
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let recorded = try decoder.decode(
      Recorded.self, from: Data(contentsOf: folder.appendingPathComponent("shared.json")))
    let numbers = try Data(contentsOf: folder.appendingPathComponent("shared.bin"))
      .withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
    var model = ModelConfiguration(
      width: recorded.width, layers: recorded.layers, heads: recorded.heads,
      context: recorded.context)
    model.sharing = recorded.share
    let pool = WorkerPool(workers: 2)
    let engine = TransformerEngine(configuration: model, batch: recorded.batch, pool: pool)
    let (layout, parameters) = (engine.layout, FloatBuffer(count: engine.layout.count))
    #expect(layout.tensors.dropLast().map(\.name) == recorded.tensors.map(\.name))
    var next = 0
    for tensor in layout.tensors.dropLast() {
      for index in 0..<tensor.count { parameters[tensor.offset + index] = numbers[next + index] }
      next += tensor.count
    }
    let array = try #require(layout.sharedArray)
    #expect(numbers.count == next + 2 * array.count)
    let shared = try #require(
      SharedParameters(
        layout: layout, seed: recorded.seed, pool: pool, slices: engine.slices, ranks: SoleRank()))
    shared.begin(at: parameters)
    for index in 0..<array.count {
      #expect(abs(parameters[array.offset + index] - numbers[next + index]) < 1e-6)
    }
    let optimizer = Optimizer(layout: layout, pool: pool)
    for (step, batch) in recorded.batches.enumerated() {
      let statistics = batch.withUnsafeBufferPointer {
        engine.lossAndGradients(parameters: parameters, tokens: $0, settings: LossSettings())
      }
      shared.backward(engine.sliceGradients)
      if step == 0 {
        for index in 0..<array.count {
          let found = engine.sliceGradients.reduce(0) { $0 + $1[array.offset + index] }
          #expect(abs(found - numbers[next + array.count + index]) < 2e-6)
        }
      }
      var rates = Optimizer.Rates(
        learningRate: recorded.peak * min(1, Float(step + 1) / Float(recorded.warmup)),
        peakLearningRate: recorded.peak)
      rates.weightDecay = recorded.weightDecay
      let update = optimizer.update(
        parameters: parameters, sliceGradients: engine.sliceGradients, updates: step, rates: rates)
      shared.expand(parameters)
      #expect(abs(statistics.loss - recorded.losses[step]) < 2e-5, "step \(step)")
      let norm = recorded.gradNorms[step]
      #expect(abs(update.gradNorm - norm) < 1e-4 * norm, "step \(step)")
    }
    let squares = (array.offset..<array.offset + array.count).reduce(0.0) {
      $0 + Double(parameters[$1]) * Double(parameters[$1])
    }
    #expect(abs(squares.squareRoot() - recorded.finalNorm) < 1e-4)
  }
}
