import ArgumentParser

/// The options of a run on the command line. Their values stay text here: the table in `Training`
/// says what is allowed, for `run.toml` alike.
struct RunOptions: ParsableArguments {
  @Option(help: "sizes and defaults: tiny, small, base, moe-tiny, moe-small (default: moe-tiny)")
  var preset: String?
  @Option(help: "model width D") var width: String?
  @Option(help: "blocks") var layers: String?
  @Option(help: "attention heads; they divide the width") var heads: String?
  @Option(help: "tokens a window") var context: String?
  @Option(help: "windows a step") var batch: String?
  @Option(help: "file or folder read as bytes, - for standard input (default: a built-in language)")
  var data: String?
  @Option(help: "how windows are drawn: shuffled or file") var order: String?
  @Option(help: "share of the data held out") var evalFraction: String?
  @Option(help: "steps in all, also when resuming") var steps: String?
  @Option(help: "peak learning rate") var lr: String?
  @Option(help: "rate at which the cosine ends") var minLr: String?
  @Option(help: "steps of linear warm-up") var warmup: String?
  @Option(help: "seed of weights and data order") var seed: String?
  @Flag(inversion: .prefixedNo, help: "layer-normalise queries and keys")
  var qkLayernorm: Bool?
  @Option(help: "steps over which a switch of qk-layernorm is blended") var blendSteps: String?
  @Option(help: "weight of (log Z)²; 1e-4 is usual") var zLoss: String?
  @Option(help: "soft bound of the attention logits; 50 is usual, 0 is off")
  var logitSoftcap: String?
  @Option(help: "logit above which a head's queries and keys shrink; 100 is usual, 0 is off")
  var qkClip: String?
  @Option(help: "soft bound of the output logits; 30 is usual, 0 is off")
  var outputSoftcap: String?
  @Option(help: "bound of the global gradient norm; 0 is off") var gradClip: String?
  @Option(help: "independent weight decay of the matrices") var weightDecay: String?
  @Option(help: "weight of the experts' balance loss") var moeAuxLoss: String?
  @Option(help: "weight of the router's (ln Σ exp)²; 1e-3 is usual") var moeRouterZLoss: String?
  @Option(help: "rate of the experts' balancing biases; 1e-3 is usual, 0 is off")
  var moeBiasBalance: String?
  @Option(help: "even shares of a window an expert takes; 1.25 is usual, 0 is all")
  var moeCapacity: String?
  @Option(help: "experts of a layer; 0 is dense") var experts: String?
  @Option(help: "hidden width of an expert") var expertWidth: String?
  @Option(help: "experts a token is sent to") var expertActive: String?
  @Option(help: "experts in every layer (1) or every second one (2)") var expertEvery: String?
  @Option(help: "hidden width of an expert every token meets; 0 is none")
  var sharedExpertWidth: String?
  @Option(help: "how a token's experts are chosen: topk, switch or sigmoid") var router: String?
  @Option(help: "factor on top of the learning-rate schedule") var lrMultiplier: String?
  @Option(help: "steps between held-out evaluations; 0 is never") var evalEvery: String?
  @Option(help: "held-out windows an evaluation takes") var evalWindows: String?
  @Option(help: "steps between checkpoints, the first at step 0") var checkpointEvery: String?
  @Option(help: "cores to use; no number depends on it") var workers: String?

  /// What was given, by long name.
  var given: [String: String] {
    let values: [String: String?] = [
      "preset": preset, "width": width, "layers": layers, "heads": heads, "context": context,
      "batch": batch, "data": data, "order": order, "eval-fraction": evalFraction, "steps": steps,
      "lr": lr, "min-lr": minLr, "warmup": warmup, "seed": seed,
      "qk-layernorm": qkLayernorm.map { $0 ? "on" : "off" }, "blend-steps": blendSteps,
      "z-loss": zLoss, "grad-clip": gradClip, "weight-decay": weightDecay,
      "moe-aux-loss": moeAuxLoss, "lr-multiplier": lrMultiplier, "eval-every": evalEvery,
      "logit-softcap": logitSoftcap, "output-softcap": outputSoftcap,
      "qk-clip": qkClip, "moe-router-z-loss": moeRouterZLoss,
      "moe-bias-balance": moeBiasBalance, "moe-capacity": moeCapacity, "router": router,
      "experts": experts,
      "expert-width": expertWidth, "expert-active": expertActive, "expert-every": expertEvery,
      "shared-expert-width": sharedExpertWidth,
      "eval-windows": evalWindows, "checkpoint-every": checkpointEvery, "workers": workers,
    ]
    return values.compactMapValues { $0 }
  }
}
