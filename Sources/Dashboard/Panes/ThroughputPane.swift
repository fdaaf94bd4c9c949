import Screen
import Signals
import Telemetry

/// Speed, what a step's time goes into, memory.
enum ThroughputPane {
  static let pane = Pane(
    id: .throughput, title: "throughput", minimumRows: 2, weight: 1,
    explanation: """
      Tokens a second over time, the share of this machine's measured arithmetic peak, and what \
      the time of a step goes into. Healthy is a level line. When it falls, another program has \
      taken the cores or the memory.
      """,
    metrics: [MetricCatalog.tokensPerSecond, MetricCatalog.stepMilliseconds],
    headline: headline, draw: draw, chart: chart)

  private static func headline(_ context: PaneContext) -> [Span] {
    guard let speed = context.value(MetricCatalog.tokensPerSecond) else { return [] }
    return [Span("\(NumberText.grouped(speed)) tokens/s", .throughput)]
  }

  /// A peak that steps surpass was measured while the machine was busy: how far is no news.
  static func percentOfPeak(_ share: Double) -> String {
    share > 1.005 ? "over 100%" : "\(LayerLoad.percent(share))%"
  }

  private static func draw(_ grid: inout CellGrid, _ rect: Rect, _ context: PaneContext) {
    guard context.has(MetricCatalog.tokensPerSecond) || context.has(MetricCatalog.stepMilliseconds)
    else { return context.drawWaiting(into: &grid, rect, "no speed measured yet") }
    let table = GaugeTable(rows: rows(context), role: .throughput)
    let wanted = table.height(columns: rect.columns)
    let tableRows = rect.rows < 4 ? rect.rows : min(max(wanted, 1), rect.rows - 3)
    let chartRows = rect.rows - tableRows
    chart(context).draw(into: &grid, rect.top(chartRows), context)
    table.draw(into: &grid, rect.bottom(tableRows), context)
  }

  private static func chart(_ context: PaneContext) -> LineChart {
    var chart = LineChart()
    let name =
      context.has(MetricCatalog.tokensPerSecond)
      ? MetricCatalog.tokensPerSecond : MetricCatalog.stepMilliseconds
    chart.lines = context.lines(name, role: .throughput, faint: .throughputFaint, label: "")
    chart.kind = context.isLogY ? .logarithmic : .linear
    chart.holds = context.isLogY ? [] : [0]
    chart.overlaid = [name]
    chart.clipsOutliers = true
    chart.gutter = 8
    chart.format = { NumberText.grouped($0) }
    chart.unit = name == MetricCatalog.tokensPerSecond ? "tokens/s" : "ms"
    chart.marks = context.marks(on: .throughput)
    chart.namesMarks = false
    return chart
  }

  private static func rows(_ context: PaneContext) -> [GaugeTable.Row] {
    var rows: [GaugeTable.Row] = []
    if let time = context.value(MetricCatalog.stepMilliseconds) {
      rows.append(GaugeTable.Row(name: "step", text: "\(NumberText.compact(time)) ms"))
    }
    if let share = context.value(MetricCatalog.flopsFraction), share <= 1 {
      rows.append(
        GaugeTable.Row(
          name: "of peak arithmetic", share: share, text: percentOfPeak(share)))
    }
    if let memory = context.value(MetricCatalog.memoryBytes) {
      rows.append(GaugeTable.Row(name: "memory", text: NumberText.bytes(memory)))
    }
    for name in context.history.names(ofFamily: "step_share") where context.has(name) {
      let share = context.value(name) ?? .nan
      rows.append(
        GaugeTable.Row(
          name: MetricCatalog.variableWords(of: name), share: share,
          text: "\(NumberText.compact(share * 100, digits: 2))%"))
    }
    if let count = TokenCount(context.history) {
      let tokens = count.tokens(before: context.playhead + 1)
      rows.append(GaugeTable.Row(name: "tokens seen", text: NumberText.compact(tokens)))
    }
    return rows
  }
}

extension PaneID {
  package static let throughput = PaneID("throughput")
}
