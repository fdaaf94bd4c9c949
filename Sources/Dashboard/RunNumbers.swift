import Signals
import Telemetry

/// The few numbers of a run that its frame shows, at the playhead.
struct RunNumbers {
  let step: Int
  let total: Int?
  let loss: Double?
  let tokensPerSecond: Double?
  /// Of a peak that was measured on a busy machine no share is known.
  let flopsFraction: Double?
  /// Until the last step, where the run is still going.
  let remainingSeconds: Double?

  init(_ state: DashboardState) {
    let history = state.history
    let playhead = state.playhead
    total = history.description?.totalSteps
    let step = state.stepsDone
    self.step = step
    loss = history[MetricCatalog.loss]?.value(atOrBefore: playhead)
    tokensPerSecond = history[MetricCatalog.tokensPerSecond]?.recentMean(at: playhead)
    flopsFraction = history[MetricCatalog.flopsFraction]?.recentMean(at: playhead)
      .flatMap { $0 <= 1 ? $0 : nil }
    guard let total, !state.isReplay, !history.state.isOver, total > step,
      let each = history.wallTimes.secondsAStep(at: playhead)
    else {
      remainingSeconds = nil
      return
    }
    remainingSeconds = each * Double(total - step)
  }

  /// The share of the planned steps that is done.
  var progress: Double? {
    guard let total, total > 0 else { return nil }
    return min(1, Double(step) / Double(total))
  }

  var lossRole: Role { (loss ?? 0).isFinite ? .loss : .trouble }

  func lossText(digits: Int) -> String {
    loss.map { NumberText.compact($0, digits: digits) } ?? "–"
  }
}

extension Series {
  /// The mean of the last finite samples up to `step`: a number that can be read as it changes.
  fileprivate func recentMean(at step: Int, count: Int = 20) -> Double? {
    guard let index = index(atOrBefore: step) else { return nil }
    let recent = samples(in: max(0, index - count + 1)..<index + 1).values.filter(\.isFinite)
    return recent.isEmpty ? nil : recent.reduce(0, +) / Double(recent.count)
  }

  /// Of a series of wall times: the usual time between two steps. A pause among them counts as ten
  /// steps at most.
  fileprivate func secondsAStep(at step: Int, count: Int = 200) -> Double? {
    guard let index = index(atOrBefore: step), index > 0 else { return nil }
    let (steps, values) = samples(in: max(0, index - count)..<index + 1)
    let gaps = steps.indices.dropFirst().map {
      max(0, values[$0] - values[$0 - 1]) / Double(steps[$0] - steps[$0 - 1])
    }
    let median = gaps.sorted()[gaps.count / 2]
    guard median.isFinite else { return nil }
    return gaps.reduce(0) { $0 + min($1, 10 * median) } / Double(gaps.count)
  }
}
