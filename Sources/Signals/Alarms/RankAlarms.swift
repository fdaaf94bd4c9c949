package import Telemetry

/// The alarms of a run over ranks: one that holds the others up, one whose weights are other ones.
///
/// A clock is behind the first, so that their memory is in no checkpoint.
package struct RankAlarms: Sendable {
  private let thresholds: AlarmThresholds
  private var latches: [AlarmRule: AlarmLatch] = [:]
  private var slowest: Int?

  package init(thresholds: AlarmThresholds = AlarmThresholds()) {
    self.thresholds = thresholds
  }

  /// Takes in a step of `count` ranks.
  /// - Returns: the alarms that this raised or ended, as events of the step.
  package mutating func take(_ samples: StepSamples, ranks count: Int) -> [RunEvent] {
    guard count > 1 else { return [] }
    return straggler(samples, count) + stray(samples)
  }

  /// Who is at work when others already wait: the time of a step without the waiting, against the
  /// median's.
  private mutating func straggler(_ samples: StepSamples, _ count: Int) -> [RunEvent] {
    let work = (0..<count).compactMap { rank -> Double? in
      guard let seconds = samples[MetricCatalog.rankSeconds(rank)],
        let waiting = samples[MetricCatalog.rankWaiting(rank)]
      else { return nil }
      return max(seconds - waiting, 0)
    }
    let sorted = work.sorted()
    guard work.count == count, let most = sorted.last, let rank = work.firstIndex(of: most) else {
      return []
    }
    // Of two the faster one.
    let median = sorted[(count - 1) / 2]
    let isSame = slowest == nil || slowest == rank
    let isSlow = isSame && most > thresholds.level(.slowRank) * median
    if !isRaised(.slowRank) { slowest = most > thresholds.level(.slowRank) * median ? rank : nil }
    let factor = NumberText.compact(most / max(median, 1e-9), digits: 2)
    return latch(.slowRank, isSlow ? .trouble : .quiet, samples) { [slowest] isRaised in
      isRaised
        ? "rank \(rank) holds the others up: its steps take \(factor) times the median rank's work"
        : "rank \(slowest ?? rank) is as fast as the others again"
    }
  }

  private mutating func stray(_ samples: StepSamples) -> [RunEvent] {
    guard let count = samples[MetricCatalog.strayWeights] else { return [] }
    return latch(.strayWeights, count > 0 ? .trouble : .quiet, samples) { isRaised in
      isRaised
        ? "the weights of \(NumberText.grouped(count)) of the ranks are not rank 0's"
          + " any more: a bit has changed in a memory; go back to a checkpoint from before"
        : "all ranks have the same weights again"
    }
  }

  private func isRaised(_ rule: AlarmRule) -> Bool { latches[rule]?.isRaised ?? false }

  private mutating func latch(
    _ rule: AlarmRule, _ reading: AlarmLatch.Reading, _ samples: StepSamples,
    text: (_ isRaised: Bool) -> String
  ) -> [RunEvent] {
    guard thresholds.isOn(rule) else { return [] }
    let change = latches[rule, default: AlarmLatch()].read(
      reading, step: samples.step, patience: rule.patience)
    guard let change else { return [] }
    return [
      RunEvent(
        step: samples.step, wallTime: samples.wallTime,
        kind: change == .raised ? .alarm : .calm, by: "alarm", name: rule.name,
        text: text(change == .raised))
    ]
  }
}
