import Formats
import Foundation
import Testing

/// What the pages of `studies/findings` claim of mitigations and optimizers.
@Suite(.timeLimit(.minutes(15)))
struct MitigationFindingTests {
  @Test(.enabled(if: FindingTable.names.contains("zloss")))
  func `the more z-loss weighs, the nearer log Z is to 0, and decay lowers it as well`() throws {
    let table = try FindingTable("zloss")
    func level(_ zLoss: String, _ decay: String) throws -> Double {
      try table.measure("log_z", ["z-loss": zLoss, "weight-decay": decay])
    }
    let levels = try ["0.0", "0.0001", "0.01"].map { try level($0, "0.0") }
    #expect(levels == levels.sorted(by: >) && levels[2] < 1)
    #expect(try level("0.0", "0.01") < levels[0])
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
  func `StableAdamW loses less by planted batches than AdamW without clipping`() throws {
    let table = try FindingTable("spike")
    func rise(_ optimizer: String, _ beta: String) throws -> Double {
      try table.measure(
        "rise of the held-out loss",
        ["optimizer": optimizer, "grad-clip": "0.0", "adam-beta2": beta])
    }
    for beta in ["0.95", "0.999"] {
      #expect(try rise("stable-adamw", beta) < rise("adamw", beta))
    }
  }

  @Test(.enabled(if: FindingTable.names.contains("muon")))
  func `at its best rate Muon's attention logits are above AdamW's at its own, and are held`()
    throws
  {
    let table = try FindingTable("muon")
    func logits(_ optimizer: String, _ rate: String, _ other: [String: String?]) throws -> Double {
      let options = other.merging(["optimizer": optimizer, "lr": rate]) { $1 }
      return try table.mean(options) { $0["attention_logit_max"]?.number }
    }
    let plain = try logits("muon", "0.03", ["qk-layernorm": "off"])
    #expect(try plain > 1.5 * logits("adamw", "0.01", ["qk-layernorm": "off"]))
    #expect(try logits("muon", "0.03", ["qk-clip": "10.0"]) < 10.5)
    #expect(try logits("muon", "0.03", ["qk-layernorm": "on"]) < plain / 2)
  }

  @Test(.enabled(if: FindingTable.names.contains("decay")))
  func `independent decay betters high rates and costs a low one`() throws {
    let table = try FindingTable("decay")
    func gain(_ rate: String) throws -> Double {
      func loss(_ weight: String) throws -> Double {
        try table.loss(["weight-decay": weight, "decay": "independent", "lr": rate])
      }
      return try loss("0.0") - loss("0.01")
    }
    #expect(try gain("0.03") > 0.05 && gain("0.1") > 0.05)
    #expect(try gain("0.001") < -0.2)
  }

  @Test(.enabled(if: FindingTable.names.contains("depth")))
  func `both depth and width make a model more sensitive to the rate`() throws {
    let table = try FindingTable("depth")
    func sensitivity(_ layers: String, _ width: String) throws -> Double {
      try table.sensitivity(["layers": layers, "width": width])
    }
    let small = try sensitivity("2", "32")
    #expect(try sensitivity("8", "32") > small && sensitivity("2", "64") > small)
  }

  @Test(.enabled(if: FindingTable.names.contains("muparam")))
  func `the best rate falls with the width, and under muParam does not`() throws {
    let table = try FindingTable("muparam")
    func best(_ width: String, _ isOn: String) throws -> Double {
      let group = table.sensitivity.first {
        $0["options"]?["width"]?.text == width && $0["options"]?["mu-param"]?.text == isOn
      }
      return try #require(group?["best_lr"]?.number)
    }
    #expect(try best("64", "off") < best("16", "off"))
    #expect(try best("64", "on") >= best("16", "on"))
  }

  @Test(.enabled(if: FindingTable.names.contains("step-law")))
  func `the best rate falls with the size`() throws {
    let table = try FindingTable("step-law")
    for steps in ["60", "240"] {
      let rates = try ["16", "32", "64"].map { width in
        let group = table.sensitivity.first {
          $0["options"]?["width"]?.text == width && $0["options"]?["steps"]?.text == steps
        }
        return try #require(group?["best_lr"]?.number)
      }
      #expect(rates == rates.sorted(by: >) && rates[2] < rates[0])
    }
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
