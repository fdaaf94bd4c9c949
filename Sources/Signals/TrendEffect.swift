package import Telemetry

/// What a change of a setting did to a metric, measured once its blend is over.
///
/// Both sides use windows of the same number of samples: the last ones before the change, and the
/// first ones after the blend. The step of the change itself is already under the new setting, but
/// a blend gives it the old one's value, so it belongs to the blend.
package struct TrendEffect: Sendable, Equatable {
  package static let window = 100
  /// Fewer finite samples than this on a side say nothing.
  package static let needed = 5

  /// Mean and median of the window before the change.
  package let meanBefore: Double
  package let medianBefore: Double
  /// Mean and median of the window that starts once the blend is over.
  package let meanAfter: Double
  package let medianAfter: Double
  /// The difference of the means beyond what the line through the window before would have
  /// brought anyway.
  package let changeBeyondTrend: Double
  /// The largest value from the change to the end of the blend, less the mean before: how far the
  /// change threw the metric up; negative where it only fell.
  package let largestJump: Double
  /// The largest rise from one sample to the next within the same stretch.
  package let largestStep: Double
  /// Samples a side.
  package let count: Int

  package var change: Double { meanAfter - meanBefore }

  /// Steps after the change at which a full window lies behind the blend.
  package static func dueAfter(blendSteps: Int, window: Int = Self.window) -> Int {
    blendSteps + window
  }

  /// Nil where either side has too few samples.
  /// `changeStep` is the first step under the new setting, `blendEnd` the first at which it holds
  /// alone, the same where nothing is blended.
  package init?(
    series: Series, changeStep: Int, blendEnd: Int, window: Int = Self.window
  ) {
    let change = series.index(atOrAfter: changeStep)
    let end = series.index(atOrAfter: max(changeStep, blendEnd))
    let count = min(window, change, series.count - end)
    guard count >= Self.needed else { return nil }
    let before = Self.finitePoints(of: series, in: change - count..<change)
    let after = Self.finitePoints(of: series, in: end..<end + count)
    guard before.count >= Self.needed, after.count >= Self.needed else { return nil }
    self.count = count
    meanBefore = before.map(\.y).mean
    medianBefore = before.map(\.y).median
    meanAfter = after.map(\.y).mean
    medianAfter = after.map(\.y).median
    let expected = LineFit(before)?.value(at: after.map(\.x).mean) ?? meanBefore
    changeBeyondTrend = meanAfter - expected
    let blend = Self.finitePoints(of: series, in: change..<min(end + 1, series.count)).map(\.y)
    largestJump = (blend.max() ?? meanBefore) - meanBefore
    let path = [before.last?.y].compactMap(\.self) + blend
    largestStep = zip(path, path.dropFirst()).map { $1 - $0 }.max() ?? 0
  }

  private static func finitePoints(
    of series: Series, in range: Range<Int>
  ) -> [(x: Double, y: Double)] {
    let (steps, values) = series.samples(in: range)
    return zip(steps, values).filter { $1.isFinite }.map { (Double($0), $1) }
  }
}

extension TrendEffect {
  /// The metric that a setting is meant to move, beside the loss, and its words.
  ///
  /// Of several layers it is the one that stood highest before.
  private struct Subject {
    let label: String
    let key: String
    let names: [MetricName]
  }

  private static func subject(of setting: String, names: [MetricName]) -> Subject? {
    switch setting {
    case SettingCatalog.qkLayerNorm:
      Subject(
        label: "attention logits", key: "attention_logit_max",
        names: [MetricCatalog.attentionLogitMax])
    case SettingCatalog.zLoss:
      Subject(label: "log Z", key: "log_z", names: [MetricCatalog.logZ])
    case SettingCatalog.gradClip:
      Subject(label: "gradient norm", key: "grad_norm", names: [MetricCatalog.gradNorm])
    case SettingCatalog.balanceLoss:
      Subject(
        label: "worst overload", key: "expert_max_violation",
        names: names.filter { MetricCatalog.family(of: $0)?.stem == "expert_max_violation" })
    default: nil
    }
  }

  /// The event that tells what `change`, a `.set` event, did: `attention logits 9,278 → 12,
  /// loss 2.01 → 1.86 over 100 steps (−0.15), at most 2.07 on the way`. Nil while the loss has too few samples on either side.
  ///
  /// The setting was blended in over `blendSteps`, 0 where it was not; `step` is the event's own,
  /// as a rule ``dueAfter(blendSteps:window:)`` the change.
  package static func event(
    of change: RunEvent, in series: [MetricName: Series], blendSteps: Int, step: Int,
    wallTime: Double
  ) -> RunEvent? {
    func effect(on name: MetricName) -> TrendEffect? {
      series[name].flatMap {
        TrendEffect(
          series: $0, changeStep: change.step, blendEnd: change.step + blendSteps)
      }
    }
    guard let setting = change.name, let loss = effect(on: MetricCatalog.loss) else { return nil }
    var clauses: [String] = []
    var values = loss.values(key: "loss")
    if let subject = subject(of: setting, names: Array(series.keys)),
      let effect = subject.names.compactMap({ effect(on: $0) })
        .max(by: { $0.medianBefore < $1.medianBefore })
    {
      clauses.append(
        "\(subject.label) \(word(effect.medianBefore)) → \(word(effect.medianAfter))")
      values.merge(effect.values(key: subject.key)) { old, _ in old }
    }
    clauses += loss.lossClauses
    return RunEvent(
      step: step, wallTime: wallTime, kind: .effect, by: "run", name: setting,
      before: change.before, after: change.after, text: clauses.joined(separator: ", "),
      values: values)
  }

  /// Means of the windows on both sides, and how high the loss stood while it changed.
  private var lossClauses: [String] {
    let levels = "\(Self.lossWord(meanBefore)) → \(Self.lossWord(meanAfter))"
    let peak =
      largestJump > 0
      ? "at most \(Self.lossWord(meanBefore + largestJump)) on the way" : "never higher on the way"
    return ["loss \(levels) over \(count) steps (\(NumberText.signed(change)))", peak]
  }

  private static func lossWord(_ loss: Double) -> String { NumberText.compact(loss) }

  private static func word(_ value: Double) -> String {
    abs(value) >= 10 ? NumberText.grouped(value) : NumberText.compact(value, digits: 2)
  }

  private func values(key: String) -> [String: Double] {
    [
      "\(key).before": medianBefore, "\(key).after": medianAfter, "\(key).change": change,
      "\(key).change_beyond_trend": changeBeyondTrend, "\(key).largest_jump": largestJump,
      "\(key).largest_step": largestStep, "\(key).samples": Double(count),
    ]
  }
}
