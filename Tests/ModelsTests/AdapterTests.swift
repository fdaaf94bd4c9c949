import Kernels
import Models
import Testing

/// What is trained in the place of a model's own tensors.
@Suite(.timeLimit(.minutes(15)))
struct AdapterTests {
  private static let settings = [
    LossSettings(), LossSettings(qkLayerNormWeight: 0.37, zLoss: 0.05, logitSoftCap: 2),
    LossSettings(qkLayerNormWeight: 1, outputSoftCap: 1.5),
  ]

  /// The plain model that the adapted one begins as.
  private func plain(_ model: SmallModel) -> SmallModel {
    var configuration = model.configuration
    configuration.adapter = nil
    var plain = SmallModel(configuration, batch: model.batch)
    plain.tokens = model.tokens
    return plain
  }

  /// As a run begins with it.
  private func fresh(_ method: AdapterMethod) -> SmallModel {
    let model = SmallModel(SmallModel.adapted(by: method), batch: 4)
    initialise(parameters: model.parameters, layout: model.engine.layout, seed: 3)
    return model
  }

  @Test(arguments: AdapterMethod.allCases)
  func `an adapter has the gradients of differences`(method: AdapterMethod) {
    let model = SmallModel(SmallModel.adapted(by: method), batch: 4)
    for settings in Self.settings { GradientCheck(model: model, settings: settings).run() }
  }

  @Test(arguments: AdapterMethod.allCases)
  func `the model's own tensors are all frozen, and none of them changes`(
    method: AdapterMethod
  ) throws {
    let model = SmallModel(SmallModel.adapted(by: method), batch: 4)
    let (layout, own) = (model.engine.layout, ParameterLayout(SmallModel.dense))
    #expect(layout.trunk.map(\.name) == own.tensors.map(\.name))
    #expect(layout.trunk.allSatisfy(\.isFrozen) && !layout.tensors.contains(where: \.isFrozen))
    #expect(model.engine.sliceGradients.allSatisfy { $0.count == layout.count })
    #expect(layout.count < own.count)
    let trunk = try #require(model.engine.trunk)
    let before = (0..<trunk.count).map { trunk[$0].bitPattern }
    _ = model.lossAndGradients(LossSettings())
    #expect((0..<trunk.count).map { trunk[$0].bitPattern } == before)
  }

  @Test(arguments: AdapterMethod.allCases.filter(\.beginsAtTrunk))
  func `a new adapter changes no loss`(method: AdapterMethod) {
    let model = fresh(method)
    for settings in Self.settings {
      let (loss, judge) = (model.loss(settings).loss, plain(model).loss(settings).loss)
      #expect(abs(loss - judge) < 1e-6, "\(loss), plain \(judge)")
    }
  }

  @Test(arguments: AdapterMethod.allCases.filter(\.isMergeable))
  func `merged into the weights it has the same logits, to rounding`(method: AdapterMethod) throws {
    let model = SmallModel(SmallModel.adapted(by: method), batch: 4)
    let merged = mergedParameters(
      model.configuration, parameters: model.parameters, trunk: try #require(model.engine.trunk))
    let judge = plain(model)
    for settings in Self.settings {
      let before = judge.logits(settings)
      let logits = model.tokens.withUnsafeBufferPointer {
        judge.engine.logits(parameters: merged, tokens: $0, rows: model.batch, settings: settings)
      }
      let adapted = model.logits(settings)
      #expect(zip(logits, adapted).allSatisfy { abs($0 - $1) < 2e-5 })
      #expect(zip(before, adapted).contains { abs($0 - $1) > 1e-2 })
    }
  }

  @Test(arguments: AdapterMethod.allCases)
  func `one worker or two, and the second pass after the first, give the same bits`(
    method: AdapterMethod
  ) {
    let configuration = SmallModel.adapted(by: method)
    let models = [1, 2].map { SmallModel(configuration, batch: 4, workers: $0) }
    let results = models.map { model in
      (0..<2).map { _ in
        let statistics = model.lossAndGradients(LossSettings())
        #expect(model.loss(LossSettings()).loss == statistics.loss)
        return model.engine.layout.tensors.flatMap(model.gradient) + [Float(statistics.loss)]
      }
    }
    #expect(results[0][0] == results[0][1])
    #expect(results[0][0] == results[1][0])
  }

  @Test(arguments: AdapterMethod.allCases)
  func `no position sees a later byte`(method: AdapterMethod) {
    var model = SmallModel(SmallModel.adapted(by: method), batch: 4)
    let before = model.logits(LossSettings())
    model.tokens[4] = 99
    let after = model.logits(LossSettings())
    #expect(before[..<(4 * 256)] == after[..<(4 * 256)])
    #expect(before[(4 * 256)..<(5 * 256)] != after[(4 * 256)..<(5 * 256)])
  }
}
