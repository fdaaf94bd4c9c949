import Kernels
import Models
import Testing

@Suite(.timeLimit(.minutes(15)))
struct ParameterLayoutTests {
  @Test(arguments: [SmallModel.dense, SmallModel.mixture])
  func `tensors start at cache lines and never overlap`(configuration: ModelConfiguration) {
    let layout = ParameterLayout(configuration)
    var end = 0
    for tensor in layout.tensors {
      #expect(tensor.offset % 16 == 0)
      #expect(tensor.offset >= end && tensor.offset < end + 16)
      end = tensor.offset + tensor.count
      #expect(layout[tensor.name] == tensor)
    }
    #expect(layout.count >= end && layout.count < end + 16)
    #expect(layout["model.layers.9.input_layernorm.weight"] == nil)
  }

  @Test
  func `a dense model has twelve squares a layer, two tables and its gains`() {
    let configuration = ModelConfiguration(width: 64, layers: 2, heads: 2, context: 64)
    let gains = 2 * (64 + 64 + 32 + 32) + 64
    #expect(configuration.parameterCount == 2 * 12 * 64 * 64 + 2 * 256 * 64 + gains)
    #expect(
      configuration.flopsPerToken() == Double(6 * (2 * 12 * 64 * 64 + 64 * 256) + 6 * 2 * 64 * 64))
  }

  @Test
  func `a mixture of two active halves costs a dense model's operations`() {
    let dense = ModelConfiguration(width: 64, layers: 4, heads: 2, context: 64)
    var mixture = dense
    mixture.experts = ExpertConfiguration(count: 8, width: 128, active: 2)
    #expect(mixture.flopsPerToken() == dense.flopsPerToken())
    #expect(mixture.parameterCount > 2 * dense.parameterCount)
  }
}
