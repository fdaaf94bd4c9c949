package import Telemetry

/// Other trainers' names for what the table of metrics knows.
package enum MetricAlias {
  private struct Entry {
    let ours: MetricName
    let seen: [String]
    /// What theirs is multiplied by to have our unit.
    var factor = 1.0
  }

  private static let entries: [Entry] = [
    Entry(
      ours: MetricCatalog.loss,
      seen: ["train/loss", "train_loss", "lm loss", "lm_loss", "train/CE loss", "train_loss_step"]),
    Entry(
      ours: MetricCatalog.evalLoss,
      seen: ["eval_loss", "eval/loss", "val_loss", "val/loss", "validation/loss"]),
    Entry(
      ours: MetricCatalog.learningRate,
      seen: [
        "learning_rate", "learning-rate", "train/learning_rate", "optim/LR (group 0)", "train/lr",
        "lr-AdamW", "lr-Adam", "lr-SGD",
      ]),
    Entry(
      ours: MetricCatalog.gradNorm,
      seen: [
        "grad-norm", "train/grad_norm", "optim/total grad norm", "l2_norm/grad/global",
        "grad_2.0_norm_total",
      ]),
    Entry(ours: MetricCatalog.attentionLogitMax, seen: ["max_attention_logit"]),
    Entry(
      ours: MetricCatalog.tokensPerSecond, seen: ["tokens_per_sec", "throughput/device/TPS"]),
    Entry(ours: MetricCatalog.stepMilliseconds, seen: ["iteration-time"], factor: 1000),
    Entry(ours: "param_norm", seen: ["params-norm"]),
  ]

  /// Megatron writes each metric once more over samples.
  private static let twinEnding = " vs samples"

  /// Gives the run's metrics our names where they are known under another and ours is free; what
  /// each was called stands in the description.
  package static func apply(to run: RecordedRun) -> (run: RecordedRun, renamed: [Renamed]) {
    var run = run
    let present = Set(run.names)
    for index in run.generations.indices {
      run.generations[index].columns.removeAll { $0.name.path.hasSuffix(twinEnding) }
    }
    var renamed: [Renamed] = []
    for entry in entries where !present.contains(entry.ours) {
      guard let theirs = entry.seen.map({ MetricName($0) }).first(where: present.contains) else {
        continue
      }
      renamed.append(Renamed(theirs: theirs, ours: entry.ours))
      run.rename(theirs, to: entry.ours, factor: entry.factor)
    }
    return (run, renamed)
  }

  /// A metric that bears our name now.
  package struct Renamed: Sendable, Equatable {
    package let theirs: MetricName
    package let ours: MetricName
  }
}

extension RecordedRun {
  fileprivate mutating func rename(_ theirs: MetricName, to ours: MetricName, factor: Double) {
    for generation in generations.indices {
      for column in generations[generation].columns.indices
      where generations[generation].columns[column].name == theirs {
        generations[generation].columns[column].name = ours
        guard factor != 1 else { continue }
        let values = generations[generation].columns[column].values
        generations[generation].columns[column].values = values.map { $0 * factor }
      }
    }
    description?.environment["metric \(ours)"] = theirs.path
  }
}
