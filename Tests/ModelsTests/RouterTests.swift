import Foundation
import Kernels
import Models
import Testing

@Suite(.timeLimit(.minutes(15)))
struct RouterTests {
  @Test(arguments: ExpertRouter.allCases.filter { $0 != .thor })
  func `every token is sent to its few experts, and the loss is the step's own`(
    router: ExpertRouter
  ) {
    let model = SmallModel(SmallModel.routed(by: router), batch: 8)
    let settings = LossSettings(balanceLoss: 0.01, capacity: 0.9)
    let step = model.lossAndGradients(settings)
    let active = router == .switch ? 1 : 2
    #expect(step.expertCounts.map { $0.reduce(0, +) } == [40 * active, 40 * active])
    #expect(model.loss(settings) == step)
    #expect(step.routerEntropy.count == (router.conformer.hasScores ? 2 : 0))
    #expect(step.routerEntropy.allSatisfy { $0 > 0 && $0 <= log(4) + 1e-5 })
  }

  @Test
  func `experts in every second layer are told by those layers, and windows group freely`() {
    let model = SmallModel(SmallModel.sharing, batch: 8)
    let step = model.lossAndGradients(LossSettings(balanceLoss: 0.01))
    #expect(step.expertCounts.map { $0.reduce(0, +) } == [80])
    #expect(step.routerEntropy.count == 1 && step.attentionLogitMax.count == 2)
    #expect(model.loss(LossSettings(balanceLoss: 0.01)) == step)
    let names = model.engine.layout.tensors.map(\.name)
    #expect(names.contains("model.layers.0.mlp.dense_h_to_4h.weight"))
    #expect(names.contains("model.layers.1.mlp.shared_expert.down.weight"))
    #expect(!names.contains { $0.hasPrefix("model.layers.0.mlp.experts") })
  }

  @Test
  func `a shared expert of zeros adds nothing`() {
    let shared = SmallModel(SmallModel.sharing, batch: 4)
    for tensor in shared.engine.layout.tensors
    where tensor.name.hasSuffix("shared_expert.down.weight") {
      for index in tensor.offset..<tensor.offset + tensor.count { shared.parameters[index] = 0 }
    }
    var configuration = SmallModel.sharing
    configuration.experts?.sharedWidth = 0
    let without = SmallModel(configuration, batch: 4)
    for tensor in without.engine.layout.tensors {
      let other = shared.engine.layout[tensor.name]
      for index in 0..<tensor.count {
        without.parameters[tensor.offset + index] =
          shared.parameters[(other?.offset ?? 0) + index]
      }
    }
    #expect(shared.loss(LossSettings()).loss == without.loss(LossSettings()).loss)
  }

  @Test
  func `a bias steers the choice and is in no gate`() {
    let model = SmallModel(SmallModel.mixture, batch: 4)
    var bias = [Float](repeating: 0, count: 8)
    // The same for every expert of a layer: no choice changes, and no output.
    for expert in 0..<4 { bias[expert] = 3 }
    #expect(model.logits(LossSettings(routerBias: bias)) == model.logits(LossSettings()))
    bias = [9, 0, 0, 9, 0, 9, 9, 0]
    let counts = model.loss(LossSettings(routerBias: bias)).expertCounts
    #expect(counts == [[20, 0, 0, 20], [0, 20, 20, 0]])
  }

  @Test
  func `biases move against the load, by its sign or in proportion`() {
    var sigmoid = RouterBias(SmallModel.routed(by: .sigmoid))
    sigmoid.update(counts: [[10, 30, 20, 20], [0, 0, 0, 80]], rate: 0.5)
    #expect(sigmoid.values == [0.5, -0.5, 0, 0, 0.5, 0.5, 0.5, -0.5])
    var softmax = RouterBias(SmallModel.routed(by: .topk))
    softmax.update(counts: [[10, 30, 20, 20], [0, 0, 0, 80]], rate: 0.5)
    #expect(softmax.values == [0.25, -0.25, 0, 0, 0.5, 0.5, 0.5, -1.5])
    let before = softmax.values
    softmax.update(counts: [[10, 30, 20, 20], [0, 0, 0, 80]], rate: 0.5, frozenBlocks: 1)
    #expect(softmax.values[..<4] == before[..<4] && softmax.values[4] == 1)
  }

  @Test
  func `beyond an expert's capacity the first tokens of a window stay`() {
    let model = SmallModel(SmallModel.mixture, batch: 4)
    // All tokens want experts 0 and 1: a share of 0.8 is two of each window's five tokens.
    let bias: [Float] = [9, 8, 0, 0, 9, 8, 0, 0]
    let all = LossSettings(routerBias: bias)
    let capped = LossSettings(capacity: 0.8, routerBias: bias)
    let statistics = model.loss(capped)
    #expect(statistics.tokensDropped == [0.6, 0.6])
    #expect(statistics.expertCounts == [[20, 20, 0, 0], [20, 20, 0, 0]])
    let (kept, free) = (model.logits(capped), model.logits(all))
    #expect(kept[..<(2 * 256)] == free[..<(2 * 256)])
    #expect(kept[(2 * 256)..<(3 * 256)] != free[(2 * 256)..<(3 * 256)])
    #expect(model.loss(LossSettings(capacity: 4)).loss == model.loss(LossSettings()).loss)
  }

  @Test(arguments: ExpertRouter.allCases)
  func `a later token pushes no earlier one out`(router: ExpertRouter) {
    var model = SmallModel(SmallModel.routed(by: router), batch: 4)
    let settings = LossSettings(capacity: 0.5)
    let before = model.logits(settings)
    model.tokens[3] = 77
    model.tokens[4] = 99
    let after = model.logits(settings)
    #expect(before[..<(3 * 256)] == after[..<(3 * 256)])
    #expect(before[(3 * 256)..<(5 * 256)] != after[(3 * 256)..<(5 * 256)])
  }

  @Test
  func `drops do not depend on how windows are grouped`() {
    let model = SmallModel(SmallModel.mixture, batch: 8)
    let settings = LossSettings(capacity: 0.7)
    let together = model.loss(settings)
    let alone = SmallModel(SmallModel.mixture, batch: 1)
    let width = model.configuration.context + 1
    let singles = (0..<8).map { row in
      Array(model.tokens[row * width..<(row + 1) * width]).withUnsafeBufferPointer {
        alone.engine.loss(
          parameters: model.parameters, tokens: $0, rows: 1, settings: settings)
      }
    }
    #expect(abs(together.loss - singles.reduce(0) { $0 + $1.loss } / 8) < 1e-5)
    let dropped = singles.reduce(0) { $0 + $1.tokensDropped[0] } / 8
    #expect(abs(together.tokensDropped[0] - dropped) < 1e-6 && dropped > 0)
  }
}
