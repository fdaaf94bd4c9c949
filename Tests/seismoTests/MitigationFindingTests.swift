import Formats
import Foundation
import Testing

/// What the pages of `studies/findings` claim of mitigations and optimizers.
@Suite(.timeLimit(.minutes(15)))
struct MitigationFindingTests {
  @Test(.enabled(if: FindingTable.names.contains("zloss")))
  func `z-loss holds log Z nearer to 0 than a run without it`() throws {
    let table = try FindingTable("zloss")
    for rate in ["0.01", "0.1"] {
      func distance(_ zLoss: String) throws -> Double {
        abs(try table.measure("log_z", ["z-loss": zLoss, "weight-decay": "0.0", "lr": rate]))
      }
      #expect(try distance("0.0001") < distance("0.0"))
    }
  }

  @Test(.enabled(if: FindingTable.names.contains("epsilon")))
  func `an epsilon as large as the gradients slows a run`() throws {
    let table = try FindingTable("epsilon")
    for width in ["16", "32", "64"] {
      func loss(_ epsilon: String) throws -> Double {
        try table.loss(["adam-eps": epsilon, "lr": "0.01", "width": width])
      }
      #expect(try loss("0.001") > loss("1e-08"))
    }
  }

  @Test(.enabled(if: FindingTable.names.contains("spike")))
  func `at a long memory of squares StableAdamW loses less by a spike than AdamW`() throws {
    let table = try FindingTable("spike")
    func rise(_ optimizer: String, _ beta: String) throws -> Double {
      try table.measure(
        "rise of the held-out loss",
        ["optimizer": optimizer, "grad-clip": "0.0", "adam-beta2": beta])
    }
    for beta in ["0.99", "0.999"] {
      #expect(try rise("stable-adamw", beta) < rise("adamw", beta))
    }
  }

  @Test(.enabled(if: FindingTable.names.contains("muon")))
  func `attention logits are larger under Muon than under AdamW, and are held`() throws {
    let table = try FindingTable("muon")
    func logits(_ optimizer: String, _ other: [String: String?]) throws -> Double {
      let options = other.merging(["optimizer": optimizer, "lr": "0.01"]) { $1 }
      return try table.mean(options) { $0["attention_logit_max"]?.number }
    }
    #expect(try logits("muon", ["qk-layernorm": "off"]) > logits("adamw", ["qk-layernorm": "off"]))
    #expect(try logits("muon", ["qk-clip": "10.0"]) < logits("muon", ["qk-layernorm": "off"]))
  }

  @Test(.enabled(if: FindingTable.names.contains("decay")))
  func `independent decay lowers the sensitivity`() throws {
    let table = try FindingTable("decay")
    func sensitivity(_ weight: String) throws -> Double {
      try table.sensitivity(["weight-decay": weight, "decay": "independent"])
    }
    #expect(try sensitivity("0.01") < sensitivity("0.0"))
  }

  @Test(.enabled(if: FindingTable.names.contains("depth")))
  func `depth makes a model more sensitive to the rate than width`() throws {
    let table = try FindingTable("depth")
    let deep = try table.sensitivity(["layers": "8", "width": "32"])
    let wide = try table.sensitivity(["layers": "2", "width": "64"])
    #expect(deep > wide)
  }

  @Test(.enabled(if: FindingTable.names.contains("rewind")))
  func `a rewind that leaves the batches out loses less than one that meets them again`() throws {
    let table = try FindingTable("rewind")
    func rise(_ rule: String) throws -> Double {
      try table.measure(
        "rise of the held-out loss", ["rule": rule, "data": "perl-doc-planted.txt"])
    }
    #expect(try rise("rewind good skip 100") < rise("rewind good"))
    #expect(try rise("rewind good skip 100") < rise("none"))
  }
}
