import Formats
import Foundation
import Testing

/// What the pages of `studies/findings` claim of routers.
@Suite(.timeLimit(.minutes(15)))
struct RouterFindingTests {
  @Test(.enabled(if: FindingTable.names.contains("balancing")))
  func `a balance loss and biases even the experts' load`() throws {
    let table = try FindingTable("balancing")
    for rate in ["0.003", "0.01"] {
      func violation(_ loss: String, _ bias: String) throws -> Double {
        try table.measure(
          "expert_max_violation/eval",
          ["moe-aux-loss": loss, "moe-bias-balance": bias, "lr": rate])
      }
      let off = try violation("0.0", "0.0")
      #expect(try violation("0.01", "0.0") < off)
      #expect(try violation("0.0", "0.01") < off)
    }
  }

  @Test(.enabled(if: FindingTable.names.contains("rmoe")))
  func `the router rmoe decides less than a linear one, and its layers tell of each other`() throws
  {
    let table = try FindingTable("rmoe")
    func measure(_ title: String, _ router: String) throws -> Double {
      try table.measure(title, ["router": router, "moe-aux-loss": "0.01"])
    }
    #expect(try measure("router_entropy", "rmoe") > measure("router_entropy", "topk"))
    #expect(
      try measure("router_mutual_information", "rmoe")
        > measure("router_mutual_information", "topk"))
  }

  @Test(.enabled(if: FindingTable.names.contains("thor")))
  func `the more consistency weighs, the less two passes of thor differ`() throws {
    let table = try FindingTable("thor")
    for rate in ["0.003", "0.01"] {
      let divergences = try ["0.0", "1.0", "5.0"].map {
        try table.measure("pass_divergence", ["moe-consistency": $0, "lr": rate])
      }
      #expect(divergences == divergences.sorted(by: >))
    }
  }
}
