import Foundation
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

  @Test(arguments: [
    LossSettings(), LossSettings(qkLayerNormWeight: 0.37, zLoss: 0.05),
    LossSettings(zLoss: 0.05, logitSoftCap: 0.7, outputSoftCap: 1.2),
  ])
  func `windows from a noisy channel have the gradients of differences`(settings: LossSettings) {
    var model = SmallModel(SmallModel.dense)
    model.noise = [0.4, 0]
    check(model, settings)
    var two = SmallModel.dense
    two.experts = ExpertConfiguration(count: 3, width: 11, active: 1, router: .thor)
    model = SmallModel(two, batch: 4)
    model.noise = [0.4, 0, 0.95, 0.1]
    var both = settings
    both.consistency = 1.5
    // What a step of two passes tells has no z-loss in it.
    both.zLoss = 0
    check(model, both)
  }

  @Test
  func `a channel that redraws everything teaches nothing, and one without noise all`() {
    var model = SmallModel(SmallModel.dense)
    let plain = model.lossAndGradients(LossSettings())
    model.noise = [0, 0]
    #expect(model.lossAndGradients(LossSettings()) == plain)
    model.noise = [1, 1]
    #expect(abs(model.lossAndGradients(LossSettings()).loss - log(256)) < 1e-9)
    let gradients = model.engine.layout.tensors.flatMap(model.gradient)
    #expect(gradients.allSatisfy { $0 == 0 })
  }

  /// The layers and routers that are registered, and the experts that all tokens share.
  private static let registered: [ModelConfiguration] =
    LayerKind.mixers.flatMap { mixer in
      LayerKind.feedForwards.map { LayerTests.model(mixer, $0) }
        + ExpertRouter.allCases.map { LayerTests.model(mixer, .gelu, router: $0) }
    } + [SmallModel.sharing, SmallModel.recurrent]

  @Test(arguments: registered)
  func `a gradient that is zero for no reason is found`(configuration: ModelConfiguration) {
    let model = SmallModel(configuration, batch: 4)
    let settings = LossSettings(qkLayerNormWeight: 0.37, consistency: 1.5)
    let check = GradientCheck(model: model, settings: settings)
    let statistics = model.lossAndGradients(settings)
    let moved = model.engine.layout.tensors.filter {
      Stillness($0, configuration, settings, statistics) == nil
    }
    #expect(moved.count > 10)
    for tensor in moved {
      let flaws = check.flaws(of: [tensor]) { $0.map { _ in 0 } }
      #expect(flaws.first?.contains("no reason to be still") == true, "\(tensor.name)")
    }
  }

  @Test
  func `a gradient that is small and wrong is found, and one where there is none`() throws {
    let model = SmallModel(SmallModel.dense)
    let check = GradientCheck(model: model, settings: LossSettings())
    let up = try #require(model.engine.layout["model.layers.0.mlp.dense_h_to_4h.weight"])
    let gain = try #require(model.engine.layout["model.layers.0.self_attn.q_layernorm.weight"])
    #expect(check.flaws(of: [up, gain]) == [])
    #expect(check.flaws(of: [up]) { $0.map { $0 * 1e-4 } }.count >= 1)
    #expect(check.flaws(of: [gain]) { $0.map { _ in 1e-6 } }.count == 1)
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

  private func check(_ model: SmallModel, _ settings: LossSettings) {
    GradientCheck(model: model, settings: settings).run()
  }
}
