import Telemetry

/// The held-out loss on its way up again.
///
/// The last three measurements must lie above the lowest by a share of it (2%) and by two standard deviations
/// of the measurements' noise, and must not be falling. The noise is what neighbours do
/// not explain: e[i] − (e[i−1] + e[i+1]) / 2, whose deviation is √1.5 times that of one.
struct HeldOutLossRule: Sendable, Equatable, Codable {
  private static let kept = 32

  private var recent: [Double] = []
  private var lowest: Double?
  private var loss = DebiasedAverage(weight: 0.98)
  private var lossAtLowest: Double?
  /// The margin by which it rose; later noise does not widen it.
  private var risenBy: Double?

  mutating func findings(_ context: AlarmContext) -> [AlarmFinding] {
    if let value = context.value(context.layout.loss) { loss.add(value) }
    guard let value = context.value(context.layout.evalLoss), value.isFinite else { return [] }
    recent.append(value)
    if recent.count > Self.kept { recent.removeFirst() }
    if value < lowest ?? .infinity {
      lowest = value
      lossAtLowest = loss.value.isFinite ? loss.value : nil
    }
    guard let lowest, recent.count >= 4 else { return [] }
    let margin = risenBy ?? max(context.level(.heldOutLossRising) * abs(lowest), 2 * noise)
    let last = recent.suffix(3)
    let isUp = last.allSatisfy { $0 > lowest + margin } && value >= last[last.startIndex]
    if isUp { risenBy = margin }
    if value < lowest + margin / 2 { risenBy = nil }
    let isTraining = lossAtLowest.map { loss.value <= $0 } ?? true
    return [
      AlarmFinding(
        rule: .heldOutLossRising,
        reading: isUp ? .trouble : (value < lowest + margin / 2 ? .quiet : .between),
        alarm: { Self.text(value: value, lowest: lowest, margin: margin, isTraining: isTraining) },
        calm: { "held-out loss back at \(NumberText.compact(value))" })
    ]
  }

  /// The standard deviation of one measurement; robust, 0 below three.
  private var noise: Double {
    let bends = zip(zip(recent, recent.dropFirst()), recent.dropFirst(2)).map { pair, next in
      abs(pair.1 - (pair.0 + next) / 2)
    }
    return bends.isEmpty ? 0 : bends.median * 1.4826 / 1.5.squareRoot()
  }

  private static func text(
    value: Double, lowest: Double, margin: Double, isTraining: Bool
  ) -> AlarmText {
    let cause =
      isTraining ? "the model begins to memorise" : "the training loss rises too: unstable"
    return AlarmText(
      sentence: "held-out loss \(NumberText.compact(value)) has risen from its lowest "
        + "\(NumberText.compact(lowest)): \(cause)",
      hint: isTraining ? .change("raise weight decay, or c: checkpoint") : .halveRate,
      values: ["loss/eval": value, "lowest": lowest, "margin": margin])
  }
}
