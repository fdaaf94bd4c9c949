import Foundation
import Kernels
import Models
import Telemetry
import Testing

@testable import Training

@Suite(.timeLimit(.minutes(15)))
struct SharpnessTests {
  /// A model of few trained numbers, its whole Hessian and the probe on the same windows.
  private struct Small {
    let model = ModelConfiguration(width: 4, layers: 1, heads: 1, context: 6)
    let engine: TransformerEngine
    let parameters: FloatBuffer
    let preconditioner: Preconditioner
    let tokens: [Token]
    let trained: [Int]

    init(seed: UInt64) {
      engine = TransformerEngine(configuration: model, batch: 4, pool: WorkerPool(workers: 1))
      let layout = engine.layout
      parameters = FloatBuffer(count: layout.count)
      initialise(parameters: parameters, layout: layout, seed: seed)
      var random = RandomStream(seed: seed)
      tokens = (0..<4 * 7).map { _ in Token(random.next() % 5) }
      let second = FloatBuffer(count: layout.count)
      var trained: [Int] = []
      for tensor in layout.tensors
      where tensor.name.contains("query_key_value") || tensor.name.contains("norm.weight") {
        guard !tensor.name.contains("q_layernorm"), !tensor.name.contains("k_layernorm") else {
          continue
        }
        for index in tensor.offset..<tensor.offset + tensor.count {
          second[index] = Float(0.5 + random.uniform())
          trained.append(index)
        }
      }
      self.trained = trained
      preconditioner = Preconditioner(
        second: second, scale: 0.9, correction2: 1.5, epsilon: 0.01,
        factors: layout.tensors.map { _ in 1 })
    }

    private func gradient(moving index: Int, by step: Float) -> [Double] {
      let kept = parameters[index]
      parameters[index] += step
      defer { parameters[index] = kept }
      _ = tokens.withUnsafeBufferPointer {
        engine.lossAndGradients(parameters: parameters, tokens: $0, settings: LossSettings())
      }
      return trained.map { place in
        engine.sliceGradients.reduce(0) { $0 + Double($1[place]) }
      }
    }

    /// P^(-1/2)·H·P^(-1/2), row by row.
    var matrix: [[Double]] {
      let roots = FloatBuffer(count: parameters.count)
      preconditioner.inverseRoots(engine.layout, into: roots)
      return trained.map { index in
        let (up, down) = (gradient(moving: index, by: 0.01), gradient(moving: index, by: -0.01))
        return zip(trained.indices, zip(up, down)).map { other, gradients in
          (gradients.0 - gradients.1) / 0.02 * Double(roots[index] * roots[trained[other]])
        }
      }
    }
  }

  /// The largest eigenvalue by power iteration on the matrix, all eigenvalues shifted above 0.
  private static func largestEigenvalue(_ matrix: [[Double]]) -> Double {
    let shift = matrix.joined().reduce(0) { $0 + $1 * $1 }.squareRoot()
    var vector = matrix.indices.map { Double($0 % 3) - 0.7 }
    var value = 0.0
    for _ in 0..<400 {
      let image = zip(matrix, vector).map { row, own in
        zip(row, vector).reduce(shift * own) { $0 + $1.0 * $1.1 }
      }
      value = image.reduce(0) { $0 + $1 * $1 }.squareRoot()
      vector = image.map { $0 / value }
    }
    return value - shift
  }

  @Test(arguments: [1, 2, 3, 4] as [UInt64])
  func `it is the largest eigenvalue of the whole Hessian`(seed: UInt64) throws {
    let small = Small(seed: seed)
    let probe = SharpnessProbe(
      interval: 1, model: small.model, tokens: small.tokens, rows: 4,
      pool: WorkerPool(workers: 1), seed: 1)
    let expected = Self.largestEigenvalue(small.matrix)
    var measured = 0.0
    for _ in 0..<6 {
      measured = try #require(
        probe.measure(
          small.parameters, settings: LossSettings(), preconditioner: small.preconditioner))
    }
    #expect(expected > 0)
    #expect(abs(measured / expected - 1) < 0.03, "\(measured), \(expected)")
  }

  @Test func `Adam's limit at a momentum of 0.9 is 38 over the rate, SGD's 3.8`() {
    let layout = ParameterLayout(ModelConfiguration(width: 4, layers: 1, heads: 1, context: 6))
    let rates = Optimizer.Rates(learningRate: 0.5, peakLearningRate: 0.5)
    let limit = { (kind: OptimizerKind) in
      Optimizer(layout: layout, pool: WorkerPool(workers: 1), kind: kind).sharpnessLimit(rates)
    }
    #expect(abs(limit(.adamW) - 76) < 1e-3)
    #expect(abs(limit(.sgd) - 7.6) < 1e-5)
  }

  @Test(arguments: [OptimizerKind.muon, .lion])
  func `an optimizer that divides by nothing fixed has no sharpness`(kind: OptimizerKind) {
    let layout = ParameterLayout(ModelConfiguration(width: 4, layers: 1, heads: 1, context: 6))
    let optimizer = Optimizer(layout: layout, pool: WorkerPool(workers: 1), kind: kind)
    let rates = Optimizer.Rates(learningRate: 0.5, peakLearningRate: 0.5)
    #expect(optimizer.preconditioner(rates, updates: 3) == nil)
    #expect(throws: ConfigurationError.self) {
      try TrainingConfiguration(options: ["optimizer": kind.rawValue, "sharpness-every": "9"])
    }
  }

  @Test(arguments: [Preset.tiny, .moeTiny])
  func `a run measures the same on any workers and after any checkpoint`(preset: Preset)
    async throws
  {
    let folder = try ScratchFolder()
    let configure = { (workers: Int) in
      { (configuration: inout TrainingConfiguration) in
        configuration.steps = 45
        configuration.sharpnessEvery = 6
        configuration.checkpointEvery = 10
        configuration.workers = workers
      }
    }
    let whole = try await TrainedRun(preset, checkpointFolder: folder.url, configure(1))
    let other = try await TrainedRun(preset, configure(2))
    #expect(whole.numbers == other.numbers)
    // Of a mixture less is told: where a token changes its expert the loss jumps.
    #expect(whole.values(MetricCatalog.sharpness).count >= (preset == .tiny ? 5 : 1))
    #expect(whole.values(MetricCatalog.sharpness).allSatisfy { $0 > 0 })
    for samples in whole.samples where samples[MetricCatalog.sharpness] != nil {
      let rate = try #require(samples[MetricCatalog.learningRate])
      #expect(abs((samples[MetricCatalog.sharpnessLimit] ?? 0) * rate - 38) < 1e-3)
    }
    for entry in try CheckpointFolder.list(in: folder.path).dropLast() {
      let rest = try await TrainedRun(resuming: CheckpointFolder.read(entry.path))
      #expect(rest.numbers == Array(whole.numbers.dropFirst(entry.step)), "from \(entry.step)")
    }
  }
}
