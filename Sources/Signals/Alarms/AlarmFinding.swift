import Telemetry

/// What a rule reads off one step: how it stands, and the words should the alarm change.
struct AlarmFinding {
  let rule: AlarmRule
  /// What the rule is about where it keeps several apart: `3/1` for layer 3, expert 1.
  var subject = ""
  /// Where the rule knows it, the last step at which all was well.
  var onset: Int?
  let reading: AlarmLatch.Reading
  /// Called only when the alarm is raised: texts cost more than numbers.
  let alarm: () -> AlarmText
  /// Called only when the alarm ends.
  let calm: () -> String
}

/// A raised alarm in words and numbers.
struct AlarmText {
  let sentence: String
  var hint: AlarmHint?
  var values: [String: Double] = [:]
}

/// What rules know of a step beside its samples.
struct AlarmContext {
  let samples: StepSamples
  let layout: SampleLayout
  let settings: [String: SettingValue]
  let remainingSteps: Int?
  var thresholds = AlarmThresholds()

  var step: Int { samples.step }

  func value(_ index: Int?) -> Double? { index.map { samples.values[$0] } }

  func level(_ rule: AlarmRule) -> Double { thresholds.level(rule) }

  func isOn(_ setting: String) -> Bool { settings[setting]?.isOn ?? false }
}
