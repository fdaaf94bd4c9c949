import Screen
import Signals
import Telemetry

/// The residual stream after each block, and how spread attention is.
enum ActivationsPane {
  static let pane = Pane(
    id: .activations, title: "activations", minimumRows: 3, weight: 2,
    explanation: """
      The root mean square of the residual stream after each block, the last one's line bright, and \
      the entropy of attention as a share of its bound: at 100% a token looks at all before it \
      alike, at 0% at one. Healthy is slow growth and an entropy far from 0. When it falls towards \
      0, attention collapses: switch qk_layernorm on with m.
      """,
    metrics: [MetricCatalog.activationRMS(layer: 0)],
    headline: headline, draw: draw, chart: chart)

  private static func headline(_ context: PaneContext) -> [Span] {
    let layers = context.indexed { MetricCatalog.activationRMS(layer: $0) }
    let values = layers.compactMap { layer in context.value(layer.name).map { (layer.index, $0) } }
    guard let largest = values.max(by: { $0.1 < $1.1 }) else { return [] }
    var parts = ["rms \(RoundNumber.large(largest.1, digits: 3)) in L\(largest.0)"]
    let shares = context.indexed { MetricCatalog.attentionEntropyShare(layer: $0) }
      .compactMap { layer in context.value(layer.name).map { (layer.index, $0) } }
    if let lowest = shares.min(by: { $0.1 < $1.1 }) {
      parts.append("attention entropy \(LayerLoad.percent(lowest.1))% of its bound in L\(lowest.0)")
    }
    return Span.headline(parts, .activations)
  }

  private static func draw(_ grid: inout CellGrid, _ rect: Rect, _ context: PaneContext) {
    let layers = context.indexed { MetricCatalog.activationRMS(layer: $0) }
    guard !layers.isEmpty else {
      return context.drawWaiting(into: &grid, rect, "no activations yet")
    }
    let table = table(context)
    let wanted = table.height(columns: rect.columns)
    let tableRows = rect.rows >= 6 ? min(wanted, rect.rows - max(4, rect.rows / 2)) : 0
    chart(context).draw(into: &grid, rect.top(rect.rows - tableRows), context)
    table.draw(into: &grid, rect.bottom(tableRows), context)
  }

  private static func chart(_ context: PaneContext) -> LineChart {
    let layers = context.indexed { MetricCatalog.activationRMS(layer: $0) }
    var chart = LineChart()
    let older = layers.last.map { context.older($0.name) } ?? []
    chart.lines = older + context.layerLines(layers)
    chart.kind = context.isLogY ? .logarithmic : .linear
    chart.overlaid = layers.last.map { [$0.name] } ?? []
    chart.clipsOutliers = true
    chart.namesLines = context.isZoomed
    chart.format = { NumberText.compact($0) }
    chart.marks = context.marks(on: .activations)
    return chart
  }

  private static func table(_ context: PaneContext) -> GaugeTable {
    let layers = context.indexed { MetricCatalog.activationRMS(layer: $0) }
    var table = context.gauges(
      layers.map { ("rms L\($0.index)", $0.name) }, role: .activations)
    for (layer, name, _) in context.indexed({ MetricCatalog.attentionEntropyShare(layer: $0) }) {
      let share = context.value(name) ?? .nan
      table.rows.append(
        GaugeTable.Row(
          name: "entropy L\(layer)", share: share,
          text: share.isFinite ? "\(LayerLoad.percent(share))%" : "NaN",
          role: share < 0.05 ? .warning : nil))
    }
    return table
  }
}

extension PaneID {
  package static let activations = PaneID("activations")
}
