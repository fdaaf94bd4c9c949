import Kernels
import Models
import Testing

@Suite(.timeLimit(.minutes(15)))
struct RecurrentRouterTests {
  private func tensor(_ name: String, of model: SmallModel) throws -> ParameterTensor {
    try #require(model.engine.layout[name])
  }

  private func clear(_ name: String, of model: SmallModel) throws {
    let tensor = try tensor(name, of: model)
    for index in 0..<tensor.count { model.parameters[tensor.offset + index] = 0 }
  }

  @Test
  func `the first layer's projection learns from the last layer's choice alone`() throws {
    // With G of the first layer at 0 its logits say nothing; a detached state would leave nothing.
    for configuration in [SmallModel.routed(by: .rmoe), SmallModel.recurrent] {
      let model = SmallModel(configuration, batch: 4)
      let layers = configuration.mixtureLayers
      try clear("model.layers.\(layers[0]).mlp.router.weight", of: model)
      _ = model.lossAndGradients(LossSettings())
      let name = "model.layers.\(layers[0]).mlp.router.projection.weight"
      let gradient = model.gradient(try tensor(name, of: model))
      #expect(gradient.contains { abs($0) > 1e-6 })
      try clear("model.layers.\(layers[1]).mlp.router.weight", of: model)
      _ = model.lossAndGradients(LossSettings())
      #expect(model.gradient(try tensor(name, of: model)).allSatisfy { $0 == 0 })
    }
  }

  @Test
  func `the state of one layer steers the choice of the next`() throws {
    let model = SmallModel(SmallModel.routed(by: .rmoe), batch: 4)
    let before = model.loss(LossSettings()).routerZ
    // Without U there is no way from one layer's state to the next one's gates, but z keeps some.
    try clear("model.router.state.weight", of: model)
    let after = model.loss(LossSettings()).routerZ
    #expect(after[0] == before[0] && after[1] != before[1])
  }

  @Test
  func `one cell serves all layers, and each has a projection and logits of its own`() {
    let model = SmallModel(SmallModel.recurrent)
    let tensors = model.engine.layout.tensors.filter { $0.name.contains(".router.") }
    let shapes = Dictionary(uniqueKeysWithValues: tensors.map { ($0.name, $0.shape) })
    let expected: [String: [Int]] = [
      "model.layers.1.mlp.router.projection.weight": [5, 8],
      "model.layers.1.mlp.router.weight": [4, 5],
      "model.layers.3.mlp.router.projection.weight": [5, 8],
      "model.layers.3.mlp.router.weight": [4, 5],
      "model.router.input.weight": [15, 5], "model.router.state.weight": [15, 5],
      "model.router.input.bias": [15], "model.router.state.bias": [15],
    ]
    #expect(shapes == expected)
    // L·(d·p + p·E) + 6p² + 6p
    let (projections, cell) = (2 * (8 * 5 + 5 * 4), 6 * 25 + 6 * 5)
    let count = tensors.reduce(0) { $0 + $1.count }
    #expect(count == projections + cell)
    #expect(tensors.map(\.role).filter { !$0.isDecayed } == [.bias, .bias])
  }

  @Test(arguments: [2, 3, 4])
  func `any number of workers gives the bits of one`(workers: Int) {
    let one = SmallModel(SmallModel.recurrent, batch: 8)
    let many = SmallModel(SmallModel.recurrent, batch: 8, workers: workers)
    let settings = LossSettings(balanceLoss: 0.01, routerZLoss: 1e-3)
    #expect(one.lossAndGradients(settings) == many.lossAndGradients(settings))
    for tensor in one.engine.layout.tensors {
      #expect(one.gradient(tensor) == many.gradient(tensor), "\(tensor.name)")
    }
    #expect(one.loss(settings) == many.loss(settings))
  }

  @Test
  func `no position's routing sees a later byte`() {
    var model = SmallModel(SmallModel.recurrent, batch: 4)
    let before = model.logits(LossSettings())
    model.tokens[4] = 99
    let after = model.logits(LossSettings())
    #expect(before[..<(4 * 256)] == after[..<(4 * 256)])
    #expect(before[(4 * 256)..<(5 * 256)] != after[(4 * 256)..<(5 * 256)])
  }
}
