import Kernels
import Models
import Testing

@Suite(.timeLimit(.minutes(15)))
struct GradientTests {
  @Test(arguments: [
    LossSettings(), LossSettings(zLoss: 0.05), LossSettings(qkLayerNormWeight: 1),
    LossSettings(qkLayerNormWeight: 0.37), LossSettings(qkLayerNormWeight: 0.37, zLoss: 0.05),
    LossSettings(zLoss: 0.05, logitSoftCap: 0.7, outputSoftCap: 1.2),
    LossSettings(qkLayerNormWeight: 0.37, logitSoftCap: 0.7, outputSoftCap: 1.2),
  ])
  func `a dense model's gradients agree with finite differences`(settings: LossSettings) {
    check(SmallModel(SmallModel.dense), settings)
  }

  @Test(arguments: [
    LossSettings(), LossSettings(balanceLoss: 0.5),
    LossSettings(qkLayerNormWeight: 1, zLoss: 0.05, balanceLoss: 0.5),
    LossSettings(routerZLoss: 0.3), LossSettings(balanceLoss: 0.5, routerZLoss: 0.3, capacity: 0.8),
    LossSettings(routerBias: [0.2, 0, -0.1, 0, 0, 0.1, -0.2, 0.05]),
  ])
  func `a mixture's gradients agree with finite differences`(settings: LossSettings) {
    check(SmallModel(SmallModel.mixture, batch: 4), settings)
  }

  @Test(arguments: ExpertRouter.allCases.filter { $0 != .thor })
  func `every router's gradients agree with finite differences`(router: ExpertRouter) {
    // Seeds with no token on the border of two experts, where the loss jumps.
    let seed: UInt64 = router == .sigmoid ? 3 : 1
    let model = SmallModel(SmallModel.routed(by: router), batch: 4, seed: seed)
    let zLoss: Float = router == .sigmoid ? 0 : 0.3
    check(model, LossSettings(balanceLoss: 0.5, routerZLoss: zLoss))
    check(
      model,
      LossSettings(capacity: 0.8, routerBias: [0.2, 0, -0.1, 0, 0, 0.1, -0.2, 0.05]))
  }

  @Test
  func `experts in every second layer with a shared one have the gradients of differences`() {
    let model = SmallModel(SmallModel.sharing, batch: 4)
    check(model, LossSettings(qkLayerNormWeight: 0.37, balanceLoss: 0.5, routerZLoss: 0.3))
    check(model, LossSettings(capacity: 0.8))
  }

  @Test
  func `a state carried over dense layers has the gradients of differences`() {
    let model = SmallModel(SmallModel.recurrent, batch: 4)
    check(model, LossSettings(qkLayerNormWeight: 0.37, balanceLoss: 0.5, routerZLoss: 0.3))
    check(model, LossSettings(capacity: 0.8))
  }

  @Test(arguments: [
    LossSettings(), LossSettings(consistency: 1.5),
    LossSettings(qkLayerNormWeight: 0.37, logitSoftCap: 0.7, outputSoftCap: 1.2, consistency: 3),
  ])
  func `both passes of a step have the gradients of differences`(settings: LossSettings) {
    var configuration = SmallModel.dense
    configuration.experts = ExpertConfiguration(count: 3, width: 11, active: 1, router: .thor)
    for every in 1...2 {
      configuration.experts?.every = every
      let model = SmallModel(configuration, batch: 4)
      for draw in 0..<2 {
        var settings = settings
        settings.draw = UInt64(draw)
        check(model, settings)
      }
    }
  }

  @Test
  func `switched-off gains of qk-layernorm have no gradient`() throws {
    let model = SmallModel(SmallModel.dense)
    _ = model.lossAndGradients(LossSettings())
    let name = "model.layers.0.self_attn.q_layernorm.weight"
    let tensor = try #require(model.engine.layout[name])
    #expect(model.gradient(tensor).allSatisfy { $0 == 0 })
    _ = model.lossAndGradients(LossSettings(qkLayerNormWeight: 0.5))
    #expect(model.gradient(tensor).contains { $0 != 0 })
  }

  /// Every tensor along its own gradient, where the slope is largest against Float32's noise, and
  /// its largest element alone.
  private func check(_ model: SmallModel, _ settings: LossSettings) {
    _ = model.lossAndGradients(settings)
    let tensors = model.engine.layout.tensors
    for (tensor, gradient) in zip(tensors, tensors.map(model.gradient)) {
      let norm = gradient.reduce(0) { $0 + $1 * $1 }.squareRoot()
      guard norm > 1e-5 else { continue }
      let along = slope(model, tensor, gradient.map { $0 / norm }, settings)
      #expect(abs(along - Double(norm)) < 2e-3 * Double(norm) + 2e-4, "\(tensor.name)")
      var alone = gradient.map { _ in Float(0) }
      let largest = gradient.indices.max { abs(gradient[$0]) < abs(gradient[$1]) } ?? 0
      alone[largest] = 1
      let element = Double(gradient[largest])
      let single = slope(model, tensor, alone, settings)
      #expect(abs(single - element) < 2e-3 * abs(element) + 2e-4, "\(tensor.name)[\(largest)]")
    }
  }

  /// Fourth-order central difference of what the gradient is taken of, with the largest step that
  /// sends no token to another expert: there the objective jumps.
  private func slope(
    _ model: SmallModel, _ tensor: ParameterTensor, _ direction: [Float], _ settings: LossSettings
  ) -> Double {
    let here = Objective(model, settings)
    let kept = FloatBuffer(count: model.parameters.count)
    kept.copy(from: model.parameters)
    for step in [Float(8e-3), 2e-3, 5e-4] {
      let values = [Float(-2), -1, 1, 2].map { multiple -> Objective in
        for (index, component) in direction.enumerated() {
          model.parameters[tensor.offset + index] += step * multiple * component
        }
        defer { model.parameters.copy(from: kept) }
        return Objective(model, settings)
      }
      guard values.allSatisfy(here.routesAlike) else { continue }
      let near = values[2].value - values[1].value
      let far = values[3].value - values[0].value
      return (8 * near - far) / (12 * Double(step))
    }
    Issue.record("a token sits on the border of two experts; take another seed")
    return .nan
  }

  private struct Objective {
    let value: Double
    let expertCounts: [[Int]]
    let tokensDropped: [Float]

    func routesAlike(_ other: Objective) -> Bool {
      expertCounts == other.expertCounts && tokensDropped == other.tokensDropped
    }

    /// Of a step with two passes CE₁ + CE₂ + c·divergence, which only the step itself knows.
    init(_ model: SmallModel, _ settings: LossSettings) {
      let hasTwoPasses = model.configuration.passes == 2
      let statistics = hasTwoPasses ? model.lossAndGradients(settings) : model.loss(settings)
      if hasTwoPasses {
        value = 2 * statistics.loss + Double(settings.consistency) * statistics.divergence
      } else {
        let zLoss = Double(settings.zLoss) * model.meanSquaredLogZ(settings)
        value = statistics.loss + statistics.balanceLoss + statistics.routerZLoss + zLoss
      }
      tokensDropped = statistics.tokensDropped
      expertCounts = statistics.expertCounts
    }
  }
}
