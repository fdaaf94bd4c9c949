import Foundation
import Screen
import Signals
import Telemetry

/// The share of the assignments that each expert gets, now and over time.
enum ExpertsPane {
  static let pane = Pane(
    id: .experts, title: "expert load", minimumRows: 3, weight: 2,
    explanation: """
      The share of each layer's assignments that each expert gets, in per cent over the last 20 \
      steps, which experts are dead or overloaded, and how uneven the loads are over time (cv: \
      deviation over mean; MaxVio: largest over mean, less 1). Healthy is a cv below 0.5 and no \
      expert named. When an expert dies or takes all, raise moe.aux_loss with m.
      """,
    headline: headline, draw: draw)

  private static let stepsAveraged = 20

  private static func headline(_ context: PaneContext) -> [Span] {
    let loads = loads(context)
    guard let worst = loads.max(by: { $0.balance.cv < $1.balance.cv }) else { return [] }
    let cv = "cv \(NumberText.compact(worst.balance.cv, digits: 2))"
    let trouble = trouble(loads)
    guard let text = trouble else {
      return Span.headline([cv, worst.balance.cv < 0.5 ? "balanced" : "uneven"], .experts)
    }
    return Span.headline([text, cv], .warning)
  }

  private static func trouble(_ loads: [LayerLoad]) -> String? {
    let dead = loads.flatMap { layer in layer.balance.dead.map { (layer, $0) } }
    if dead.count > 1 { return "\(dead.count) experts dead" }
    if let (layer, expert) = dead.first {
      let isGone = layer.balance.shares[expert] * Double(layer.balance.shares.count) < 0.01
      return "L\(layer.layer) E\(expert) \(isGone ? "dead" : "nearly dead")"
    }
    for layer in loads {
      guard let expert = layer.balance.overloaded.first else { continue }
      return "L\(layer.layer) E\(expert) takes \(LayerLoad.percent(layer.balance.shares[expert]))%"
    }
    return nil
  }

  private static func loads(_ context: PaneContext) -> [LayerLoad] {
    let steps = max(0, context.playhead - stepsAveraged + 1)..<context.playhead + 1
    return (0..<(context.description?.model?.layers ?? 128)).compactMap { layer in
      let experts = context.indexed { MetricCatalog.expertLoad(layer: layer, expert: $0) }
      guard !experts.isEmpty else { return nil }
      let means = experts.map { _, name, series in
        let mean = series.summary(of: steps).mean
        return mean.isFinite ? mean : (context.value(name) ?? 0)
      }
      return LayerLoad(layer: layer, balance: ExpertBalance(loads: means))
    }
  }

  private static func draw(_ grid: inout CellGrid, _ rect: Rect, _ context: PaneContext) {
    let loads = loads(context)
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
      let line = ExpertNames(loads: loads).line(columns: rect.columns)
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
          name: layers.count <= 4 ? "L\(layer)" : nil,
          isDetail: true))
    }
    for (layer, _, series) in layers where layer == worst {
      chart.lines.append(
        ChartLine(series: series, shape: .range, role: .experts, name: "L\(layer)"))
    }
    chart.kind = context.isLogY ? .logarithmic : .linear
    chart.holds = context.isLogY ? [] : [0]
    chart.clipsOutliers = true
    chart.format = { NumberText.compact($0, digits: 2) }
    chart.unit = "cv"
    chart.overlaid = worst.map { [MetricCatalog.expertLoadCV(layer: $0)] } ?? []
    chart.gutter = 8
    chart.marks = context.marks(on: .experts)
    return chart
  }
}

/// One layer's shares.
struct LayerLoad: Sendable {
  let layer: Int
  let balance: ExpertBalance

  static func percent(_ share: Double) -> String {
    share.isFinite ? "\(Int((min(max(share, -1e6), 1e6) * 100).rounded()))" : "NaN"
  }
}
