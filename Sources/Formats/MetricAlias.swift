package import Telemetry

/// Other trainers' name for what the table of metrics knows.
package struct MetricAlias: Sendable, Equatable {
  package let ours: MetricName
  /// What theirs is multiplied by to have our unit.
  package let factor: Double
  /// Of several names in one row the lowest rank is taken.
  let rank: Int

  private struct Entry {
    let ours: MetricName
    let seen: [String]
    var factor = 1.0
  }

  /// By concept, in each as Hugging Face, Lightning, W&B's examples, Keras, nanoGPT, llm.c, Megatron,
  /// torchtitan, OLMo, MMEngine, detectron2, fastai, YOLO, fairseq and libraries of reinforcement
  /// learning call it; as ``plain(_:)`` makes them.
  private static let entries: [Entry] = [
    Entry(
      ours: MetricCatalog.loss,
      seen: [
        "train_loss", "lm_loss", "train_ce_loss", "train_loss_step", "train_crossentropyloss",
        "total_loss", "loss_train", "training_loss", "train_lm_loss", "train_total_loss",
        "loss_metrics_global_avg_loss", "global_avg_loss", "tr_loss", "losses_train",
        "reduced_train_loss",
        "train_cross_entropy", "train_nll_loss", "loss_total", "batch_loss", "train_batch_loss",
      ]),
    Entry(
      ours: MetricCatalog.evalLoss,
      seen: [
        "eval_loss", "val_loss", "valid_loss", "validation_loss", "dev_loss", "loss_val",
        "loss_valid", "loss_validation", "lm_loss_validation", "lm_loss_value", "eval_lm_loss",
        "validation_metrics_loss", "validation_metrics_global_avg_loss", "eval_ce_loss",
        "eval_validation_ce_loss", "val_loss_epoch", "losses_val", "eval_cross_entropy",
      ]),
    Entry(
      ours: MetricCatalog.learningRate,
      seen: [
        "learning_rate", "train_learning_rate", "optim_lr_(group_0)", "train_lr", "lr_adamw",
        "lr_adam", "lr_sgd", "optim_lr", "optim_learning_rate", "optim_learning_rate_group0",
        "optimizer_lr", "lr_pg0", "lr_group_0", "lr_0", "trainer_lr", "lr_group0",
        "charts_learning_rate", "opt_lr", "optim_lr_group_0", "base_lr",
      ]),
    Entry(
      ours: MetricCatalog.gradNorm,
      seen: [
        "train_grad_norm", "optim_total_grad_norm", "l2_norm_grad_global", "grad_2_0_norm_total",
        "total_grad_norm", "gradient_norm", "global_grad_norm", "gnorm", "train_gnorm",
        "grad_norm_total", "optim_grad_norm", "gradnorm", "train_gradient_norm",
        "gradient_norm_total",
        "grad_norm_global",
      ]),
    Entry(
      ours: MetricCatalog.attentionLogitMax,
      seen: ["max_attention_logit", "attn_logit_max", "max_attn_logit"]),
    Entry(
      ours: MetricCatalog.tokensPerSecond,
      seen: [
        "tokens_per_sec", "tokens_per_second", "throughput_device_tps", "throughput_tps",
        "throughput(tps)", "throughput_tokens_per_sec", "throughput_device_tokens_per_second",
        "train_tokens_per_second", "tokens_sec", "tok_s", "tok_per_sec", "tps", "tokens_s",
        "throughput_tokens_per_second", "tokens_s_device",
      ]),
    Entry(
      ours: MetricCatalog.stepMilliseconds,
      seen: ["elapsed_time_per_iteration_(ms)", "iter_time_ms", "step_time_ms", "ms_per_step"]),
    Entry(
      ours: MetricCatalog.stepMilliseconds,
      seen: [
        "iteration_time", "time_metrics_end_to_end(s)", "seconds_per_step", "step_time_s",
        "train_step_timing_in_s",
      ],
      factor: 1000),
    Entry(ours: "param_norm", seen: ["params_norm", "weight_norm_total"]),
    Entry(
      ours: "tokens",
      seen: [
        "n_tokens_seen", "tokens_seen", "num_tokens", "num_tokens_seen", "total_tokens",
        "train_tokens", "throughput_total_tokens", "consumed_tokens", "num_input_tokens_seen",
      ]),
    Entry(
      ours: "reward",
      seen: [
        "ep_rew_mean", "rollout_ep_rew_mean", "episode_reward_mean", "episodic_return", "rew",
        "charts_episodic_return", "episode_return_mean", "env_runners_episode_return_mean",
        "train_reward", "mean_reward", "eval_mean_reward", "episode_reward", "train_episode_reward",
      ]),
    Entry(ours: MetricCatalog.machine("memory"), seen: ["system_memory_percent"]),
    Entry(
      ours: MetricCatalog.machine("process.memory"), seen: ["system_proc_memory_rssmb"],
      factor: 1_048_576),
  ]

  private static let all: [String: MetricAlias] = {
    let names = entries.flatMap { entry in
      ([plain(entry.ours.path)] + entry.seen).map { (entry, $0) }
    }
    return Dictionary(
      names.enumerated().map { rank, name in
        (name.1, MetricAlias(ours: name.0.ours, factor: name.0.factor, rank: rank))
      }, uniquingKeysWith: { first, _ in first })
  }()

  /// A name in small letters, with one underscore for whatever parts its words.
  static func plain(_ name: String) -> String {
    var plain = ""
    for character in name.lowercased() {
      let isGap = " _-/.:".contains(character)
      if !isGap { plain.append(character) }
      if isGap, plain.last != "_", !plain.isEmpty { plain.append("_") }
    }
    return plain
  }

  /// What is known under the name that its source gives it; nil where the name is ours already.
  static func of(_ name: String) -> MetricAlias? {
    if let known = ofAccelerator(name) { return known }
    guard name.utf8.count <= 64, let alias = all[plain(name)], alias.ours.path != name else {
      return nil
    }
    // A name of the table of metrics is nobody else's.
    return MetricCatalog.family(of: MetricName(name)) == nil ? alias : nil
  }

  /// W&B's names for what an accelerator says.
  private static let accelerators: [Substring: MetricCatalog.AcceleratorMetric] = [
    "gpu": .util, "memoryAllocated": .memory, "memoryAllocatedBytes": .memoryBytes,
    "powerWatts": .power,
  ]

  private static func ofAccelerator(_ name: String) -> MetricAlias? {
    guard let parts = MetricCatalog.acceleratorParts(of: MetricName(name)),
      let number = Int(parts.number), let metric = accelerators[parts.rest]
    else { return nil }
    return MetricAlias(ours: MetricCatalog.accelerator(number, metric), factor: 1, rank: all.count)
  }

  /// Megatron writes each metric once more over samples.
  static func isTwin(_ name: String) -> Bool { name.hasSuffix(" vs samples") }
}

/// By which other names metrics are known: those that everyone uses, and a person's own.
package struct MetricAliases: Sendable, Equatable {
  private let isOn: Bool
  private let own: [String: MetricAlias]

  /// Metrics keep the names that their source gives them.
  package static let none = MetricAliases(isOn: false, own: [:])
  package static let usual = MetricAliases(isOn: true, own: [:])

  private init(isOn: Bool, own: [String: MetricAlias]) {
    (self.isOn, self.own) = (isOn, own)
  }

  /// The usual ones, and before them a person's own: ours by theirs.
  package init(own: [String: String]) {
    let aliases = own.map { theirs, ours in
      (MetricAlias.plain(theirs), MetricAlias(ours: MetricName(ours), factor: 1, rank: -1))
    }
    self.init(isOn: true, own: Dictionary(aliases) { first, _ in first })
  }

  func of(_ name: String) -> MetricAlias? {
    guard isOn else { return nil }
    if !own.isEmpty, let alias = own[MetricAlias.plain(name)], alias.ours.path != name {
      return alias
    }
    return MetricAlias.of(name)
  }

  func isTwin(_ name: String) -> Bool { isOn && MetricAlias.isTwin(name) }
}
