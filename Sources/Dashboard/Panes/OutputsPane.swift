import Screen
import Signals
import Telemetry

/// The output logits' drift that z-loss guards against.
enum OutputsPane {
  static let pane = Pane(
    id: .outputs, title: "output logits", minimumRows: 3, weight: 2,
    explanation: """
      The mean log of the softmax normaliser, log Z, bright, and the mean output logit, faint. \
      Healthy is a log Z near 0 that stays there. When it drifts away from 0 for long, set z_loss \
      to 1e-4 with m.
      """,
    metrics: [MetricCatalog.logZ, MetricCatalog.outputLogitMean],
    headline: headline, draw: draw, chart: chart)

  private static func headline(_ context: PaneContext) -> [Span] {
    var parts: [String] = []
    if let logZ = context.value(MetricCatalog.logZ) {
      parts.append("log Z \(NumberText.signed(logZ)) nats")
    }
    if let mean = context.value(MetricCatalog.outputLogitMean) {
      parts.append("mean logit \(NumberText.signed(mean))")
    }
    return Span.headline(parts, .outputs)
  }

  private static func draw(_ grid: inout CellGrid, _ rect: Rect, _ context: PaneContext) {
    let chart = chart(context)
    guard chart.lines.contains(where: { ($0.series.firstStep ?? .max) <= context.playhead }) else {
      return context.drawWaiting(into: &grid, rect, "no output logits yet")
    }
    chart.draw(into: &grid, rect, context)
  }

  private static func chart(_ context: PaneContext) -> LineChart {
    var chart = LineChart()
    chart.lines = context.older(MetricCatalog.logZ)
    if let series = context.history[MetricCatalog.outputLogitMean] {
      chart.lines.append(
        ChartLine(
          series: series, shape: .range, role: .outputsFaint, name: "mean logit",
          ending: "mean logit"))
    }
    if let series = context.history[MetricCatalog.logZ] {
      chart.lines.append(
        ChartLine(series: series, shape: .range, role: .outputs, name: "log Z", ending: "log Z"))
    }
    chart.kind = context.isLogY ? .logarithmic : .linear
    chart.overlaid = [MetricCatalog.logZ]
    chart.clipsOutliers = true
    chart.namesLines = context.isZoomed
    chart.format = { NumberText.signed($0) }
    if !context.isLogY { chart.guides = [LineChart.Guide(value: 0, role: .track)] }
    chart.marks = context.marks(on: .outputs)
    return chart
  }
}

extension PaneID {
  package static let outputs = PaneID("outputs")
}
