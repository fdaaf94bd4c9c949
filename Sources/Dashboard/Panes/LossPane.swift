import Screen
import Signals
import Telemetry

/// Training loss, raw and smooth, and the held-out loss.
enum LossPane {
  static let pane = Pane(
    id: .loss, title: "loss", minimumRows: 4, weight: 3,
    explanation: """
      The loss a token in nats: raw values faint, their average bright, held-out ones as a white \
      line with a point at each. Healthy is a line that falls and flattens, with the held-out one close above it. \
      After a spike that stays halve the rate with {; when only the held-out loss rises, stop.
      """,
    metrics: [MetricCatalog.loss],
    headline: headline, draw: draw, chart: chart)

  private static func headline(_ context: PaneContext) -> [Span] {
    guard let loss = context.value(MetricCatalog.loss) else { return [] }
    guard loss.isFinite else { return [Span("train \(NumberText.compact(loss))", .trouble)] }
    var spans = [Span("train \(digits(loss))", .loss)]
    func add(_ words: String, _ role: Role) {
      spans += [Span(" · ", .faint), Span(words, role)]
    }
    if let eval = evalLoss(context) { add("eval \(digits(eval))", .title) }
    if let teacher = context.value(MetricCatalog.teacherLoss) {
      add("teacher \(digits(teacher))", .outputs)
    }
    if let excess = context.value(MetricCatalog.excessLoss), context.isZoomed {
      add("above entropy \(digits(excess))", .loss)
    }
    let unit = unit(context)
    return unit.isEmpty ? spans : spans + [Span(" \(unit)", .loss)]
  }

  /// Another trainer's run may count in anything.
  private static func unit(_ context: PaneContext) -> String {
    let unit = context.unit(of: MetricCatalog.loss)
    return unit == "nats/token" ? "nats" : unit
  }

  /// At a run's end the one it measured last.
  private static func evalLoss(_ context: PaneContext) -> Double? {
    context.playhead >= context.history.lastStep ?? 0
      ? context.history.finalEvalLoss : context.value(MetricCatalog.evalLoss)
  }

  private static func digits(_ value: Double) -> String { NumberText.compact(value, digits: 5) }

  private static func draw(_ grid: inout CellGrid, _ rect: Rect, _ context: PaneContext) {
    guard context.has(MetricCatalog.loss) else {
      return context.drawWaiting(into: &grid, rect, "waiting for the first step")
    }
    chart(context).draw(into: &grid, rect, context)
  }

  private static func chart(_ context: PaneContext) -> LineChart {
    var chart = LineChart()
    chart.lines = context.lines(
      MetricCatalog.loss, role: .loss, faint: .lossFaint, label: "train")
    if let eval = context.history[MetricCatalog.evalLoss] {
      chart.lines.append(
        ChartLine(series: eval, shape: .points, role: .title, name: "eval"))
    }
    chart.lines += context.lines(
      MetricCatalog.teacherLoss, role: .outputs, faint: .outputsFaint, label: "teacher")
    chart.kind = context.isLogY ? .logarithmic : .linear
    chart.overlaid = [MetricCatalog.loss]
    chart.clipsOutliers = true
    chart.role = .loss
    chart.unit = unit(context)
    chart.format = { NumberText.compact($0, digits: 4) }
    chart.marks = context.marks(on: .loss)
    return chart
  }
}

extension PaneID {
  package static let loss = PaneID("loss")
}
