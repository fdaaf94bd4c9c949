import Kernels
import Models
import Testing

@Suite(.timeLimit(.minutes(15)))
struct SoftCapTests {
  @Test
  func `a cap bounds the logits, and the largest one is told as it was before`() {
    let model = SmallModel(ModelConfiguration(width: 32, layers: 2, heads: 2, context: 16))
    for tensor in model.engine.layout.tensors where tensor.role.isHiddenMatrix {
      for index in tensor.offset..<tensor.offset + tensor.count {
        model.parameters[index] *= 20
      }
    }
    let plain = model.loss(LossSettings())
    let capped = model.loss(LossSettings(logitSoftCap: 1))
    #expect(capped.attentionLogitMax[0] == plain.attentionLogitMax[0])
    #expect(plain.attentionLogitMax[0] > 8)
    // Logits within ±1 keep the rows near uniform.
    #expect(capped.attentionEntropyShare.allSatisfy { $0 > 0.75 })
    #expect(plain.attentionEntropyShare.allSatisfy { $0 < 0.5 })
    let outputs = model.logits(LossSettings(outputSoftCap: 0.5))
    #expect(outputs.allSatisfy { abs($0) <= 0.5 })
  }

  @Test
  func `a cap far above the logits changes next to nothing`() {
    let model = SmallModel(SmallModel.dense)
    let plain = model.loss(LossSettings()).loss
    let capped = model.loss(LossSettings(logitSoftCap: 1e4, outputSoftCap: 1e4)).loss
    #expect(abs(plain - capped) < 1e-6)
  }

  @Test
  func `a capped logit that is masked leaks nothing`() {
    var model = SmallModel(SmallModel.dense)
    let settings = LossSettings(logitSoftCap: 0.5)
    let before = model.logits(settings)
    model.tokens[4] = 99
    let after = model.logits(settings)
    #expect(before[..<(4 * 256)] == after[..<(4 * 256)])
    #expect(before[(4 * 256)..<(5 * 256)] != after[(4 * 256)..<(5 * 256)])
  }
}
