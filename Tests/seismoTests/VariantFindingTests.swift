import Formats
import Testing

/// What the pages of `studies/findings` claim of layers, shared and missing weights, and bounds on steps.
@Suite(.timeLimit(.minutes(15)))
struct VariantFindingTests {
  @Test(.enabled(if: FindingTable.names.contains("update-cap")))
  func `steps of a hundredth of the norm bear every rate, and hold the logits`() throws {
    let table = try FindingTable("update-cap")
    #expect(try table.sensitivity(["update-cap": "0.01"]) < 0.05)
    #expect(try table.sensitivity(["update-cap": "0.0"]) > 0.4)
    for rate in ["0.01", "0.03", "0.1", "0.3", "1.0"] {
      let held = ["update-cap": "0.01", "lr": rate]
      #expect(try table.mean(held) { $0["attention_logit_max"]?.number } < 30)
      #expect(try table.loss(held) < table.loss(["update-cap": "0.0", "lr": rate]))
    }
  }

  @Test(
    .enabled(if: FindingTable.names.contains("families")),
    arguments: ["persimmon", "gpt2", "llama"])
  func `qk-layernorm holds the logits of every family, and costs nothing at the best rate`(
    family: String
  ) throws {
    let table = try FindingTable("families")
    func group(_ state: String) -> [String: String] {
      ["architecture": family, "qk-layernorm": state]
    }
    func logit(_ state: String, _ rate: String) throws -> Double {
      try table.mean(group(state).merging(["lr": rate]) { $1 }) {
        $0["attention_logit_max"]?.number
      }
    }
    func best(_ state: String) throws -> Double {
      try table.loss(group(state).merging(["lr": "0.01"]) { $1 })
    }
    #expect(try logit("off", "0.1") > 2700 && logit("off", "0.3") > 160_000)
    for rate in ["0.003", "0.01", "0.03", "0.1", "0.3"] {
      #expect(try logit("on", rate) < 51)
    }
    #expect(try table.sensitivity(group("on")) < table.sensitivity(group("off")) / 2)
    #expect(try abs(best("on") - best("off")) < 0.015)
  }

  @Test(.enabled(if: FindingTable.names.contains("ssm")))
  func `state spaces come lower than attention at every rate, and are less sensitive`() throws {
    let table = try FindingTable("ssm")
    for rate in ["0.001", "0.003", "0.01", "0.03", "0.1"] {
      let attention = try table.loss(["mixer": "attention", "lr": rate])
      #expect(try table.loss(["mixer": "ssm", "lr": rate]) < attention)
      #expect(try table.loss(["ssm-layers": "0", "lr": rate]) < attention)
    }
    #expect(try table.sensitivity(["mixer": "ssm"]) < table.sensitivity(["mixer": "attention"]))
  }

  @Test(.enabled(if: FindingTable.names.contains("kat")))
  func `at the best rate trained functions are level with GELU`() throws {
    let table = try FindingTable("kat")
    func loss(_ layer: String) throws -> Double {
      try table.loss(["feed-forward": layer, "lr": "0.01"])
    }
    #expect(try abs(loss("kat") - loss("gelu")) < 0.04)
  }

  @Test(.enabled(if: FindingTable.names.contains("share")))
  func `a share of 1 is the dense model, and an eighth costs a tenth of a nat`() throws {
    let table = try FindingTable("share")
    func loss(_ share: String, _ rate: String) throws -> Double {
      try table.loss(["share-parameters": share, "lr": rate])
    }
    for rate in ["0.003", "0.01", "0.03"] {
      #expect(try abs(loss("1.0", rate) - loss("0.0", rate)) < 2e-3)
    }
    let cost = try loss("0.125", "0.03") - loss("0.0", "0.01")
    #expect((0.05..<0.15).contains(cost))
  }

  @Test(.enabled(if: FindingTable.names.contains("sparsity")))
  func `half of the blocks do as well, and exchanging helps where few are there`() throws {
    let table = try FindingTable("sparsity")
    func loss(_ sparsity: String, _ regrow: String?) throws -> Double {
      try table.loss(["sparsity": sparsity, "regrow": regrow, "lr": "0.01"])
    }
    #expect(try loss("0.5", "0") < loss("0.0", nil) + 0.02)
    for sparsity in ["0.75", "0.9"] {
      #expect(try loss(sparsity, "50") < loss(sparsity, "0"))
    }
  }

  @Test(.enabled(if: FindingTable.names.contains("subspace")))
  func `the drop grows with the dimensions, for both widths alike`() throws {
    let table = try FindingTable("subspace")
    func loss(_ dimensions: String, _ width: String, _ rate: String) throws -> Double {
      try table.loss(["subspace": dimensions, "width": width, "lr": rate])
    }
    for width in ["32", "64"] {
      let losses = try [
        ("100", "0.3"), ("300", "0.3"), ("1000", "0.3"), ("3000", "0.1"), ("0", "0.01"),
      ]
      .map { try loss($0.0, width, $0.1) }
      #expect(losses == losses.sorted(by: >))
    }
    #expect(try abs(loss("3000", "32", "0.1") - loss("3000", "64", "0.1")) < 0.05)
  }
}
