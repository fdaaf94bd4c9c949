import ArgumentParser
import Training

/// The options of a run on the command line. Their values stay text here: the table in `Training`
/// says what is allowed, for `run.toml` alike.
struct RunOptions: ParsableArguments {
  @Option(help: .of("preset")) var preset: String?
  @Option(help: .of("width")) var width: String?
  @Option(help: .of("layers")) var layers: String?
  @Option(help: .of("heads")) var heads: String?
  @Option(help: .of("context")) var context: String?
  @Option(help: .of("batch")) var batch: String?
  @Option(help: .of("data")) var data: String?
  @Option(help: .of("order")) var order: String?
  @Option(help: .of("eval-fraction")) var evalFraction: String?
  @Option(help: .of("steps")) var steps: String?
  @Option(help: .of("lr")) var lr: String?
  @Option(help: .of("min-lr")) var minLr: String?
  @Option(help: .of("warmup")) var warmup: String?
  @Option(help: .of("schedule")) var schedule: String?
  @Option(help: .of("decay-steps")) var decaySteps: String?
  @Option(help: .of("optimizer")) var optimizer: String?
  @Flag(inversion: .prefixedNo, help: .of("mu-param")) var muParam: Bool?
  @Flag(inversion: .prefixedNo, help: .of("sigma-reparam")) var sigmaReparam: Bool?
  @Option(help: .of("seed")) var seed: String?
  @Flag(inversion: .prefixedNo, help: .of("qk-layernorm")) var qkLayernorm: Bool?
  @Option(help: .of("blend-steps")) var blendSteps: String?
  @Option(help: .of("z-loss")) var zLoss: String?
  @Option(help: .of("logit-softcap")) var logitSoftcap: String?
  @Option(help: .of("qk-clip")) var qkClip: String?
  @Option(help: .of("output-softcap")) var outputSoftcap: String?
  @Option(help: .of("grad-clip")) var gradClip: String?
  @Option(help: .of("clip")) var clip: String?
  @Option(help: .of("update-clip")) var updateClip: String?
  @Option(help: .of("adam-eps")) var adamEps: String?
  @Option(help: .of("adam-beta2")) var adamBeta2: String?
  @Option(help: .of("weight-decay")) var weightDecay: String?
  @Option(help: .of("decay")) var decay: String?
  @Option(help: .of("freeze")) var freeze: String?
  @Option(help: .of("moe-aux-loss")) var moeAuxLoss: String?
  @Option(help: .of("moe-router-z-loss")) var moeRouterZLoss: String?
  @Option(help: .of("moe-bias-balance")) var moeBiasBalance: String?
  @Option(help: .of("moe-capacity")) var moeCapacity: String?
  @Option(help: .of("moe-consistency")) var moeConsistency: String?
  @Option(help: .of("experts")) var experts: String?
  @Option(help: .of("expert-width")) var expertWidth: String?
  @Option(help: .of("expert-active")) var expertActive: String?
  @Option(help: .of("expert-every")) var expertEvery: String?
  @Option(help: .of("shared-expert-width")) var sharedExpertWidth: String?
  @Option(help: .of("router")) var router: String?
  @Option(help: .of("router-width")) var routerWidth: String?
  @Option(help: .of("lr-multiplier")) var lrMultiplier: String?
  @Option(help: .of("eval-every")) var evalEvery: String?
  @Option(help: .of("eval-windows")) var evalWindows: String?
  @Option(help: .of("sharpness-every")) var sharpnessEvery: String?
  @Flag(inversion: .prefixedNo, help: .of("per-head-logits")) var perHeadLogits: Bool?
  @Option(help: .of("checkpoint-every")) var checkpointEvery: String?
  @Option(help: .of("keep")) var keep: String?
  @Flag(inversion: .prefixedNo, help: .of("keep-best")) var keepBest: Bool?
  @Option(help: .of("patience")) var patience: String?
  @Option(help: .of("workers")) var workers: String?

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
      "router-width": routerWidth, "moe-consistency": moeConsistency, "experts": experts,
      "expert-width": expertWidth, "expert-active": expertActive, "expert-every": expertEvery,
      "shared-expert-width": sharedExpertWidth,
      "eval-windows": evalWindows, "checkpoint-every": checkpointEvery, "workers": workers,
      "keep": keep, "keep-best": keepBest.map { $0 ? "on" : "off" }, "patience": patience,
      "schedule": schedule, "decay-steps": decaySteps, "optimizer": optimizer,
      "sharpness-every": sharpnessEvery,
      "per-head-logits": perHeadLogits.map { $0 ? "on" : "off" },
      "sigma-reparam": sigmaReparam.map { $0 ? "on" : "off" },
      "mu-param": muParam.map { $0 ? "on" : "off" }, "clip": clip, "update-clip": updateClip,
      "adam-eps": adamEps, "adam-beta2": adamBeta2, "decay": decay, "freeze": freeze,
    ]
    return values.compactMapValues { $0 }
  }
}

extension ArgumentHelp {
  /// What the table of a run's options says of `option`.
  static func of(_ option: String) -> ArgumentHelp {
    ArgumentHelp(stringLiteral: RunOptionCatalog.option(option)?.sentence ?? "")
  }
}
