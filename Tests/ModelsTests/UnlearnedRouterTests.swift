import Kernels
import Models
import Testing

@Suite(.timeLimit(.minutes(15)))
struct UnlearnedRouterTests {
  private func routerTensors(_ model: SmallModel) -> [ParameterTensor] {
    model.engine.layout.tensors.filter { $0.name.contains("router") }
  }

  @Test
  func `a hash has no tensor, and equal pairs of bytes go to the same experts`() {
    var model = SmallModel(SmallModel.routed(by: .hash), batch: 4)
    #expect(routerTensors(model).isEmpty)
    model.tokens = (0..<24).map { [7, 9][$0 % 2] }
    // Three pairs of bytes, each with two experts in even parts: the gates' weights are all there
    // is.
    let counts = model.loss(LossSettings()).expertCounts
    #expect(counts.map { $0.reduce(0, +) } == [40, 40])
    #expect(counts.joined().allSatisfy { $0 % 4 == 0 })
    #expect(counts[0] != counts[1])
  }

  @Test
  func `a random router's matrix has no gradient and is not counted, though its inputs learn`() {
    let random = SmallModel(SmallModel.routed(by: .random), batch: 4)
    _ = random.lossAndGradients(LossSettings(balanceLoss: 0.5))
    for tensor in routerTensors(random) {
      #expect(random.gradient(tensor).allSatisfy { $0 == 0 } && !tensor.role.isDecayed)
    }
    let learned = SmallModel(SmallModel.mixture, batch: 4)
    #expect(random.loss(LossSettings()) == learned.loss(LossSettings()))
    #expect(
      random.configuration.parameterCount
        == learned.configuration.parameterCount - 2 * 4 * 8)
  }

  @Test
  func `a step sends all tokens of a pass to one expert a layer, over the steps evenly`() {
    let model = SmallModel(SmallModel.routed(by: .thor), batch: 4)
    #expect(routerTensors(model).isEmpty)
    var total = [[Int]](repeating: [0, 0, 0, 0], count: 2)
    var meetings = 0
    for draw in 0..<400 {
      let counts = model.lossAndGradients(LossSettings(draw: UInt64(draw))).expertCounts
      for layer in 0..<2 {
        #expect(counts[layer].allSatisfy { [0, 20, 40].contains($0) })
        #expect(counts[layer].reduce(0, +) == 40)
        for expert in 0..<4 { total[layer][expert] += counts[layer][expert] / 20 }
        meetings += counts[layer].contains(40) ? 1 : 0
      }
    }
    // 800 draws over four experts, five standard deviations of 12 around 200; both passes draw the
    // same expert a quarter of the time.
    #expect(total.joined().allSatisfy { abs($0 - 200) < 60 }, "\(total)")
    #expect(abs(meetings - 200) < 60)
  }

  @Test
  func `without gradients each token draws its own expert, the same for the same draw`() {
    let model = SmallModel(SmallModel.routed(by: .thor), batch: 8)
    let (first, second) = (LossSettings(draw: 1), LossSettings(draw: 2))
    let counts = model.loss(first).expertCounts
    #expect(counts.map { $0.reduce(0, +) } == [40, 40] && counts.joined().allSatisfy { $0 > 0 })
    #expect(model.loss(first) == model.loss(first))
    #expect(model.loss(first).loss != model.loss(second).loss)
    let step = model.lossAndGradients(first)
    #expect(step.divergence > 0 && model.loss(first).divergence == 0)
  }

  @Test(arguments: [ExpertRouter.random, .hash, .thor], [2, 3, 4])
  func `any number of workers gives the bits of one`(router: ExpertRouter, workers: Int) {
    let one = SmallModel(SmallModel.routed(by: router), batch: 8)
    let many = SmallModel(SmallModel.routed(by: router), batch: 8, workers: workers)
    let settings = LossSettings(consistency: 1, draw: 5)
    #expect(one.lossAndGradients(settings) == many.lossAndGradients(settings))
    for tensor in one.engine.layout.tensors {
      #expect(one.gradient(tensor) == many.gradient(tensor), "\(tensor.name)")
    }
    #expect(one.loss(settings) == many.loss(settings))
  }

  @Test
  func `a step of two passes counts the operations of both`() {
    let (thor, one) = (SmallModel.routed(by: .thor), SmallModel.routed(by: .switch))
    #expect(thor.flopsPerToken() == 2 * one.flopsPerToken())
  }
}
