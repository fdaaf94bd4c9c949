import Telemetry

/// Log Z that leaves the range where it began and goes on.
///
/// A softmax does not feel its logits' common level, so nothing but z-loss or decay holds it. At
/// the start log Z is about ln(vocabulary) + 0.5, which is no trouble: the drift counts from there.
struct LogZRule: Sendable, Equatable, Codable {
  /// A start beyond this is a drift that was already under way: ln of a vocabulary of 160,000.
  private static let largestStart = 12.0
  /// The averages remember about 50 and 200 steps, so that their distance is the growth in about
  /// 150 steps.
  private static let leastGrowth = 0.15

  private var start: Double?
  private var recent = DebiasedAverage(weight: 0.98)
  private var older = DebiasedAverage(weight: 0.995)

  mutating func findings(_ context: AlarmContext) -> [AlarmFinding] {
    guard let value = context.value(context.layout.logZ), value.isFinite else { return [] }
    let start = start ?? min(abs(value), Self.largestStart)
    self.start = start
    let drift = abs(recent.add(value))
    let growth = drift - abs(older.add(value))
    let limit = start + context.level(.logZDrift)
    let reading: AlarmLatch.Reading =
      if drift > limit {
        growth > Self.leastGrowth ? .trouble : .between
      } else {
        drift < limit - context.level(.logZDrift) / 5 ? .quiet : .between
      }
    let hasZLoss = context.isOn(SettingCatalog.zLoss)
    return [
      AlarmFinding(
        rule: .logZDrift, reading: reading,
        alarm: {
          AlarmText(
            sentence: "log Z drifts: \(NumberText.compact(value)), \(NumberText.compact(start)) "
              + "at the start: the output logits run off",
            hint: .change(hasZLoss ? "raise z-loss" : "switch z-loss on (1e-4)"),
            values: ["log_z": value, "start": start, "growth": growth, "limit": limit])
        },
        calm: { "log Z is back at \(NumberText.compact(value))" })
    ]
  }
}
