import Kernels
import Models
import Testing

@Suite(.timeLimit(.minutes(15)))
struct GateBalanceTests {
  @Test(arguments: ExpertRouter.allCases.filter { $0.conformer.hasScores })
  func `a router of zeros is even within and leaves the rest its share`(router: ExpertRouter) {
    let model = SmallModel(SmallModel.routed(by: router), batch: 4)
    for tensor in model.engine.layout.tensors where tensor.name.hasSuffix("router.weight") {
      for index in tensor.offset..<tensor.offset + tensor.count { model.parameters[index] = 0 }
    }
    let statistics = model.loss(LossSettings())
    let active: Float = router == .switch ? 1 : 2
    #expect(statistics.gateOuterBalance.allSatisfy { abs($0 / (active / 4) - 1) < 0.04 })
    #expect(statistics.gateInnerBalance.count == (router == .switch ? 0 : 2))
    #expect(statistics.gateInnerBalance.allSatisfy { $0 >= 1 && $0 < 1.04 })
  }

  @Test
  func `a router sure of its experts is uneven within and leaves the rest nothing`() {
    let model = SmallModel(SmallModel.mixture, batch: 4)
    for tensor in model.engine.layout.tensors where tensor.name.hasSuffix("router.weight") {
      for index in tensor.offset..<tensor.offset + tensor.count {
        model.parameters[index] *= 20
      }
    }
    let statistics = model.loss(LossSettings())
    #expect(statistics.gateOuterBalance.allSatisfy { $0 > 0.95 && $0 <= 1.04 })
    #expect(statistics.gateInnerBalance.allSatisfy { $0 > 3 })
  }
}
