import Foundation
import Screen
import Signals
import Telemetry

/// The share of the assignments that each expert gets, now and over time.
enum ExpertsPane {
  static let pane = Pane(
    id: .experts, title: "expert load", minimumRows: 3, weight: 2,
    explanation: """
      The share of each layer's assignments that each expert gets, in per cent over the last 100 \
      steps, and how uneven the loads are over time (cv: deviation over mean; MaxVio: largest over \
      mean, less 1). An expert is dead that got less than an eighth of an even share over 100 \
      steps, overloaded with 2.5 even shares; the alarms say the same. Healthy is a cv below 0.2 \
      and no expert named. When an expert dies or takes all, raise moe.aux_loss with m.
      """,
    headline: headline, draw: draw, chart: { chart(LayerLoad.all($0), $0) })

  private static func headline(_ context: PaneContext) -> [Span] {
    let loads = LayerLoad.all(context)
    guard let worst = loads.max(by: { $0.balance.cv < $1.balance.cv }) else { return [] }
    let cv = "cv \(NumberText.compact(worst.balance.cv, digits: 2))"
    if let text = trouble(loads) { return Span.headline([text, cv], .warning) }
    let shares = worst.balance.shares
    let (least, most) = (shares.min() ?? 0, shares.max() ?? 0)
    let range = "L\(worst.layer) \(LayerLoad.percent(least))–\(LayerLoad.percent(most))%"
    let word = evenness(worst.balance.cv)
    return Span.headline([cv, word, range], worst.balance.cv < 0.5 ? .experts : .warning)
  }

  /// At a cv of 0.2 the busiest expert has about twice the load of the idlest.
  private static func evenness(_ cv: Double) -> String {
    cv < 0.2 ? "balanced" : cv < 0.5 ? "uneven" : "very uneven"
  }

  private static func trouble(_ loads: [LayerLoad]) -> String? {
    let dead = loads.flatMap { layer in layer.dead.map { "L\(layer.layer) E\($0)" } }
    if dead.count > 1 { return "\(dead.count) experts dead" }
    if let name = dead.first { return "\(name) dead" }
    for layer in loads {
      guard let expert = layer.overloaded.first else { continue }
      return "L\(layer.layer) E\(expert) takes \(LayerLoad.percent(layer.balance.shares[expert]))%"
    }
    return nil
  }

  private static func draw(_ grid: inout CellGrid, _ rect: Rect, _ context: PaneContext) {
    let loads = LayerLoad.all(context)
    guard !loads.isEmpty else {
      return context.drawWaiting(into: &grid, rect, "no expert load yet")
    }
    let table = ExpertTable(loads: loads)
    let tall = max(1, min(3, (rect.rows - 10) / loads.count))
    let height = min(rect.rows, loads.count * tall + 1)
    let hasNames = rect.rows >= height + 5
    let rest = rect.rows - height - (hasNames ? 1 : 0)
    let area = rect.top(rest >= 3 ? height : rect.rows)
    grid.clipped(to: area) { table.draw(into: &$0, area, rowsPerLayer: tall, context) }
    guard rest >= 3 else { return }
    if hasNames {
      let faded = ExpertNames.faded(loads, context)
      let line = ExpertNames(loads: loads, faded: faded).line(columns: rect.columns)
      line.draw(on: &grid, at: area.origin.offset(rows: height), theme: context.theme)
    }
    chart(loads, context).draw(into: &grid, rect.bottom(rest), context)
  }

  /// Each layer's cv, the most uneven one's bright.
  private static func chart(_ loads: [LayerLoad], _ context: PaneContext) -> LineChart {
    var chart = LineChart()
    let worst = loads.max { $0.balance.cv < $1.balance.cv }?.layer
    let layers = context.indexed { MetricCatalog.expertLoadCV(layer: $0) }
    chart.lines = worst.map { context.older(MetricCatalog.expertLoadCV(layer: $0)) } ?? []
    for (layer, _, series) in layers where layer != worst {
      chart.lines.append(
        ChartLine(
          series: series, shape: .range, role: .expertsFaint,
          name: layers.count <= 4 ? "L\(layer)" : nil, isDetail: true, ending: "L\(layer)"))
    }
    for (layer, _, series) in layers where layer == worst {
      chart.lines.append(
        ChartLine(
          series: series, shape: .range, role: .experts, name: "L\(layer)", ending: "L\(layer)"))
    }
    chart.kind = context.isLogY ? .logarithmic : .linear
    chart.holds = context.isLogY ? [] : [0]
    chart.clipsOutliers = true
    chart.format = { NumberText.compact($0, digits: 2) }
    chart.unit = "cv"
    chart.namesLines = context.isZoomed
    chart.overlaid = worst.map { [MetricCatalog.expertLoadCV(layer: $0)] } ?? []
    chart.gutter = 8
    chart.marks = context.marks(on: .experts)
    return chart
  }
}

extension PaneID {
  package static let experts = PaneID("experts")
}
