import Screen
import Signals
import Telemetry

/// The states of layers that mix by state spaces, and what their groups keep of them.
enum StateSpacesPane {
  static let pane = Pane(
    id: .stateSpaces, title: "state spaces", minimumRows: 3, weight: 2,
    explanation: """
      The largest size of a state in each layer that mixes by a state space, and below it, for each \
      group of channels, the mean share of its state that it keeps from byte to byte: 100% never \
      forgets, 0% sees one byte. Healthy is a size that levels off, and groups that differ: some \
      remember, some do not. When a size grows without end, the scan runs off: lower the rate with \
      {, or bound its steps with update_cap. Δ is the range of the step that a byte is taken with; \
      a gate near 0 shuts its group off.
      """,
    families: [MetricCatalog.stateSizes],
    headline: headline, draw: draw, chart: chart)

  private typealias Layer = (index: Int, name: MetricName, series: Series)

  private static func layers(_ context: PaneContext) -> [Layer] {
    context.indexed(MetricCatalog.stateSize)
  }

  private static func headline(_ context: PaneContext) -> [Span] {
    let layers = layers(context)
    let sizes = layers.compactMap { layer in context.value(layer.name).map { (layer.index, $0) } }
    guard let largest = sizes.max(by: { $0.1 < $1.1 }) else { return [] }
    func extreme(_ signal: (Int) -> MetricName, _ best: (Double, Double) -> Double) -> Double? {
      let values = layers.compactMap { context.value(signal($0.index)) }
      return values.dropFirst().reduce(values.first) { best($0 ?? $1, $1) }
    }
    var parts = ["state \(NumberText.compact(largest.1, digits: 2)) in L\(largest.0)"]
    if let least = extreme(MetricCatalog.smallestStateStep, min),
      let most = extreme(MetricCatalog.largestStateStep, max)
    {
      let range = [least, most].map { NumberText.compact($0, digits: 2) }
      parts.append("Δ \(range[0]) to \(range[1])")
    }
    return Span.headline(parts, .activations)
  }

  private static func draw(_ grid: inout CellGrid, _ rect: Rect, _ context: PaneContext) {
    let layers = layers(context)
    guard !layers.isEmpty else {
      return context.drawWaiting(into: &grid, rect, "no state spaces")
    }
    let table = table(context)
    let wanted = table.height(columns: rect.columns)
    let tableRows = rect.rows >= 6 ? min(wanted, rect.rows - max(4, rect.rows / 2)) : 0
    chart(context).draw(into: &grid, rect.top(rect.rows - tableRows), context)
    table.draw(into: &grid, rect.bottom(tableRows), context)
  }

  private static func chart(_ context: PaneContext) -> LineChart {
    var chart = LineChart()
    chart.lines = context.layerLines(layers(context))
    chart.kind = context.isLogY ? .logarithmic : .linear
    chart.clipsOutliers = true
    chart.namesLines = context.isZoomed
    chart.format = { NumberText.compact($0) }
    chart.marks = context.marks(on: .stateSpaces)
    return chart
  }

  /// What each group keeps; with a warning where its gate has shut it off.
  private static func table(_ context: PaneContext) -> GaugeTable {
    let groups = context.members(ofFamily: MetricCatalog.keptStates)
      .filter { $0.numbers.count == 2 }.map { ($0.numbers[0], $0.numbers[1]) }
    let rows = groups.sorted(by: <).compactMap { layer, group -> GaugeTable.Row? in
      guard let kept = context.value(MetricCatalog.keptState(layer: layer, group: group)) else {
        return nil
      }
      let gate = context.value(MetricCatalog.stateGate(layer: layer, group: group))
      let isShut = gate.map { $0 < 0.01 } ?? false
      return GaugeTable.Row(
        name: "L\(layer) G\(group) keeps", share: kept,
        text: kept.isFinite ? "\(LayerLoad.percent(kept))%" : "NaN",
        role: kept.isFinite ? (isShut ? .warning : nil) : .trouble)
    }
    return GaugeTable(rows: rows, role: .activations)
  }
}

extension PaneID {
  package static let stateSpaces = PaneID("states")
}
