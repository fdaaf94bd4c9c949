import Screen
import Signals
import Telemetry

/// The gradient's norm over time, and where in the model it or the activations are large.
enum GradientsPane {
  static let pane = Pane(
    id: .gradients, title: "gradients", minimumRows: 3, weight: 2,
    explanation: """
      The global gradient norm before clipping, with the level at which it is clipped, and what \
      each tensor or layer contributes. Healthy is a level or falling norm that is clipped seldom. \
      When most steps are clipped or spikes grow, halve the rate with {.
      """,
    headline: headline, draw: draw)

  private static func headline(_ context: PaneContext) -> [Span] {
    guard let norm = context.value(MetricCatalog.gradNorm) else { return [] }
    var parts = ["norm \(RoundNumber.large(norm))"]
    if let clipped = context.value(MetricCatalog.clipFraction) {
      parts.append("clipped \(LayerLoad.percent(clipped))%")
    }
    if let noise = context.value(MetricName("noise_scale")) {
      parts.append("noise \(NumberText.compact(noise, digits: 2))")
    }
    return Span.headline(parts, norm.isFinite ? .gradients : .trouble)
  }

  private static func draw(_ grid: inout CellGrid, _ rect: Rect, _ context: PaneContext) {
    guard context.has(MetricCatalog.gradNorm) else {
      return context.drawWaiting(into: &grid, rect, "no gradient norm yet")
    }
    let table = table(context)
    let wanted = table.height(columns: rect.columns)
    let tableRows = rect.rows >= 6 ? min(wanted, rect.rows - max(4, rect.rows / 2)) : 0
    let chartRows = rect.rows - tableRows
    chart(context).draw(into: &grid, rect.top(chartRows), context)
    table.draw(into: &grid, rect.bottom(tableRows), context)
  }

  private static func chart(_ context: PaneContext) -> LineChart {
    var chart = LineChart()
    let series = context.history[MetricCatalog.gradNorm] ?? Series()
    chart.lines =
      context.older(MetricCatalog.gradNorm)
      + [ChartLine(series: series, shape: .range, role: .gradients, name: "norm")]
    chart.overlaid = [MetricCatalog.gradNorm]
    chart.kind = context.isLogY ? .logarithmic : .linear
    chart.clipsOutliers = true
    chart.format = { NumberText.compact($0, digits: 2) }
    let limit = context.setting(SettingCatalog.gradClip)?.number ?? 0
    if limit > 0 { chart.guides = [LineChart.Guide(value: limit, role: .track)] }
    chart.marks = context.marks(on: .gradients)
    return chart
  }

  /// Each tensor's gradient where the run measures it, else each layer's activations.
  private static func table(_ context: PaneContext) -> GaugeTable {
    let tensors = context.history.names.filter {
      MetricCatalog.family(of: $0)?.stem == "grad_rms" && context.has($0)
    }
    guard tensors.isEmpty else {
      return context.gauges(
        tensors.map { (MetricCatalog.variableWords(of: $0), $0) }, role: .gradients)
    }
    let layers = context.indexed { MetricCatalog.activationRMS(layer: $0) }
    return context.gauges(
      layers.map { ("activation rms L\($0.index)", $0.name) }, role: .gradients)
  }
}
