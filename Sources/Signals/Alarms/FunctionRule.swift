import Telemetry

/// A trained function of a feed-forward layer that has left what it began as far behind.
///
/// Its polynomials are held by nothing but the loss on the inputs they meet; far from its start a
/// function is as large where no input was as where many were, and the next odd one is a spike.
struct FunctionRule: Sendable {
  /// Of the drift at which the rule raises.
  private static let calmShare = 0.8

  func findings(_ context: AlarmContext) -> [AlarmFinding] {
    context.layout.functions.map { layer in finding(layer, context) }
  }

  /// A layer at a time: the group of its functions that is furthest away.
  private func finding(
    _ layer: SampleLayout.FunctionLayer, _ context: AlarmContext
  ) -> AlarmFinding {
    let drifts = layer.indices.map { context.samples.values[$0] }
    let worst = drifts.indices.max { drifts[$0] < drifts[$1] } ?? 0
    let (drift, place) = (drifts[worst], layer.places[worst])
    let level = context.level(.functionRunsOff)
    let reading: AlarmLatch.Reading =
      drift > level ? .trouble : drift < Self.calmShare * level ? .quiet : .between
    return AlarmFinding(
      rule: .functionRunsOff, subject: "\(layer.layer)", reading: reading,
      alarm: {
        AlarmText(
          sentence: "L\(layer.layer) function \(place.function) of group \(place.group) runs off: "
            + "\(NumberText.compact(drift)) times its start's size from where it began",
          hint: .halveRate,
          values: [
            "layer": Double(layer.layer), "function": Double(place.function),
            "group": Double(place.group), "drift": drift,
          ])
      },
      calm: {
        "functions of L\(layer.layer) are near their start again: \(NumberText.compact(drift))"
      })
  }
}
