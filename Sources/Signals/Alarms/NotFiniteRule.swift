import Telemetry

/// NaN or infinity in any metric whose values should be finite.
struct NotFiniteRule: Sendable {
  func findings(_ context: AlarmContext) -> [AlarmFinding] {
    let bad = context.layout.mustBeFinite.filter { !context.samples.values[$0].isFinite }
    return [
      AlarmFinding(
        rule: .notFinite, reading: bad.isEmpty ? .quiet : .trouble,
        alarm: { Self.text(bad, context) },
        calm: { "all metrics are finite again" })
    ]
  }

  /// The loss is named where it is among them, else the first.
  private static func text(_ bad: [Int], _ context: AlarmContext) -> AlarmText {
    let index = bad.first { $0 == context.layout.loss } ?? bad[0]
    let value = NumberText.compact(context.samples.values[index])
    // Without a finite loss or gradient there is no further step.
    let isLost = bad.contains {
      $0 == context.layout.loss || context.layout.names[$0] == MetricCatalog.gradNorm
    }
    let others = bad.count > 1 ? " and \(bad.count - 1) more" : ""
    return AlarmText(
      sentence: "\(context.layout.names[index])\(others) is \(value) at step "
        + "\(NumberText.grouped(context.step)): the update was too large for the numbers",
      hint: isLost ? .goBack(checkpoint: nil) : .halveRate,
      values: ["metrics": Double(bad.count)])
  }
}
