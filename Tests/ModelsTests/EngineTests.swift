import Foundation
import Kernels
import Models
import Testing

@Suite(.timeLimit(.minutes(15)))
struct EngineTests {
  @Test(arguments: [SmallModel.dense, SmallModel.mixture])
  func `a loss without gradients is the step's own, to the bit`(configuration: ModelConfiguration) {
    let model = SmallModel(configuration, batch: 8)
    let settings = LossSettings(balanceLoss: 0.01)
    let step = model.lossAndGradients(settings)
    #expect(model.loss(settings) == step)
  }

  @Test(arguments: [SmallModel.dense, SmallModel.mixture], [1, 3, 5, 8])
  func `a loss over any number of windows is the mean of theirs`(
    configuration: ModelConfiguration, rows: Int
  ) {
    let model = SmallModel(configuration, batch: 8, workers: 2)
    let width = configuration.context + 1
    let singles = (0..<rows).map { row in
      Array(model.tokens[row * width..<(row + 1) * width]).withUnsafeBufferPointer {
        model.engine.loss(
          parameters: model.parameters, tokens: $0, rows: 1, settings: LossSettings()
        ).loss
      }
    }
    let together = model.tokens.withUnsafeBufferPointer {
      model.engine.losses(
        parameters: [model.parameters, model.parameters], tokens: $0, rows: rows,
        settings: LossSettings())
    }
    #expect(abs(together[0] - singles.reduce(0, +) / Double(rows)) < 1e-5)
    #expect(together[0] == together[1])
  }

  @Test(
    arguments: [SmallModel.dense, SmallModel.sharing, SmallModel.recurrent]
      + ExpertRouter.allCases.map(SmallModel.routed))
  func `gradients are this call's alone`(configuration: ModelConfiguration) {
    let fresh = SmallModel(configuration)
    _ = fresh.lossAndGradients(LossSettings(draw: 1))
    var used = SmallModel(configuration)
    let tokens = used.tokens
    used.tokens = tokens.map { ($0 &* 7) % 11 }
    _ = used.lossAndGradients(LossSettings(qkLayerNormWeight: 0.5, balanceLoss: 0.1, draw: 2))
    used.tokens = tokens
    _ = used.lossAndGradients(LossSettings(draw: 1))
    for tensor in fresh.engine.layout.tensors {
      #expect(used.gradient(tensor) == fresh.gradient(tensor), "\(tensor.name)")
    }
  }

  @Test
  func `the first step of a switch has the loss it would have had`() {
    let model = SmallModel(SmallModel.dense)
    let plain = model.loss(LossSettings())
    let almost = model.loss(LossSettings(qkLayerNormWeight: 1e-7))
    #expect(abs(plain.loss - almost.loss) < 1e-5)
    #expect(abs(plain.loss - model.loss(LossSettings(qkLayerNormWeight: 0.5)).loss) > 1e-5)
  }

  @Test
  func `normalised logits stay below the bound of Cauchy and Schwarz`() {
    let model = SmallModel(ModelConfiguration(width: 32, layers: 2, heads: 2, context: 16))
    for tensor in model.engine.layout.tensors {
      for index in tensor.offset..<tensor.offset + tensor.count {
        if !tensor.role.isDecayed { model.parameters[index] = 1 }
        if tensor.role.isHiddenMatrix { model.parameters[index] *= 20 }
      }
    }
    let plain = model.loss(LossSettings()).attentionLogitMax
    #expect(plain.allSatisfy { $0 > 8 })
    let normalised = model.loss(LossSettings(qkLayerNormWeight: 1)).attentionLogitMax
    #expect(normalised.allSatisfy { $0 <= 4.0001 })
  }

  @Test
  func `a mixture counts every assignment and measures its router`() {
    let model = SmallModel(SmallModel.mixture, batch: 4)
    let statistics = model.lossAndGradients(LossSettings(balanceLoss: 0.01))
    #expect(statistics.expertCounts.map { $0.reduce(0, +) } == [40, 40])
    #expect(statistics.routerEntropy.allSatisfy { $0 > 0 && $0 <= log(4) })
    // Uniform loads give c·E·(1/E) a layer; a router this small is near that.
    #expect(abs(statistics.balanceLoss - 0.02) < 0.01)
  }

  @Test
  func `a dense model has no expert statistics`() {
    let statistics = SmallModel(SmallModel.dense).loss(LossSettings(balanceLoss: 1))
    #expect(statistics.expertCounts.isEmpty && statistics.routerEntropy.isEmpty)
    #expect(statistics.balanceLoss == 0)
  }
}
