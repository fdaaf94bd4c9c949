import Screen
import Signals
import Telemetry

/// What the weights would lose in fewer bits, and what else a look into the model finds.
enum InspectionPane {
  static let pane = Pane(
    id: .inspection, title: "inspection", minimumRows: 4, weight: 2,
    explanation: """
      The rise of the held-out loss with all matrices rounded: int8 and e4m3 with a scale a tensor, \
      int4 and nf4 with one for 64 weights. Below, the tensors that int8 bears worst (6 dB are a \
      bit), the matrix that uses the fewest directions, the features that stand out, and how far \
      the last ones have collapsed onto the next byte: nc1 near 0 is all the way. Healthy is a \
      rise that stays small. When int8's grows and e4m3's does not, weights grow outliers: raise \
      weight_decay, or plan for a scale a row. train --inspect-every 100 looks.
      """,
    metrics: formats.map { MetricCatalog.roundingRise($0.name) },
    headline: headline, draw: draw, chart: chart)

  private static let formats: [(name: String, role: Role)] = [
    ("int4", .activationsFaint), ("nf4", .activations), ("e4m3", .outputsFaint),
    ("int8", .outputs),
  ]

  private static func headline(_ context: PaneContext) -> [Span] {
    let parts = ["int8", "nf4"].compactMap { format in
      context.value(MetricCatalog.roundingRise(format)).map { "\(format) \(rise($0))" }
    }
    return Span.headline(parts, .outputs) + (parts.isEmpty ? [] : [Span(" nats", .faint)])
  }

  private static func rise(_ value: Double) -> String {
    value < 0 ? NumberText.compact(value, digits: 2) : "+\(NumberText.compact(value, digits: 2))"
  }

  private static func draw(_ grid: inout CellGrid, _ rect: Rect, _ context: PaneContext) {
    guard formats.contains(where: { context.has(MetricCatalog.roundingRise($0.name)) }) else {
      return context.drawWaiting(into: &grid, rect, "not looked into yet")
    }
    let table = table(context, rows: rect.rows / 2)
    let tableRows = rect.rows >= 7 ? min(table.height(columns: rect.columns), rect.rows - 4) : 0
    chart(context).draw(into: &grid, rect.top(rect.rows - tableRows), context)
    table.draw(into: &grid, rect.bottom(tableRows), context)
  }

  private static func chart(_ context: PaneContext) -> LineChart {
    var chart = LineChart()
    for (format, role) in formats {
      guard let series = context.history[MetricCatalog.roundingRise(format)] else { continue }
      chart.lines.append(
        ChartLine(series: series, shape: .points, role: role, name: format, ending: format))
    }
    chart.kind = context.isLogY ? .logarithmic : .linear
    chart.clipsOutliers = true
    chart.format = { NumberText.compact($0, digits: 2) }
    chart.namesLines = true
    chart.marks = context.marks(on: .inspection)
    return chart
  }

  private static func table(_ context: PaneContext, rows: Int) -> GaugeTable {
    let facts = [fewestDirections(context), features(context), collapse(context)].compactMap(\.self)
    let worst = decibels(context).prefix(max(1, min(4, rows - facts.count)))
    return GaugeTable(rows: worst + facts, role: .outputs)
  }

  /// The lowest first.
  private static func decibels(_ context: PaneContext) -> [GaugeTable.Row] {
    values(ofFamily: "rounding_db", context).map { tensor, value in
      GaugeTable.Row(
        name: "int8 \(tensor)", share: value / 48,
        text: "\(NumberText.compact(value, digits: 3)) dB",
        role: value < 20 ? .warning : nil)
    }
  }

  private static func fewestDirections(_ context: PaneContext) -> GaugeTable.Row? {
    values(ofFamily: "stable_rank", context).first.map { tensor, value in
      GaugeTable.Row(
        name: "stable rank \(tensor)", text: NumberText.compact(value, digits: 3))
    }
  }

  private static func features(_ context: PaneContext) -> GaugeTable.Row? {
    let peaks = context.indexed { MetricCatalog.featureMax(layer: $0) }
      .compactMap { layer in context.reading(layer.name).map { (layer.index, $0) } }
    guard let peak = peaks.max(by: { $0.1 < $1.1 }) else { return nil }
    let outliers = context.reading(MetricCatalog.outlierFeatures(layer: peak.0)) ?? 0
    return GaugeTable.Row(
      name: "features L\(peak.0)",
      text: "max \(NumberText.compact(peak.1, digits: 2)), \(Int(outliers)) outliers")
  }

  private static func collapse(_ context: PaneContext) -> GaugeTable.Row? {
    guard let nc1 = context.reading(MetricCatalog.neuralCollapse("nc1")) else { return nil }
    let nearest = context.reading(MetricCatalog.neuralCollapse("nc4"))
      .map { ", nc4 \(LayerLoad.percent($0))%" }
    return GaugeTable.Row(
      name: "collapse", text: "nc1 \(NumberText.compact(nc1, digits: 2))\(nearest ?? "")")
  }

  /// Of a family of tensors at the cursor, the smallest first; NaN before all.
  private static func values(
    ofFamily stem: String, _ context: PaneContext
  ) -> [(tensor: String, value: Double)] {
    context.history.names(ofFamily: stem)
      .compactMap { name in
        context.reading(name).map { (MetricCatalog.variableWords(of: name), $0) }
      }
      .sorted { $1.1.isNaN ? false : $0.1.isNaN || $0.1 < $1.1 }
  }
}

extension PaneID {
  package static let inspection = PaneID("inspection")
}
