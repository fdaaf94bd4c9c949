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
  @Option(help: "rate at which the schedule ends") var minLr: String?
  @Option(help: "steps of linear warm-up") var warmup: String?
  @Option(help: "the rate after its warm-up: cosine, linear, constant, or wsd (stable, then falls)")
  var schedule: String?
  @Option(help: "steps at the end over which wsd falls (default: a fifth of the run)")
  var decaySteps: String?
  @Option(help: "how gradients become updates: adamw, stable-adamw, muon or sgd")
  var optimizer: String?
  @Flag(inversion: .prefixedNo, help: "scale linear layers' rates by 256/fan-in (muParam)")
  var muParam: Bool?
  @Option(help: "seed of weights and data order") var seed: String?
  @Flag(inversion: .prefixedNo, help: "layer-normalise queries and keys")
  var qkLayernorm: Bool?
  @Option(help: "steps over which a switch of qk-layernorm is blended") var blendSteps: String?
  @Option(help: "weight of (log Z)²; 1e-4 is usual") var zLoss: String?
  @Option(help: "soft bound of the attention logits; 50 is usual, 0 is off")
  var logitSoftcap: String?
  @Option(help: "soft bound of the output logits; 30 is usual, 0 is off")
  var outputSoftcap: String?
  @Option(help: "bound of the global gradient norm; 0 is off") var gradClip: String?
  @Option(help: "which gradients are scaled down: global, zclip or adagc") var clip: String?
  @Option(help: "bound of the root mean square of g²/v (StableAdamW); 0 is off")
  var updateClip: String?
  @Option(help: "Adam's ε") var adamEps: String?
  @Option(help: "Adam's β₂, memory of squares") var adamBeta2: String?
  @Option(help: "weight decay of the matrices") var weightDecay: String?
  @Option(help: "weight decay independent of the rate, or coupled to it as in PyTorch")
  var decay: String?
  @Option(help: "blocks that stay as they are, and the embedding with them; 0 is none")
  var freeze: String?
  @Option(help: "weight of the experts' balance loss") var moeAuxLoss: String?
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
      "eval-windows": evalWindows, "checkpoint-every": checkpointEvery, "workers": workers,
      "schedule": schedule, "decay-steps": decaySteps, "optimizer": optimizer,
      "mu-param": muParam.map { $0 ? "on" : "off" }, "clip": clip, "update-clip": updateClip,
      "adam-eps": adamEps, "adam-beta2": adamBeta2, "decay": decay, "freeze": freeze,
    ]
    return values.compactMapValues { $0 }
  }
}
