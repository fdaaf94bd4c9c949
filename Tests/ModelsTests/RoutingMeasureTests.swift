import Foundation
import Kernels
import Models
import Testing

@Suite(.timeLimit(.minutes(15)))
struct RoutingMeasureTests {
  @Test
  func `independent choices say nothing, equal ones all of it`() {
    #expect(abs(mutualInformation([[6, 3], [2, 1]])) < 1e-12)
    #expect(abs(mutualInformation([[5, 0, 0], [0, 5, 0], [0, 0, 5]]) - log(3)) < 1e-12)
    #expect(abs(mutualInformation([[0, 5], [5, 0]]) - log(2)) < 1e-12)
    let entropy = -0.75 * log(0.75) - 0.25 * log(0.25)
    #expect(abs(mutualInformation([[3, 0], [0, 1]]) - entropy) < 1e-12)
  }

  @Test(arguments: ExpertRouter.allCases)
  func `neighbours among the layers with experts are measured`(router: ExpertRouter) {
    var configuration = SmallModel.routed(by: router)
    configuration.layers = 3
    let model = SmallModel(configuration, batch: 4)
    _ = model.lossAndGradients(LossSettings())
    let information = model.engine.routingMutualInformation()
    #expect(information.count == (router == .thor ? 0 : 2))
    #expect(information.allSatisfy { $0 > -1e-9 && $0 <= log(4) })
    #expect(model.engine.expertSimilarity(parameters: model.parameters).count == 3)
  }

  @Test
  func `a layer whose router has the other's weights and inputs chooses alike`() throws {
    let model = SmallModel(SmallModel.mixture, batch: 4)
    // Nothing is added to the stream, so that both routers see the same.
    for tensor in model.engine.layout.tensors {
      let isAdded = ["down.weight", "attn.dense.weight"].contains { tensor.name.hasSuffix($0) }
      let other = model.engine.layout[tensor.name.replacing("layers.0", with: "layers.1")]
      for index in 0..<tensor.count {
        if isAdded { model.parameters[tensor.offset + index] = 0 }
        guard let other, tensor.name.contains("layers.0") else { continue }
        model.parameters[other.offset + index] = model.parameters[tensor.offset + index]
      }
    }
    let statistics = model.lossAndGradients(LossSettings())
    #expect(statistics.expertCounts[0] == statistics.expertCounts[1])
    let information = try #require(model.engine.routingMutualInformation().first)
    #expect(information > 0.5)
  }

  @Test
  func `experts of the same weights are alike, drawn ones hardly`() {
    let model = SmallModel(SmallModel.mixture)
    let drawn = model.engine.expertSimilarity(parameters: model.parameters)
    #expect(drawn.allSatisfy { abs($0) < 0.15 })
    for tensor in model.engine.layout.tensors where tensor.name.contains("layers.1.mlp.experts.") {
      for index in 0..<tensor.count { model.parameters[tensor.offset + index] = Float(index % 5) }
    }
    let equal = model.engine.expertSimilarity(parameters: model.parameters)
    #expect(equal[0] == drawn[0] && abs(equal[1] - 1) < 1e-5)
  }
}
