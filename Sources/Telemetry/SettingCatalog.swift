/// The one table of settings that can be changed while a run goes on.
package enum SettingCatalog {
  package static let learningRateMultiplier = "lr.multiplier"
  package static let warmupAgain = "lr.warmup_again"
  package static let decayNow = "lr.decay_now"
  package static let qkLayerNorm = "qk_layernorm"
  package static let zLoss = "z_loss"
  package static let gradClip = "grad_clip"
  package static let zClip = "zclip"
  package static let adaGC = "adagc"
  package static let updateClip = "update_clip"
  package static let updateCap = "update_cap"
  package static let adamEpsilon = "adam_eps"
  package static let adamBeta2 = "adam_beta2"
  package static let weightDecay = "weight_decay"
  package static let freeze = "freeze"
  package static let balanceLoss = "moe.aux_loss"
  package static let routerZLoss = "moe.router_z_loss"
  package static let biasBalance = "moe.bias_balance"
  package static let capacity = "moe.capacity"
  package static let consistency = "moe.consistency"
  package static let logitSoftCap = "logit_softcap"
  package static let outputSoftCap = "output_softcap"
  package static let qkClip = "qk_clip"
  package static let batch = "batch"
  package static let evalEvery = "eval_every"

  package struct Entry: Sendable {
    package let name: String
    package let kind: SettingDeclaration.Kind
    package let purpose: String
    /// A value that switches it on where the present one is 0.
    package let usual: SettingValue
    /// Whether it counts something.
    package var isWhole = false
    /// What runs use it at; a person who types another value is asked first. 0 is off, and usual
    /// wherever it is allowed.
    package var usualRange: ClosedRange<Double>?
    /// What a run starts with that says nothing of it.
    package var start = SettingValue.number(0)
    /// What the help says of the option that sets it at the start; nil where a setting has an
    /// option of another form, or none.
    package var help: String?
    /// What a run must have for it to change anything.
    package var needs: [Need] = []
    /// Another setting that must be off while this one is switched on; nil where there is none.
    package var exclusion: Exclusion?
    /// Its key in a checkpoint where that is not its name.
    package var checkpointKey: String?

    /// The option that sets it at the start: its name with `-` for `_` and `.`.
    package var option: String {
      String(name.map { $0 == "_" || $0 == "." ? "-" : $0 })
    }
  }

  /// Something of a run without which a setting changes nothing.
  package enum Need: Sendable {
    /// A layer that has attention logits.
    case attention
    case experts
    /// A router that scores the experts, by which they can be balanced.
    case scores
    /// A router that turns its scores into shares by a softmax.
    case softmax
    /// A router that sends each token by itself.
    case tokenwise
    /// A router that passes over a batch twice.
    case twoPasses
    /// An optimiser that keeps the gradients' squares.
    case secondMoments
    /// Weights that are trained as they are, and not as a direction and a length.
    case plainWeights
    /// Matrices that have numbers of their own.
    case ownWeights
    /// Weights that are trained one by one, and not along a few common directions.
    case singleWeights
  }

  /// What must be off before a setting is switched on, and why.
  package struct Exclusion: Sendable {
    package let other: String
    package let reason: String
  }

  package static let entries: [Entry] = [
    Entry(
      name: qkLayerNorm, kind: .flag,
      purpose: "layer-normalises queries and keys: stops attention-logit growth",
      usual: .flag(true),
      start: .flag(false),
      help: "layer-normalise queries and keys",
      needs: [.attention],
      exclusion: Exclusion(
        other: qkClip, reason: "qk_clip has no effect under it: set qk_clip 0 first")),
    Entry(
      name: learningRateMultiplier, kind: .number(lowest: 0, highest: 1000),
      purpose: "scales the scheduled learning rate: halve it when the loss spikes",
      usual: .number(1), usualRange: 0.0625...16,
      start: .number(1),
      help: "factor on top of the schedule",
      checkpointKey: "learningRateMultiplier"),
    Entry(
      name: zLoss, kind: .number(lowest: 0, highest: 10),
      purpose: "penalises (log Z)²: stops the output logits from drifting; 1e-4 is usual",
      usual: .number(1e-4), usualRange: 1e-6...1e-2,
      help: "weight of (log Z)²; 1e-4 is usual",
      checkpointKey: "zLoss"),
    Entry(
      name: logitSoftCap, kind: .number(lowest: 0, highest: 1e6),
      purpose: "bounds attention logits by c·tanh(z/c): ends their growth; 50 is usual, 0 is off",
      usual: .number(50), usualRange: 5...1000,
      help: "soft bound of the attention logits; 50 is usual, 0 is off",
      needs: [.attention],
      checkpointKey: "logitSoftCap"),
    Entry(
      name: qkClip, kind: .number(lowest: 0, highest: 1e6),
      purpose: "shrinks a head's W_q and W_k where its logits pass it; 100 is usual, 0 is off",
      usual: .number(100), usualRange: 10...10_000,
      help: "logit above which a head's queries and keys shrink; 100 is usual, 0 is off",
      needs: [.attention, .plainWeights, .ownWeights, .singleWeights],
      exclusion: Exclusion(
        other: qkLayerNorm, reason: "qk-layernorm ignores the weights' scale: switch it off first"),
      checkpointKey: "qkClip"),
    Entry(
      name: outputSoftCap, kind: .number(lowest: 0, highest: 1e6),
      purpose: "bounds output logits by c·tanh(y/c): ends their drift; 30 is usual, 0 is off",
      usual: .number(30), usualRange: 5...1000,
      help: "soft bound of the output logits; 30 is usual, 0 is off",
      checkpointKey: "outputSoftCap"),
    Entry(
      name: gradClip, kind: .number(lowest: 0, highest: 1e6),
      purpose: "bounds the global gradient norm: tames single bad batches; 0 is off",
      usual: .number(1), usualRange: 0.01...100,
      start: .number(1),
      help: "bound of the global gradient norm; 0 is off",
      checkpointKey: "gradClip"),
    Entry(
      name: weightDecay, kind: .number(lowest: 0, highest: 1),
      purpose: "decay of the matrices: lowers learning-rate sensitivity",
      usual: .number(1e-4), usualRange: 1e-6...0.1,
      start: .number(1e-4),
      help: "weight decay of the matrices",
      checkpointKey: "weightDecay"),
    Entry(
      name: balanceLoss, kind: .number(lowest: 0, highest: 100),
      purpose: "balance loss of the experts: keeps the router from starving some; 0.01 is usual",
      usual: .number(0.01), usualRange: 1e-4...1,
      start: .number(0.01),
      help: "weight of the experts' balance loss",
      needs: [.experts, .scores],
      checkpointKey: "balanceLoss"),
    Entry(
      name: routerZLoss, kind: .number(lowest: 0, highest: 100),
      purpose: "penalises the router's (ln Σ exp)²: keeps its logits small; 1e-3 is usual",
      usual: .number(1e-3), usualRange: 1e-6...0.1,
      help: "weight of the router's (ln Σ exp)²; 1e-3 is usual",
      needs: [.experts, .softmax, .scores],
      checkpointKey: "routerZLoss"),
    Entry(
      name: biasBalance, kind: .number(lowest: 0, highest: 1),
      purpose: "moves each expert's bias against its load: balances without a loss; 1e-3 is usual",
      usual: .number(1e-3), usualRange: 1e-5...0.1,
      help: "rate of the experts' balancing biases; 1e-3 is usual, 0 is off",
      needs: [.experts, .scores],
      checkpointKey: "biasBalance"),
    Entry(
      name: capacity, kind: .number(lowest: 0, highest: 1000),
      purpose: "even shares of a window an expert takes, the rest drops; 1.25 is usual, 0 is all",
      usual: .number(1.25), usualRange: 0.5...8,
      help: "even shares of a window an expert takes; 1.25 is usual, 0 is all",
      needs: [.experts, .tokenwise],
      checkpointKey: "capacity"),
    Entry(
      name: consistency, kind: .number(lowest: 0, highest: 1000),
      purpose: "holds thor's two passes together: random experts come to agree; 1 is usual",
      usual: .number(1), usualRange: 0.01...20,
      start: .number(1),
      help: "weight of the divergence between the two passes of the router thor; 1 if not given",
      needs: [.experts, .twoPasses],
      checkpointKey: "consistency"),
    Entry(
      name: updateClip, kind: .number(lowest: 0, highest: 1000),
      purpose: "cuts a tensor's rate where gradients outrun Adam's second moment; 1 is usual",
      usual: .number(1), usualRange: 0.1...100,
      help: "bound of the root mean square of g²/v (StableAdamW); 0 is off",
      needs: [.secondMoments],
      checkpointKey: "updateClip"),
    Entry(
      name: updateCap, kind: .number(lowest: 0, highest: 1000),
      purpose: "bounds each tensor's change by so much of its norm a step; 0.01 is usual, 0 is off",
      usual: .number(0.01), usualRange: 1e-5...1,
      help: "bound of each tensor's change in a step, as a share of its norm; 0 is off",
      checkpointKey: "updateCap"),
    Entry(
      name: zClip, kind: .flag,
      purpose: "lowers a gradient norm that stands out from the last steps': tames spikes",
      usual: .flag(true),
      start: .flag(false),
      exclusion: Exclusion(other: adaGC, reason: "adagc clips already: switch it off first")),
    Entry(
      name: adaGC, kind: .flag,
      purpose: "bounds each tensor's gradient by its own average: tames spikes in one tensor",
      usual: .flag(true),
      start: .flag(false),
      exclusion: Exclusion(other: zClip, reason: "zclip clips already: switch it off first")),
    Entry(
      name: adamEpsilon, kind: .number(lowest: 1e-20, highest: 1),
      purpose: "Adam's ε: lower it when the gradients' RMS comes near it and updates fade",
      usual: .number(1e-8), usualRange: 1e-16...1e-5,
      start: .number(1e-8),
      help: "Adam's ε",
      needs: [.secondMoments],
      checkpointKey: "adamEpsilon"),
    Entry(
      name: adamBeta2, kind: .number(lowest: 0.1, highest: 0.99999),
      purpose: "memory of Adam's second moment: lower it when spikes follow a stale one",
      usual: .number(0.95), usualRange: 0.8...0.9999,
      start: .number(0.95),
      help: "Adam's β₂, memory of squares",
      needs: [.secondMoments]),
    Entry(
      name: warmupAgain, kind: .number(lowest: 0, highest: 1e9),
      purpose: "ramps the rate up anew over so many steps from now: after a change that shook it",
      usual: .number(100), isWhole: true, usualRange: 1...100_000),
    Entry(
      name: decayNow, kind: .number(lowest: 0, highest: 1e9),
      purpose: "takes the rate down to its minimum over so many steps from now; 0 goes back",
      usual: .number(500), isWhole: true, usualRange: 1...1_000_000),
    Entry(
      name: freeze, kind: .number(lowest: 0, highest: 1000),
      purpose: "keeps the embedding and so many blocks after it as they are; 0 trains all",
      usual: .number(1), isWhole: true, usualRange: 1...100,
      help: "blocks that stay as they are, and the embedding with them, also where it is the"
        + " unembedding too; 0 is none",
      needs: [.ownWeights, .singleWeights],
      checkpointKey: "frozenBlocks"),
    Entry(
      name: batch, kind: .number(lowest: 1, highest: 4096),
      purpose: "windows a step: more of them steady the gradient while the noise scale is above",
      usual: .number(16), isWhole: true, usualRange: 1...512),
    Entry(
      name: evalEvery, kind: .number(lowest: 0, highest: 1e9),
      purpose: "steps from one held-out evaluation to the next; 0 is never",
      usual: .number(100), isWhole: true, usualRange: 10...100_000,
      start: .number(100),
      help: "steps between held-out evaluations; 0 is never",
      checkpointKey: "evalEvery"),
  ]

  package static func entry(_ name: String) -> Entry? {
    entries.first { $0.name == name }
  }
}

extension SettingCatalog.Entry {
  /// Whether runs use it at such a value.
  package func isUsual(_ value: SettingValue) -> Bool {
    guard case .number(let number) = value, number != 0, let usualRange else { return true }
    return usualRange.contains(number)
  }

  /// What a person may type, in words.
  package var allowed: String {
    isWhole ? kind.allowed.replacing("a number", with: "a whole number") : kind.allowed
  }
}
