import Foundation
import Kernels
import Models
import Telemetry
import TestSupport
import Testing

@testable import Training

/// A subspace is a fixed linear map, and a run in it is a run.
@Suite(.timeLimit(.minutes(15)))
struct RandomSubspaceTests {
  private static let model = ModelConfiguration(width: 8, layers: 1, heads: 2, context: 5)
  private static let dimensions = 37
  private let layout = ParameterLayout(Self.model)

  private func subspace(workers: Int = 1) -> RandomSubspace {
    RandomSubspace(
      dimensions: Self.dimensions, of: layout, pool: WorkerPool(workers: workers), slices: 2,
      seed: 3)
  }

  private func filled(_ count: Int, seed: UInt64) -> FloatBuffer {
    let buffer = FloatBuffer(count: count)
    var random = RandomStream(seed: seed)
    for index in 0..<count { buffer[index] = Float(random.normal()) }
    return buffer
  }

  private func dot(_ a: FloatBuffer, _ b: FloatBuffer, _ count: Int) -> Double {
    (0..<count).reduce(0) { $0 + Double(a[$1]) * Double(b[$1]) }
  }

  /// A gradient of the model's, with nothing between its tensors.
  private func gradient() -> FloatBuffer {
    let gradient = FloatBuffer(count: layout.count)
    var random = RandomStream(seed: 5)
    for tensor in layout.tensors {
      for index in tensor.offset..<tensor.offset + tensor.count {
        gradient[index] = Float(random.normal())
      }
    }
    return gradient
  }

  @Test func `the gradient's map is the weights' transposed, and columns have length one`() {
    let subspace = subspace()
    let moved = FloatBuffer(count: layout.count)
    subspace.begin(at: moved)
    for index in 0..<Self.dimensions { subspace.weights[index] = Float(index % 5) - 1.7 }
    subspace.fold(into: moved)
    let gradient = gradient()
    let projected = subspace.gradients(of: [gradient])[0]
    let (there, back) = (
      dot(moved, gradient, layout.count), dot(subspace.weights, projected, Self.dimensions)
    )
    #expect(abs(there - back) < 1e-4 * max(abs(there), 1), "\(there) \(back)")
    var mean = 0.0
    for column in 0..<Self.dimensions {
      for index in 0..<Self.dimensions { subspace.weights[index] = index == column ? 1 : 0 }
      subspace.fold(into: moved)
      let length = dot(moved, moved, layout.count).squareRoot()
      #expect(abs(length - 1) < 0.15, "\(length)")
      mean += length / Double(Self.dimensions)
    }
    #expect(abs(mean - 1) < 0.03)
  }

  @Test func `nothing moves at the start, and workers change no bit`() {
    let start = filled(layout.count, seed: 6)
    let (one, two) = (subspace(), subspace(workers: 2))
    let results = [one, two].map { subspace -> FloatBuffer in
      subspace.begin(at: start)
      let parameters = FloatBuffer(count: layout.count)
      parameters.copy(from: start)
      subspace.fold(into: parameters)
      #expect((0..<layout.count).allSatisfy { parameters[$0] == start[$0] })
      for index in 0..<Self.dimensions { subspace.weights[index] = 0.01 * Float(index) }
      subspace.fold(into: parameters)
      return parameters
    }
    #expect(bits(results[0]) == bits(results[1]))
    let gradient = gradient()
    #expect(
      bits(one.gradients(of: [gradient])[0]) == bits(two.gradients(of: [gradient])[0]))
  }

  @Test func `the gradient is the slope of the loss along each dimension`() {
    let pool = WorkerPool(workers: 1)
    let engine = TransformerEngine(configuration: Self.model, batch: 2, pool: pool)
    let parameters = FloatBuffer(count: layout.count)
    initialise(parameters: parameters, layout: layout, seed: 4)
    let subspace = subspace()
    subspace.begin(at: parameters)
    var random = RandomStream(seed: 8)
    let tokens = (0..<2 * 6).map { _ in Token(random.next() % 256) }
    func loss() -> Double {
      subspace.fold(into: parameters)
      return tokens.withUnsafeBufferPointer {
        engine.loss(parameters: parameters, tokens: $0, rows: 2, settings: LossSettings()).loss
      }
    }
    for index in 0..<Self.dimensions { subspace.weights[index] = Float(0.05 * random.normal()) }
    _ = loss()
    _ = tokens.withUnsafeBufferPointer {
      engine.lossAndGradients(parameters: parameters, tokens: $0, settings: LossSettings())
    }
    let slices = subspace.gradients(of: engine.sliceGradients)
    for index in [0, 1, 17, 36] {
      let gradient = slices.reduce(0.0) { $0 + Double($1[index]) }
      let kept = subspace.weights[index]
      let sides = [Float(0.02), -0.02].map { step -> Double in
        subspace.weights[index] = kept + step
        return loss()
      }
      subspace.weights[index] = kept
      #expect(abs((sides[0] - sides[1]) / 0.04 - gradient) < 1e-3 + 0.02 * abs(gradient))
    }
  }

  @Test(arguments: [OptimizerKind.adamW, .sgd, .stableAdamW])
  func `a run goes on from its checkpoint bit for bit, whoever works`(
    optimizer: OptimizerKind
  ) async throws {
    let folder = try TestFolder()
    let change: @Sendable (inout TrainingConfiguration) -> Void = {
      $0.subspace = 300
      $0.steps = 24
      $0.checkpointEvery = 8
      $0.optimizer = optimizer
      $0.learningRate = optimizer == .sgd ? 0.3 : 0.03
    }
    let run = try await TrainedRun(checkpointFolder: folder.url) {
      change(&$0)
      $0.workers = 2
    }
    let alone = try await TrainedRun {
      change(&$0)
      $0.workers = 1
    }
    #expect(alone.numbers == run.numbers)
    let checkpoint = try CheckpointFolder.read(folder.url.appending(path: "step-000000016").path)
    let rest = try await TrainedRun(resuming: checkpoint)
    #expect(rest.numbers.count == 8 && rest.numbers == run.numbers.suffix(8))
    let losses = run.values(MetricCatalog.loss)
    #expect(losses.count == 24 && losses[23] < losses[0] - 0.1)
    let norms = run.values(MetricCatalog.subspaceNorm)
    #expect(norms.count == 24 && norms[0] > 0 && norms[23] > norms[0])
    #expect(run.samples[0].names.contains("grad_rms/subspace"))
    #expect((run.values(MetricCatalog.subspaceDrop).last ?? 0) > 0.1)
  }

  @Test func `more dimensions come to a lower loss`() async throws {
    var losses: [Double] = []
    for dimensions in [10, 100, 1000] {
      let run = try await TrainedRun {
        $0.subspace = dimensions
        $0.steps = 60
        $0.learningRate = 0.03
        $0.workers = 1
      }
      losses.append(run.values(MetricCatalog.loss).suffix(10).reduce(0, +) / 10)
    }
    #expect(losses.count == 3 && losses[0] > losses[1] + 0.02 && losses[1] > losses[2] + 0.02)
  }

  @Test func `a subspace is the checkpoint's own`() async throws {
    let folder = try TestFolder()
    _ = try await TrainedRun(checkpointFolder: folder.url) {
      $0.subspace = 50
      $0.steps = 2
    }
    let checkpoint = try CheckpointFolder.read(folder.url.appending(path: "step-000000002").path)
    for (change, words) in [
      (["subspace": "60"], "trains a subspace of 50 dimensions: leave subspace out"),
      (["seed": "9"], "was drawn by the seed 0: leave the seed out"),
    ] {
      let options = try checkpoint.continuation().options.merging(change) { $1 }
      let configuration = try TrainingConfiguration(options: options)
      let error = #expect(throws: ConfigurationError.self) {
        _ = try TrainingRun(
          resuming: checkpoint, configuration: configuration,
          corpus: Corpus.synthetic(seed: 1, bytes: 20_000), script: [], checkpointFolder: nil)
      }
      #expect(error?.description.contains(words) == true, "\(String(describing: error))")
    }
  }

  @Test func `what would change single weights is refused while it runs`() throws {
    let conditions = SettingConditions(isSubspace: true)
    for name in [SettingCatalog.freeze, SettingCatalog.qkClip] {
      let entry = try #require(SettingCatalog.entry(name))
      #expect(conditions.lack(for: entry) == "in a subspace all weights move together")
    }
  }
}
