import Models
import Telemetry

/// One option of a run, as `seismo train` and `run.toml` spell it.
package struct RunOption: Sendable {
  package enum Kind: Sendable {
    case flag
    case count(ClosedRange<Int>)
    case number(ClosedRange<Double>)
    case choice([String])
    case text
  }

  package let name: String
  package let kind: Kind
  package let help: String

  /// What it is for, with the values there are to choose from.
  package var sentence: String {
    guard case .choice(let words) = kind else { return help }
    return "\(help): \(words.joined(separator: ", "))"
  }

  /// What may be given, in words; nil if `value` may be.
  package func refusal(of value: String) -> String? {
    switch kind {
    case .flag: SettingValue(words: value).map(\.isFlag) == true ? nil : "on or off"
    case .count(let range):
      Int(value).map(range.contains) == true
        ? nil : "a whole number from \(range.lowerBound) to \(range.upperBound)"
    case .number(let range):
      Double(value).map { $0.isFinite && range.contains($0) } == true
        ? nil
        : "a number from \(SettingValue.number(range.lowerBound))"
          + " to \(SettingValue.number(range.upperBound))"
    case .choice(let words): words.contains(value) ? nil : words.joined(separator: ", ")
    case .text: value.isEmpty ? "some text" : nil
    }
  }
}

extension SettingValue {
  fileprivate var isFlag: Bool {
    switch self {
    case .flag: true
    case .number: false
    }
  }
}

/// The one table of a run's options.
package enum RunOptionCatalog {
  package static let all: [RunOption] = [
    RunOption(
      name: "preset", kind: .choice(Preset.allCases.map(\.rawValue)),
      help: "sizes and defaults to start from (default: moe-tiny)"),
    RunOption(name: "width", kind: .count(2...8192), help: "model width D"),
    RunOption(name: "layers", kind: .count(1...256), help: "blocks"),
    RunOption(name: "heads", kind: .count(1...256), help: "attention heads; they divide the width"),
    RunOption(name: "context", kind: .count(1...16384), help: "tokens a window"),
    RunOption(name: "batch", kind: .count(1...4096), help: "windows a step"),
    RunOption(
      name: "data", kind: .text,
      help: "a file or folder read as bytes, - for standard input; without it a built-in language"),
    RunOption(
      name: "order", kind: .choice(["shuffled", "file"]), help: "how windows are drawn"),
    RunOption(
      name: "eval-fraction", kind: .number(0.001...0.5), help: "share of the data held out"),
    RunOption(name: "steps", kind: .count(1...1_000_000_000), help: "steps in all"),
    RunOption(name: "lr", kind: .number(0...1000), help: "peak learning rate"),
    RunOption(name: "min-lr", kind: .number(0...1000), help: "rate at which the schedule ends"),
    RunOption(name: "warmup", kind: .count(0...1_000_000_000), help: "steps of linear warm-up"),
    RunOption(
      name: "schedule", kind: .choice(LearningRateSchedule.Shape.allCases.map(\.rawValue)),
      help: "the rate after its warm-up; wsd is stable, then falls"),
    RunOption(
      name: "decay-steps", kind: .count(1...1_000_000_000),
      help: "steps at the end over which wsd falls; a fifth of the run if not given"),
    RunOption(
      name: "optimizer", kind: .choice(OptimizerKind.allCases.map(\.rawValue)),
      help: "how gradients become updates; muon is for the hidden matrices, the rest has adamw"),
    RunOption(
      name: "mu-param", kind: .flag, help: "scale linear layers' rates by 256/fan-in (muParam)"),
    RunOption(
      name: "sigma-reparam", kind: .flag,
      help: "train hidden matrices as γ·W/σ(W), σ their largest singular value"),
    RunOption(name: "seed", kind: .count(0...Int.max), help: "seed of weights and data order"),
    RunOption(name: "qk-layernorm", kind: .flag, help: "layer-normalise queries and keys"),
    RunOption(
      name: "blend-steps", kind: .count(0...1_000_000),
      help: "steps over which a switch of qk-layernorm is blended"),
    RunOption(name: "z-loss", kind: .number(0...10), help: "weight of (log Z)²; 1e-4 is usual"),
    RunOption(
      name: "logit-softcap", kind: .number(0...1e6),
      help: "soft bound of the attention logits; 50 is usual, 0 is off"),
    RunOption(
      name: "qk-clip", kind: .number(0...1e6),
      help: "logit above which a head's queries and keys shrink; 100 is usual, 0 is off"),
    RunOption(
      name: "output-softcap", kind: .number(0...1e6),
      help: "soft bound of the output logits; 30 is usual, 0 is off"),
    RunOption(
      name: "grad-clip", kind: .number(0...1e6), help: "bound of the global gradient norm; 0 is off"
    ),
    RunOption(
      name: "clip", kind: .choice(GradientClipping.Kind.allCases.map(\.rawValue)),
      help: "which gradients are scaled down: over a bound, outliers, or each tensor's own"),
    RunOption(
      name: "update-clip", kind: .number(0...1000),
      help: "bound of the root mean square of g²/v (StableAdamW); 0 is off"),
    RunOption(name: "adam-eps", kind: .number(1e-20...1), help: "Adam's ε"),
    RunOption(
      name: "adam-beta2", kind: .number(0.1...0.99999), help: "Adam's β₂, memory of squares"),
    RunOption(name: "weight-decay", kind: .number(0...1), help: "weight decay of the matrices"),
    RunOption(
      name: "decay", kind: .choice(["independent", "coupled"]),
      help: "whether weight decay is independent of the rate, or a share of it as in PyTorch"),
    RunOption(
      name: "freeze", kind: .count(0...1000),
      help: "blocks that stay as they are, and the embedding with them; 0 is none"),
    RunOption(
      name: "moe-aux-loss", kind: .number(0...100), help: "weight of the experts' balance loss"),
    RunOption(
      name: "moe-router-z-loss", kind: .number(0...100),
      help: "weight of the router's (ln Σ exp)²; 1e-3 is usual"),
    RunOption(
      name: "moe-bias-balance", kind: .number(0...1),
      help: "rate of the experts' balancing biases; 1e-3 is usual, 0 is off"),
    RunOption(
      name: "moe-capacity", kind: .number(0...1000),
      help: "even shares of a window an expert takes; 1.25 is usual, 0 is all"),
    RunOption(
      name: "moe-consistency", kind: .number(0...1000),
      help: "weight of the divergence between the two passes of the router thor; 1 if not given"),
    RunOption(name: "experts", kind: .count(0...1024), help: "experts of a layer; 0 is dense"),
    RunOption(name: "expert-width", kind: .count(1...65536), help: "hidden width of an expert"),
    RunOption(name: "expert-active", kind: .count(1...1024), help: "experts a token is sent to"),
    RunOption(
      name: "expert-every", kind: .count(1...2), help: "experts in every layer or every second one"),
    RunOption(
      name: "shared-expert-width", kind: .count(0...65536),
      help: "hidden width of an expert every token meets; 0 is none"),
    RunOption(
      name: "router", kind: .choice(ExpertRouter.allCases.map(\.rawValue)),
      help: "how experts are chosen; rmoe is a GRU over layers; random, hash and thor learn none"
    ),
    RunOption(
      name: "router-width", kind: .count(1...4096),
      help: "width of the router rmoe's state; half the model's, at most 128, if not given"),
    RunOption(
      name: "lr-multiplier", kind: .number(0...1000), help: "factor on top of the schedule"),
    RunOption(
      name: "eval-every", kind: .count(0...1_000_000_000),
      help: "steps between held-out evaluations; 0 is never"),
    RunOption(
      name: "eval-windows", kind: .count(1...100_000), help: "held-out windows an evaluation takes"),
    RunOption(
      name: "sharpness-every", kind: .count(0...1_000_000_000),
      help: "steps between measurements of the sharpness; 0 is never, 500 cost about 1%"),
    RunOption(
      name: "per-head-logits", kind: .flag, help: "tell every head's largest attention logit"),
    RunOption(
      name: "checkpoint-every", kind: .count(1...1_000_000_000),
      help: "steps between checkpoints, the first at step 0"),
    RunOption(
      name: "keep", kind: .count(0...1_000_000),
      help:
        "periodic checkpoints to keep, the last ones; 0 is all; those asked for, and the last one from before a trouble, stay"
    ),
    RunOption(
      name: "keep-best", kind: .flag,
      help:
        "keep also the periodic checkpoint of the lowest held-out loss: that of its own step, or"
        + " of the last evaluation before"),
    RunOption(
      name: "patience", kind: .count(0...1_000_000),
      help: "evaluations without a lower held-out loss after which the run stops; 0 is never"),
    RunOption(
      name: "workers", kind: .count(1...256),
      help: "cores to use; the numbers do not depend on it"),
  ]

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
    "size": "preset",
  ]
}
