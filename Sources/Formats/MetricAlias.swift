package import Telemetry

/// Other trainers' name for what the table of metrics knows.
package struct MetricAlias: Sendable {
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

  private static let entries: [Entry] = [
    Entry(
      ours: MetricCatalog.loss,
      seen: [
        "train/loss", "train_loss", "lm loss", "lm_loss", "train/CE loss", "train_loss_step",
        "train/CrossEntropyLoss", "total_loss", "loss/train", "training_loss",
      ]),
    Entry(
      ours: MetricCatalog.evalLoss,
      seen: [
        "eval_loss", "eval/loss", "val_loss", "val/loss", "validation/loss", "validation_loss",
        "val loss", "validation loss",
      ]),
    Entry(
      ours: MetricCatalog.learningRate,
      seen: [
        "learning_rate", "learning-rate", "learning rate", "train/learning_rate",
        "optim/LR (group 0)", "train/lr", "lr-AdamW", "lr-Adam", "lr-SGD",
      ]),
    Entry(
      ours: MetricCatalog.gradNorm,
      seen: [
        "grad-norm", "grad norm", "train/grad_norm", "optim/total grad norm",
        "optim/total_grad_norm", "l2_norm/grad/global", "grad_2.0_norm_total",
      ]),
    Entry(ours: MetricCatalog.attentionLogitMax, seen: ["max_attention_logit"]),
    Entry(
      ours: MetricCatalog.tokensPerSecond, seen: ["tokens_per_sec", "throughput/device/TPS"]),
    Entry(ours: MetricCatalog.stepMilliseconds, seen: ["elapsed time per iteration (ms)"]),
    Entry(ours: MetricCatalog.stepMilliseconds, seen: ["iteration-time"], factor: 1000),
    Entry(ours: "param_norm", seen: ["params-norm"]),
    Entry(ours: MetricCatalog.machine("memory"), seen: ["system/memory_percent"]),
    Entry(
      ours: MetricCatalog.machine("process.memory"), seen: ["system/proc.memory.rssMB"],
      factor: 1_048_576),
  ]

  private static let all: [String: MetricAlias] = {
    let names = entries.flatMap { entry in entry.seen.map { (entry, $0) } }
    return Dictionary(
      names.enumerated().map { rank, name in
        (name.1, MetricAlias(ours: name.0.ours, factor: name.0.factor, rank: rank))
      }, uniquingKeysWith: { first, _ in first })
  }()

  /// What is known under the name that its source gives it.
  static func of(_ name: String) -> MetricAlias? { all[name] ?? ofAccelerator(name) }

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
