/// The one table of settings that can be changed while a run goes on.
package enum SettingCatalog {
  package static let learningRateMultiplier = "lr.multiplier"
  package static let qkLayerNorm = "qk_layernorm"
  package static let zLoss = "z_loss"
  package static let gradClip = "grad_clip"
  package static let weightDecay = "weight_decay"
  package static let balanceLoss = "moe.aux_loss"
  package static let routerZLoss = "moe.router_z_loss"
  package static let biasBalance = "moe.bias_balance"
  package static let capacity = "moe.capacity"
  package static let logitSoftCap = "logit_softcap"
  package static let outputSoftCap = "output_softcap"
  package static let qkClip = "qk_clip"

  package struct Entry: Sendable {
    package let name: String
    package let kind: SettingDeclaration.Kind
    package let purpose: String
    /// A value that switches it on where the present one is 0.
    package let usual: SettingValue

    /// The option that sets it at the start: its name with `-` for `_` and `.`.
    package var option: String {
      String(name.map { $0 == "_" || $0 == "." ? "-" : $0 })
    }
  }

  package static let entries: [Entry] = [
    Entry(
      name: qkLayerNorm, kind: .flag,
      purpose: "layer-normalises queries and keys: stops attention-logit growth",
      usual: .flag(true)),
    Entry(
      name: learningRateMultiplier, kind: .number(lowest: 0, highest: 1000),
      purpose: "scales the scheduled learning rate: halve it when the loss spikes",
      usual: .number(1)),
    Entry(
      name: zLoss, kind: .number(lowest: 0, highest: 10),
      purpose: "penalises (log Z)²: stops the output logits from drifting; 1e-4 is usual",
      usual: .number(1e-4)),
    Entry(
      name: logitSoftCap, kind: .number(lowest: 0, highest: 1e6),
      purpose: "bounds attention logits by c·tanh(z/c): ends their growth; 50 is usual, 0 is off",
      usual: .number(50)),
    Entry(
      name: qkClip, kind: .number(lowest: 0, highest: 1e6),
      purpose: "shrinks a head's W_q and W_k where its logits pass it; 100 is usual, 0 is off",
      usual: .number(100)),
    Entry(
      name: outputSoftCap, kind: .number(lowest: 0, highest: 1e6),
      purpose: "bounds output logits by c·tanh(y/c): ends their drift; 30 is usual, 0 is off",
      usual: .number(30)),
    Entry(
      name: gradClip, kind: .number(lowest: 0, highest: 1e6),
      purpose: "bounds the global gradient norm: tames single bad batches; 0 is off",
      usual: .number(1)),
    Entry(
      name: weightDecay, kind: .number(lowest: 0, highest: 1),
      purpose: "independent decay of the matrices: lowers learning-rate sensitivity",
      usual: .number(1e-4)),
    Entry(
      name: balanceLoss, kind: .number(lowest: 0, highest: 100),
      purpose: "balance loss of the experts: keeps the router from starving some; 0.01 is usual",
      usual: .number(0.01)),
    Entry(
      name: routerZLoss, kind: .number(lowest: 0, highest: 100),
      purpose: "penalises the router's (ln Σ exp)²: keeps its logits small; 1e-3 is usual",
      usual: .number(1e-3)),
    Entry(
      name: biasBalance, kind: .number(lowest: 0, highest: 1),
      purpose: "moves each expert's bias against its load: balances without a loss; 1e-3 is usual",
      usual: .number(1e-3)),
    Entry(
      name: capacity, kind: .number(lowest: 0, highest: 1000),
      purpose: "even shares of a window an expert takes, the rest drops; 1.25 is usual, 0 is all",
      usual: .number(1.25)),
  ]

  /// Whether a model without experts has no use for it.
  package static func isForExperts(_ name: String) -> Bool { name.hasPrefix("moe.") }

  package static func entry(_ name: String) -> Entry? {
    entries.first { $0.name == name }
  }
}
