import Kernels
import Models
import Testing
import Training

@Suite(.timeLimit(.minutes(15)))
struct WorkerBitsTests {
  static let dense = ModelConfiguration(width: 24, layers: 2, heads: 2, context: 17)
  static let mixture = ModelConfiguration(
    width: 24, layers: 2, heads: 2, context: 17,
    experts: ExpertConfiguration(count: 8, width: 48, active: 2))

  @Test(arguments: [dense, mixture], [2, 3, 4])
  func `any number of workers gives the bits of one`(
    configuration: ModelConfiguration, workers: Int
  ) {
    let one = train(configuration, workers: 1)
    let many = train(configuration, workers: workers)
    #expect(one.statistics == many.statistics)
    #expect(one.updates == many.updates)
    let same = (0..<one.parameters.count).allSatisfy {
      one.parameters[$0].bitPattern == many.parameters[$0].bitPattern
    }
    #expect(same)
  }

  @Test(
    arguments: OptimizerKind.byGradients, GradientClipping.Kind.allCases)
  func `workers change no bit of any optimizer under any clipping`(
    kind: OptimizerKind, clipping: GradientClipping.Kind
  ) {
    let one = train(Self.mixture, workers: 1, kind: kind, clipping: clipping)
    let three = train(Self.mixture, workers: 3, kind: kind, clipping: clipping)
    #expect(one.updates == three.updates)
    let same = (0..<one.parameters.count).allSatisfy {
      one.parameters[$0].bitPattern == three.parameters[$0].bitPattern
    }
    #expect(same)
  }

  @Test(arguments: OptimizerKind.byGradients)
  func `workers change no bit under a cap of the change`(kind: OptimizerKind) {
    let cap: Float = kind == .sgd ? 1e-5 : 0.01
    let one = train(Self.mixture, workers: 1, kind: kind, cap: cap)
    let two = train(Self.mixture, workers: 2, kind: kind, cap: cap)
    #expect(one.updates == two.updates)
    #expect(one.updates.contains { $0.cappedShare > 0 })
    let same = (0..<one.parameters.count).allSatisfy {
      one.parameters[$0].bitPattern == two.parameters[$0].bitPattern
    }
    #expect(same)
  }

  private struct Trained {
    let parameters: FloatBuffer
    var statistics: [StepStatistics] = []
    var updates: [UpdateStatistics] = []
  }

  private func train(
    _ configuration: ModelConfiguration, workers: Int, kind: OptimizerKind = .adamW,
    clipping: GradientClipping.Kind = .global, cap: Float = 0
  ) -> Trained {
    let pool = WorkerPool(workers: workers)
    let engine = TransformerEngine(configuration: configuration, batch: 8, pool: pool)
    let optimizer = Optimizer(layout: engine.layout, pool: pool, kind: kind)
    var result = Trained(parameters: FloatBuffer(count: engine.layout.count))
    initialise(parameters: result.parameters, layout: engine.layout, seed: 6)
    var random = RandomStream(seed: 7)
    let settings = LossSettings(qkLayerNormWeight: 0.25, zLoss: 1e-4, balanceLoss: 0.01)
    var rates = Optimizer.Rates(learningRate: 1e-2, peakLearningRate: 1e-2)
    rates.clipping = clipping
    rates.updateCap = cap
    rates.updateClip = kind == .stableAdamW ? 1 : 0
    for step in 0..<5 {
      let tokens = (0..<8 * 18).map { _ in Token(random.next() % 256) }
      let statistics = tokens.withUnsafeBufferPointer {
        engine.lossAndGradients(parameters: result.parameters, tokens: $0, settings: settings)
      }
      result.statistics.append(statistics)
      result.updates.append(
        optimizer.update(
          parameters: result.parameters, sliceGradients: engine.sliceGradients, updates: step,
          rates: rates))
      let held = tokens.withUnsafeBufferPointer {
        engine.loss(parameters: result.parameters, tokens: $0, rows: 7, settings: settings)
      }
      result.statistics.append(held)
    }
    return result
  }
}
