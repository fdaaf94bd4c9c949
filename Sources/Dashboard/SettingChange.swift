import Foundation
import Signals
import Telemetry

/// A change of a setting as a person is about to make it: what it comes to, and whether to ask
/// first.
struct SettingChange: Sendable, Hashable {
  let name: String
  let before: SettingValue
  let after: SettingValue
  /// What comes of it in the units of the run; nil where the value says all.
  let result: String?
  /// Why to ask before it is made; nil where it is of the usual size.
  let doubt: String?

  /// A learning rate that changes by more than this factor is asked about.
  static let largestFactor = 4.0

  init?(_ name: String, to after: SettingValue, in state: DashboardState) {
    guard let before = state.setting(name) ?? state.declaration(name)?.value else { return nil }
    self.name = name
    self.before = before
    self.after = after
    result = state.result(of: name, from: before, to: after)
    doubt = before == after ? nil : Self.doubt(name, from: before, to: after)
  }

  /// `1 → 0.5`, and what it results in.
  var words: String {
    "\(before) → \(after)" + (result.map { " · \($0)" } ?? "")
  }

  /// The question before a change that is not of the usual size.
  var question: String? {
    doubt.map { "\(name) \(words) (\($0)): enter again applies, esc drops" }
  }

  private static func doubt(
    _ name: String, from before: SettingValue, to after: SettingValue
  ) -> String? {
    if name == SettingCatalog.learningRateMultiplier {
      guard after.number > 0 else { return "nothing is learned at a rate of 0" }
      // From a standstill it is compared with the schedule.
      let factor = after.number / (before.number > 0 ? before.number : 1)
      if factor > largestFactor { return "\(Self.words(factor)) times the rate" }
      if factor < 1 / largestFactor { return "1/\(Self.words(1 / factor)) of the rate" }
    }
    guard let entry = SettingCatalog.entry(name), !entry.isUsual(after),
      let usual = entry.usualRange
    else { return nil }
    let (low, high) = (SettingValue.number(usual.lowerBound), SettingValue.number(usual.upperBound))
    return "usual is \(low) to \(high)"
  }

  private static func words(_ factor: Double) -> String {
    SettingValue.number((factor * 10).rounded() / 10).description
  }
}

extension DashboardState {
  fileprivate func result(
    of name: String, from before: SettingValue, to after: SettingValue
  ) -> String? {
    switch name {
    case SettingCatalog.learningRateMultiplier:
      guard let scheduled = scheduledRate else { return nil }
      return "rate \(Self.rate(scheduled * before.number)) → \(Self.rate(scheduled * after.number))"
    case SettingCatalog.batch:
      guard let context = history.description?.model?.context else { return nil }
      let tokens = [before, after].map { NumberText.grouped($0.number * Double(context)) }
      return "tokens a step \(tokens.joined(separator: " → "))"
    case SettingCatalog.warmupAgain where after.isOn:
      return "at the full rate again by step \(step(after: after))"
    case SettingCatalog.decayNow where after.isOn:
      return "at the lowest rate by step \(step(after: after))"
    case SettingCatalog.gradClip where after.isOn:
      guard let norm = history[MetricCatalog.gradNorm]?.value(atOrBefore: playhead) else {
        return nil
      }
      return "the gradient norm is \(NumberText.compact(norm)) now"
    default:
      return nil
    }
  }

  private func step(after count: SettingValue) -> String {
    NumberText.grouped(playhead + Int(min(count.number, 1e12)))
  }

  /// The learning rate without the person's factor: by what was measured last, else by the schedule.
  var scheduledRate: Double? {
    let rate = history[MetricCatalog.learningRate]?.value(atOrBefore: playhead)
    let factor = history[MetricCatalog.learningRateMultiplier]?.value(atOrBefore: playhead)
    if let rate, let factor, factor > 0, rate.isFinite { return rate / factor }
    return Schedule(history, at: playhead)?.rate(at: playhead)
  }

  static func rate(_ rate: Double) -> String { NumberText.compact(rate, digits: 2) }
}
