import Telemetry

/// A gradient that has come down to Adam's ε, which then shrinks the update.
///
/// A tensor without any gradient is frozen or not in use and is left alone.
/// - Source: Wortsman et al. 2023, section 3.4: watch the gradient's RMS against ε.
struct GradientEpsilonRule: Sendable {
  /// Over the ratio at which it raises: there ε weighs a tenth of the gradient's RMS in the
  /// update's denominator.
  private static let calm = 3.0

  func findings(_ context: AlarmContext) -> [AlarmFinding] {
    guard let epsilon = context.settings[SettingCatalog.adamEpsilon]?.number, epsilon > 0 else {
      return []
    }
    let values = context.samples.values
    let present = context.layout.gradientRMS.filter { values[$0] > 0 && values[$0].isFinite }
    guard let least = present.min(by: { values[$0] < values[$1] }) else { return [] }
    let ratio = values[least] / epsilon
    let level = context.level(.gradientNearEpsilon)
    let reading: AlarmLatch.Reading =
      ratio < level ? .trouble : ratio > Self.calm * level ? .quiet : .between
    return [
      AlarmFinding(
        rule: .gradientNearEpsilon, reading: reading,
        alarm: {
          let tensor = MetricCatalog.variableWords(of: context.layout.names[least])
          return AlarmText(
            sentence: "the gradient of \(tensor) has RMS \(NumberText.compact(values[least])), "
              + "Adam's ε is \(NumberText.compact(epsilon)): its updates fade",
            hint: .change("lower adam_eps"),
            values: ["grad_rms": values[least], "adam_eps": epsilon])
        },
        calm: { "every gradient is well above Adam's ε again" })
    ]
  }
}
