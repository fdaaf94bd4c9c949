import Models
import Telemetry

/// The one table of a run's options, in the order in which help lists them and in which they are
/// read: what follows from a value that is read comes after it.
package enum RunOptionCatalog {
  package static let all: [RunOption] = {
    let first = shape + start + fineTuning + distillation
    let listed = first + conduct
    let names = Set(listed.map(\.name))
    let others = SettingCatalog.entries.compactMap { RunOption(startOf: $0) }
    return first + others.filter { !names.contains($0.name) } + conduct
  }()

  /// Where a setting's option stands among the others; one that has no place here comes after them.
  private static func setting(
    _ name: String, isTold: @escaping @Sendable (TrainingConfiguration) -> Bool = { _ in true }
  ) -> RunOption? {
    SettingCatalog.entry(name).flatMap { RunOption(startOf: $0, isTold: isTold) }
  }

  private static let shape: [RunOption] =
    [
      preset, width,
      .count("layers", 1...256, \.model.layers, help: "blocks"),
      .count("heads", 1...256, \.model.heads, help: "attention heads; they divide the width"),
    ] + architecture

  private static let start: [RunOption] = [
    feedForward,
    .count("context", 1...16384, \.model.context, help: "tokens a window"),
    mixer, stateSpaceLayers,
    .count("batch", 1...4096, \.batch, help: "windows a step"),
    .count(
      "slices", 1...4096, \.slices,
      help: "parts that a batch's gradients are added from, a power of two that divides it, and the"
        + " most ranks that a run can have; up to 4 if not given"),
    data,
    .choice("order", \.order, help: "how windows are drawn"),
    .number("eval-fraction", 0.001...0.5, \.evalFraction, help: "share of the data held out"),
    .number(
      "corrupt", 0...1, \.corrupt,
      help: "redraw each byte of the training windows with this probability; 0 is no noise"
    ) { $0.corrupt > 0 },
    .number("clean", 0...1, \.clean, help: "with corrupt: share of windows without noise") {
      $0.corrupt > 0
    },
    .choice(
      "noise-loss", \.noiseLoss,
      help: "with corrupt: the loss of the text behind the noise, or of the bytes as they are"
    ) { $0.corrupt > 0 },
    .count("steps", 1...1_000_000_000, \.steps, help: "steps in all"),
    .number(
      "lr", 0...1000, \.learningRate,
      help: "peak learning rate; the preset's if not given, a tenth of it with lion and ten times"
        + " with sgd; with base the method's, 0.3 of it with lion and 30 times with sgd, a prefix's"
        + " 300 times"),
    .number(
      "min-lr", 0...1000, \.minimumLearningRate, help: "rate at which the schedule ends"),
    .count("warmup", 0...1_000_000_000, \.warmup, help: "steps of linear warm-up"),
    .choice(
      "schedule", \.schedule, help: "the rate after its warm-up; wsd is stable, then falls"),
    .count(
      "decay-steps", 1...1_000_000_000, \.decaySteps,
      help: "steps at the end over which wsd falls; a fifth of the run if not given"),
    .choice(
      "optimizer", \.optimizer,
      help:
        "how gradients become updates; muon is for the hidden matrices, the rest has adamw; lion"
        + " moves each weight by the rate; mezo takes losses instead, from a checkpoint"),
    .number(
      "mezo-eps", 1e-8...1, \.mezo.epsilon,
      help: "with mezo: how far to either side of the weights losses are taken"
    ) { $0.optimizer == .mezo },
    .number(
      "mezo-sparsity", 0...0.999, \.mezo.sparsity,
      help: "with mezo: share of each tensor's weights that stays as it is, the largest"
    ) { $0.optimizer == .mezo },
    .choice(
      "mezo-mask", \.mezo.mask, help: "with mezo: which weights move, the small ones or any"
    ) { $0.optimizer == .mezo },
    .count(
      "subspace", 0...1_000_000_000, \.subspace,
      help: "train in a random subspace of so many dimensions; 0 trains all weights"
    ) { $0.subspace > 0 },
    .flag(
      "mu-param", \.muParam,
      help: "scale linear layers' rates by 256/fan-in (muParam); not that of a table for both ends"),
    .flag(
      "sigma-reparam", \.model.sigmaReparam,
      help: "train hidden matrices as γ·W/σ(W), σ their largest singular value"),
    .number(
      "share-parameters", 0...1, \.model.sharing,
      help: "read all hidden matrices from one array so many times as long as they are; 0 is none"
    ) { $0.model.sharing > 0 },
    .number(
      "sparsity", 0...0.99, \.sparsity,
      help: "share of the hidden matrices' blocks of 16 by 16 that are not there; 0 is none"
    ) { $0.sparsity > 0 },
    .count(
      "regrow", 0...1_000_000_000, \.regrow,
      help: "with sparsity: steps after which the smallest blocks give way to those of the largest"
        + " gradient; 0 is never"
    ) { $0.sparsity > 0 },
    seed,
    setting(SettingCatalog.qkLayerNorm),
    .count(
      "blend-steps", 0...1_000_000, \.blendSteps,
      help: "steps over which a switch of qk-layernorm is blended"),
    setting(SettingCatalog.zLoss), setting(SettingCatalog.logitSoftCap),
    setting(SettingCatalog.qkClip), setting(SettingCatalog.outputSoftCap),
    setting(SettingCatalog.gradClip),
    .choice(
      "clip", \.clipping,
      help: "which gradients are scaled down: over a bound, outliers, or each tensor's own"),
    setting(SettingCatalog.updateClip),
    setting(SettingCatalog.updateCap) { $0.updateCap > 0 },
    setting(SettingCatalog.adamEpsilon),
    setting(SettingCatalog.adamBeta2), setting(SettingCatalog.weightDecay), decay,
    setting(SettingCatalog.freeze), setting(SettingCatalog.balanceLoss),
    setting(SettingCatalog.routerZLoss), setting(SettingCatalog.biasBalance),
    setting(SettingCatalog.capacity),
    // A configuration that says it is refused where there is nothing to hold together.
    setting(SettingCatalog.consistency) { $0.model.passes == 2 },
    experts,
    .ofExperts("expert-width", 1...65536, \.width, help: "hidden width of an expert"),
    .ofExperts("expert-active", 1...1024, \.active, help: "experts a token is sent to"),
    .ofExperts(
      "expert-every", 1...2, \.every, help: "experts in every layer or every second one"),
    .ofExperts(
      "shared-expert-width", 0...65536, \.sharedWidth,
      help: "hidden width of an expert every token meets; 0 is none"),
    router,
    .ofExperts(
      "router-width", 1...4096, \.routerWidth,
      help: "width of the router rmoe's state; half the model's, at most 128, if not given"
    ) { $0.router.conformer.hasState },
    setting(SettingCatalog.learningRateMultiplier),
  ].compactMap(\.self)

  private static let conduct: [RunOption] = [
    setting(SettingCatalog.evalEvery),
    .count(
      "eval-windows", 1...100_000, \.evalWindows, help: "held-out windows an evaluation takes"),
    .count(
      "sharpness-every", 0...1_000_000_000, \.sharpnessEvery,
      help: "steps between measurements of the sharpness; 0 is never, 500 cost about 1%"),
    .count(
      "inspect-every", 0...1_000_000_000, \.inspectEvery,
      help: "steps between looks into the model: what formats of 8 and 4 bits would cost, outliers,"
        + " spectra, collapse; 0 is never, one costs two or three steps"
    ) { $0.inspectEvery > 0 },
    .count(
      "sample-every", 0...1_000_000_000, \.sampleEvery,
      help: "steps between samples of what the model writes, which take a twentieth of the time at"
        + " most; 0 is never"
    ) { $0.sampleEvery > 0 },
    samplePrompt,
    .flag(
      "per-head-logits", \.tellsHeadLogits, help: "tell every head's largest attention logit"),
    .count(
      "checkpoint-every", 1...1_000_000_000, \.checkpointEvery,
      help: "steps between checkpoints, the first at step 0"),
    .count(
      "keep", 0...1_000_000, \.keptCheckpoints,
      help: "periodic checkpoints to keep, the last ones; 0 is all; those asked for, and the last"
        + " one from before a trouble, stay"
    ) { $0.keptCheckpoints > 0 },
    .flag(
      "keep-best", \.keepsBest,
      help:
        "keep also the periodic checkpoint of the lowest held-out loss: that of its own step, or"
        + " of the last evaluation before"
    ) { $0.keepsBest },
    .count(
      "patience", 0...1_000_000, \.patience,
      help: "evaluations without a lower held-out loss after which the run stops; 0 is never"
    ) { $0.patience > 0 },
    .flag(
      "monitor", \.monitorsMachine,
      help: "record each second what machine and accelerators do, as metrics under system/"
    ) { !$0.monitorsMachine },
    .flag(
      "shard-optimizer", \.shardsOptimizer,
      help: "with ranks: each keeps the optimizer's state of its own part of the weights alone"
    ) { _ in false },
    .count(
      "workers", 1...256, \.workers,
      help: "cores to use; the numbers do not depend on it", isTold: false),
  ].compactMap(\.self)

  /// Those that say of what layers a model of given sizes is.
  package static let family = architecture + [feedForward, mixer, stateSpaceLayers]

  package static func option(_ name: String) -> RunOption? {
    all.first { $0.name == name }
  }

  /// What other trainers call these options, so that a suggestion can be made.
  package static let namesElsewhere = [
    "learning-rate": "lr", "max-lr": "lr", "peak-lr": "lr", "batch-size": "batch",
    "hidden-size": "width", "d-model": "width", "embed-dim": "width", "n-layers": "layers",
    "num-layers": "layers", "depth": "layers", "n-heads": "heads", "num-heads": "heads",
    "seq-len": "context", "sequence-length": "context", "block-size": "context",
    "context-length": "context", "max-steps": "steps", "iterations": "steps", "epochs": "steps",
    "warmup-steps": "warmup", "lr-schedule": "schedule", "scheduler": "schedule",
    "dataset": "data", "data-path": "data", "input": "data", "text": "data",
    "gradient-clip": "grad-clip", "clip-grad": "grad-clip", "max-grad-norm": "grad-clip",
    "eps": "adam-eps", "epsilon": "adam-eps", "beta2": "adam-beta2", "wd": "weight-decay",
    "qk-norm": "qk-layernorm", "num-experts": "experts", "top-k": "expert-active",
    "capacity-factor": "moe-capacity", "aux-loss": "moe-aux-loss", "threads": "workers",
    "cores": "workers", "jobs": "workers", "save-every": "checkpoint-every",
    "save-interval": "checkpoint-every", "eval-interval": "eval-every", "model": "preset",
    "size": "preset", "mamba": "mixer", "ssm": "mixer",
  ]
}

extension RunOptionCatalog {
  private static let mixer = RunOption(
    name: "mixer", kind: .choice(LayerKind.mixers.map(\.rawValue)),
    help: "what carries a text's earlier bytes to the later ones"
  ) { words, _, configuration in
    if let mixer = LayerKind(rawValue: words) { configuration.model.mixers = [mixer] }
  } words: { configuration in
    let mixers = configuration.model.mixers
    return mixers.count == 1 && mixers != [.attention] ? mixers[0].rawValue : nil
  }

  private static let stateSpaceLayers = RunOption(
    name: "ssm-layers", kind: .counts(0...255),
    help: "layers, from 0, whose mixer is ssm, such as 1,3; the others have attention"
  ) { words, _, configuration in
    configuration.model.setStateSpaces(inLayers: RunOption.counts(words) ?? [])
  } words: { configuration in
    let model = configuration.model
    guard model.mixers.count > 1 else { return nil }
    let layers = (0..<model.layers).filter { model.mixer(inLayer: $0) == .ssm }
    return layers.map(String.init).joined(separator: ",")
  }

  /// What a configuration begins with, before any other option is read.
  private static let preset = RunOption(
    name: "preset", kind: .choice(Preset.allCases.map(\.rawValue)),
    help: "sizes and defaults to start from (default: moe-tiny)"
  ) { _, _, _ in
  } words: { configuration in
    configuration.preset?.rawValue ?? (configuration.model.experts == nil ? "tiny" : "moe-tiny")
  }

  private static let width = RunOption(
    name: "width", kind: .count(2...8192), help: "model width D"
  ) { words, _, configuration in
    guard let width = Int(words) else { return }
    configuration.model.width = width
    configuration.model.feedForwardWidth = 4 * width
    configuration.model.experts?.width = 2 * width
  } words: {
    "\($0.model.width)"
  }

  /// Told where it is another than usual.
  private static let feedForward = RunOption(
    name: "feed-forward", kind: .choice(LayerKind.feedForwards.map(\.rawValue)),
    help:
      "the layer after attention where there are no experts; kat trains its activations too, and"
      + " swiglu has a gate"
  ) { words, _, configuration in
    if let kind = LayerKind(rawValue: words) { configuration.model.feedForward = kind }
  } words: {
    $0.model.feedForward == $0.model.architecture.feedForward
      ? nil : $0.model.feedForward.rawValue
  }

  private static let data = RunOption(
    name: "data", kind: .text,
    help: "a file or folder of bytes or of ids, - for standard input; without it a built-in"
      + " language"
  ) { words, _, configuration in
    configuration.dataPath = words
  } words: {
    $0.dataPath
  }

  private static let samplePrompt = RunOption(
    name: "sample-prompt", kind: .text,
    help: "with sample-every: what a sample goes on from; a new line if not given"
  ) { words, _, configuration in
    configuration.samplePrompt = words
  } words: {
    $0.sampleEvery > 0 ? $0.samplePrompt : nil
  }

  private static let seed = RunOption(
    name: "seed", kind: .count(0...Int.max), help: "seed of weights and data order"
  ) { words, _, configuration in
    if let seed = UInt64(words) { configuration.seed = seed }
  } words: {
    "\($0.seed)"
  }

  /// A coupled decay is usually run with a larger one.
  private static let decay = RunOption(
    name: "decay", kind: .choice(["independent", "coupled"]),
    help: "whether weight decay is independent of the rate, or a share of it as in PyTorch"
  ) { words, given, configuration in
    configuration.decayIsCoupled = words == "coupled"
    if configuration.decayIsCoupled, given["weight-decay"] == nil {
      configuration.weightDecay = 0.1
    }
  } words: {
    $0.decayIsCoupled ? "coupled" : "independent"
  }

  private static let experts = RunOption(
    name: "experts", kind: .count(0...1024), help: "experts of a layer; 0 is dense"
  ) { words, _, configuration in
    if let count = Int(words) { configuration.setExperts(count) }
  } words: {
    "\($0.model.experts?.count ?? 0)"
  }

  private static let router = RunOption(
    name: "router", kind: .choice(ExpertRouter.allCases.map(\.rawValue)),
    help: "how experts are chosen; rmoe is a GRU over layers; random, hash and thor learn none"
  ) { words, given, configuration in
    guard let router = ExpertRouter(rawValue: words) else { return }
    configuration.setRouter(router, besides: given)
  } words: {
    $0.model.experts?.router.rawValue
  }
}
