import Kernels
import Models
import Testing

@testable import Training

/// A loop with everything a step's numbers depend on.
private struct Loop {
  let windows: WindowSource
  let engine: TransformerEngine
  let optimizer: Optimizer
  let parameters: FloatBuffer
  let schedule = LearningRateSchedule(peak: 1e-2, warmup: 2, total: 8)
  let settings = LossSettings(qkLayerNormWeight: 0.25, zLoss: 1e-4, balanceLoss: 0.01)

  init(_ configuration: ModelConfiguration) throws {
    windows = try WindowSource(
      corpus: Corpus.synthetic(bytes: 5000), context: configuration.context,
      order: .shuffled, seed: 1)
    let pool = WorkerPool(workers: 1)
    engine = TransformerEngine(configuration: configuration, batch: 4, pool: pool)
    optimizer = Optimizer(layout: engine.layout, pool: pool)
    parameters = FloatBuffer(count: engine.layout.count)
  }

  func losses(of steps: Range<Int>) throws -> [Double] {
    let rows = UnsafeMutableBufferPointer<Token>.allocate(capacity: 4 * windows.windowCount)
    defer { rows.deallocate() }
    return try steps.map { step in
      try windows.windows(from: 4 * step, into: rows)
      let statistics = engine.lossAndGradients(
        parameters: parameters, tokens: UnsafeBufferPointer(rows), settings: settings)
      let rates = Optimizer.Rates(
        learningRate: Float(schedule.rate(step: step)), peakLearningRate: Float(schedule.peak))
      _ = optimizer.update(
        parameters: parameters, sliceGradients: engine.sliceGradients, updates: step, rates: rates)
      return statistics.loss
    }
  }

  var contents: CheckpointContents {
    CheckpointContents(
      configuration: engine.configuration, layout: engine.layout,
      qkLayerNormWeight: settings.qkLayerNormWeight, parameters: parameters,
      firstMoments: optimizer.firstMoments, secondMoments: optimizer.secondMoments)
  }
}

@Suite(.timeLimit(.minutes(15)))
struct ContinuationTests {
  @Test(arguments: [ModelConfiguration.dense, .mixture])
  func `a run goes on from its checkpoint as if it had never stopped`(
    model: ModelConfiguration
  ) throws {
    let folder = try ScratchFolder()
    let first = try Loop(model)
    initialise(parameters: first.parameters, layout: first.engine.layout, seed: 1)
    _ = try first.losses(of: 0..<4)
    let path = try CheckpointFolder.write(
      first.contents, step: 4, run: SavedState(), to: folder.path)
    let expected = try first.losses(of: 4..<8)

    let checkpoint = try CheckpointFolder.read(path)
    let second = try Loop(checkpoint.configuration)
    try checkpoint.load(parameters: second.parameters)
    try checkpoint.load(
      firstMoments: second.optimizer.firstMoments, secondMoments: second.optimizer.secondMoments)
    #expect(try second.losses(of: checkpoint.step..<8) == expected)
    #expect(bits(second.parameters) == bits(first.parameters))
  }
}
