import Kernels
import Models
import Testing

@Suite(.timeLimit(.minutes(15)))
struct CausalityTests {
  @Test(arguments: [SmallModel.dense, SmallModel.mixture], [Float(0), 0.5, 1])
  func `a later byte changes no earlier logit`(
    configuration: ModelConfiguration, qkLayerNormWeight: Float
  ) {
    var model = SmallModel(configuration)
    let settings = LossSettings(qkLayerNormWeight: qkLayerNormWeight)
    let before = model.logits(settings)
    model.tokens[3] = 200
    let after = model.logits(settings)
    let change = zip(before, after).map { $0 != $1 }
    #expect(!change[..<(3 * 256)].contains(true))
    #expect(change[(3 * 256)..<(4 * 256)].contains(true))
    // The next window starts after five positions.
    #expect(!change[(5 * 256)...].contains(true))
  }

  @Test
  func `the last byte is only a target`() throws {
    let model = SmallModel(SmallModel.dense, batch: 1)
    var changed = model
    changed.tokens[5] = 250
    #expect(model.logits(LossSettings()) == changed.logits(LossSettings()))
    #expect(model.loss(LossSettings()).loss != changed.loss(LossSettings()).loss)
    _ = changed.lossAndGradients(LossSettings())
    let table = try #require(changed.engine.layout["model.embed_tokens.weight"])
    let row = changed.gradient(table)[(250 * 12)..<(251 * 12)]
    #expect(row.allSatisfy { $0 == 0 })
  }
}
