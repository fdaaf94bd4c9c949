import Kernels
import Models
import Testing

/// Every registered conformer, each with each: what a new one must pass before anything else.
@Suite(.timeLimit(.minutes(15)))
struct LayerTests {
  static func model(
    _ mixer: LayerKind, _ feedForward: LayerKind, router: ExpertRouter? = nil
  ) -> ModelConfiguration {
    var configuration = router.map(SmallModel.routed) ?? SmallModel.dense
    // A LayerNorm over the two channels of a narrow group is hardly more than a sign.
    if mixer == .ssm { configuration.width = 32 }
    configuration.mixers = [mixer]
    configuration.feedForward = feedForward
    return configuration
  }

  @Test(arguments: LayerKind.mixers, LayerKind.feedForwards)
  func `a mixer and a feed-forward layer have the gradients of differences`(
    mixer: LayerKind, feedForward: LayerKind
  ) {
    let model = SmallModel(Self.model(mixer, feedForward))
    for settings in [LossSettings(), LossSettings(qkLayerNormWeight: 0.37, zLoss: 0.05)] {
      GradientCheck(model: model, settings: settings).run()
    }
  }

  @Test(arguments: LayerKind.mixers, ExpertRouter.allCases)
  func `a mixer and a router have the gradients of differences`(
    mixer: LayerKind, router: ExpertRouter
  ) {
    // Seeds with no token on the border of two experts, where the loss jumps.
    let seed: UInt64 = router == .sigmoid ? (mixer == .ssm ? 7 : 3) : 1
    for every in 1...2 {
      var configuration = Self.model(mixer, .gelu, router: router)
      configuration.experts?.every = every
      let model = SmallModel(configuration, batch: 4, seed: seed)
      let hasScores = router.conformer.hasScores
      let settings = LossSettings(
        balanceLoss: hasScores ? 0.5 : 0, routerZLoss: router.conformer.hasSoftmax ? 0.3 : 0,
        consistency: router.conformer.passes == 2 ? 1.5 : 0)
      GradientCheck(model: model, settings: settings).run()
    }
  }

  @Test(arguments: LayerKind.mixers + [.decay], LayerKind.feedForwards + [.scale])
  func `no position sees a later byte, and a second pass over the same windows has the same bits`(
    mixer: LayerKind, feedForward: LayerKind
  ) {
    var model = SmallModel(Self.model(mixer, feedForward), batch: 4)
    let step = model.lossAndGradients(LossSettings())
    let gradients = model.engine.layout.tensors.map(model.gradient)
    #expect(model.loss(LossSettings()) == step)
    #expect(model.lossAndGradients(LossSettings()) == step)
    #expect(model.engine.layout.tensors.map(model.gradient) == gradients)
    let before = model.logits(LossSettings())
    model.tokens[4] = 99
    let after = model.logits(LossSettings())
    #expect(before[..<(4 * 256)] == after[..<(4 * 256)])
    #expect(before[(4 * 256)..<(5 * 256)] != after[(4 * 256)..<(5 * 256)])
  }

  @Test(arguments: LayerKind.mixers + LayerKind.feedForwards)
  func `a name gives its layer back`(kind: LayerKind) {
    #expect(LayerKind(rawValue: kind.rawValue) == kind)
  }

  @Test(arguments: [[LayerKind.decay], [.attention, .decay]], [LayerKind.gelu, .scale])
  func `layers that nobody registered have the gradients of differences`(
    mixers: [LayerKind], feedForward: LayerKind
  ) {
    var configuration = SmallModel.dense
    configuration.mixers = mixers
    configuration.feedForward = feedForward
    let model = SmallModel(configuration, batch: 4)
    for settings in [LossSettings(), LossSettings(qkLayerNormWeight: 0.37)] {
      GradientCheck(model: model, settings: settings).run()
    }
  }

  @Test
  func `an unregistered mixer stands between experts, and each tells what it measures`() {
    var configuration = SmallModel.mixture
    configuration.layers = 3
    configuration.mixers = [.decay, .attention]
    let model = SmallModel(configuration, batch: 4)
    GradientCheck(model: model, settings: LossSettings(balanceLoss: 0.5)).run()
    let statistics = model.lossAndGradients(LossSettings())
    #expect(configuration.signals.map(\.layer) == [0, 0, 2, 2])
    #expect(statistics.signals.count == 4 && statistics.signals.allSatisfy { $0 > 0 })
    #expect(statistics.attentionLogitMax.count == 1 && statistics.headLogitMax.count == 2)
    #expect(statistics.activationRMS.count == 3 && statistics.expertCounts.count == 3)
    let many = SmallModel(configuration, batch: 4, workers: 2)
    #expect(many.lossAndGradients(LossSettings()) == statistics)
  }

  @Test
  func `a tensor that blocks share has one place, after them`() throws {
    var configuration = SmallModel.dense
    configuration.feedForward = .scale
    let model = SmallModel(configuration)
    let shared = model.engine.layout.tensors.filter { $0.role == .coefficients }
    #expect(shared.map(\.name) == ["model.scale.shared"] && shared.map(\.layer) == [nil])
    let next = try #require(model.engine.layout["model.final_layernorm.weight"])
    #expect(shared[0].offset < next.offset)
  }
}
