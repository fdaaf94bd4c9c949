import Screen
import Signals
import Telemetry

/// The gradient's norm over time, and below it each tensor's gradient against Adam's ε.
enum GradientsPane {
  static let pane = Pane(
    id: .gradients, title: "gradients", minimumRows: 3, weight: 2,
    explanation: """
      The global gradient norm before clipping with the level at which it is clipped, the noise \
      scale with the batch as a guide, and each tensor's gradient RMS over time: amber below 10 \
      times Adam's ε, red below ε, where updates fade. Healthy is a level or falling norm that is \
      clipped seldom, and no amber or red; the headline names what is red, and a dead expert's \
      tensors are. When spikes grow halve the rate with {; when a tensor \
      turns amber lower adam_eps with m.
      """,
    metrics: [MetricCatalog.gradNorm],
    headline: headline, draw: draw, chart: chart)

  private static func headline(_ context: PaneContext) -> [Span] {
    guard let norm = context.value(MetricCatalog.gradNorm) else { return [] }
    var parts = ["grad norm \(RoundNumber.large(norm))"]
    let role: Role = norm.isFinite ? .gradients : .trouble
    if let clipped = context.value(MetricCatalog.clipFraction) {
      parts.append("clipped \(LayerLoad.percent(clipped))%")
    }
    if let noise = context.value(MetricCatalog.noiseScale) {
      parts.append("noise \(NumberText.compact(noise, digits: 2)) sequences")
    }
    let faded = belowEpsilon(context)
    guard let first = faded.first else { return Span.headline(parts, role) }
    let others = faded.count > 1 ? " +\(faded.count - 1)" : ""
    let named = Span.headline(["\(first)\(others) below ε"], .trouble)
    let separator = [Span(" · ", .faint)]
    return Span.headline([parts[0]], role) + separator + named
      + (parts.count > 1 ? separator + Span.headline(Array(parts.dropFirst()), role) : [])
  }

  /// The tensors with a gradient below Adam's ε, an expert's as one: `L2 qkv`, `L2 E7`.
  static func belowEpsilon(_ context: PaneContext) -> [String] {
    let epsilon = epsilon(context) ?? 0
    let step = context.readingStep
    let faded = context.history.names(ofFamily: "grad_rms").filter { name in
      let value = context.history[name]?.value(atOrBefore: step)
      return value.map { !$0.isFinite || $0 > 0 && $0 < epsilon } ?? false
    }
    guard !faded.isEmpty else { return [] }
    return TensorRows(faded, foldsExperts: true).rows.map(\.name)
  }

  private static func draw(_ grid: inout CellGrid, _ rect: Rect, _ context: PaneContext) {
    guard context.has(MetricCatalog.gradNorm) else {
      return context.drawWaiting(into: &grid, rect, "no gradient norm yet")
    }
    let tensors = tensors(context)
    if rect.columns >= 48, rect.rows >= 12, !tensors.isEmpty {
      return drawFields(tensors, into: &grid, rect, context)
    }
    let room = max(0, rect.rows - max(4, rect.rows / 2))
    let table = table(tensors, room: room, columns: rect.columns, context)
    let tableRows = rect.rows >= 6 ? min(table.height(columns: rect.columns), room) : 0
    draw(chart(context), into: &grid, rect.top(rect.rows - tableRows), context)
    table.draw(into: &grid, rect.bottom(tableRows), context)
  }

  /// The norm above, the field below: one step lies in one column of both.
  private static func drawFields(
    _ tensors: [MetricName], into grid: inout CellGrid, _ rect: Rect, _ context: PaneContext
  ) {
    let isShared =
      context.has(MetricCatalog.noiseScale) && rect.rows >= (context.isZoomed ? 22 : 28)
    let least = isShared ? TitledChart.sharedRows(isZoomed: context.isZoomed) : 7
    let field = TensorField(tensors, in: rect, chartRows: least, context)
    var chart = chart(context)
    chart.gutter = field.gutter
    let parts = rect.splitRows(rect.rows - field.height - 1, field.height, 1)
    draw(chart, into: &grid, parts[0].droppingRight(field.margin), context)
    field.draw(into: &grid, parts[1], legend: parts[2], context)
  }

  /// The norm, and where there is room the noise scale below it.
  private static func draw(
    _ chart: LineChart, into grid: inout CellGrid, _ rect: Rect, _ context: PaneContext
  ) {
    TitledChart.draw(chart, over: NoiseScaleChart.chart(context), into: &grid, rect, context)
  }

  private static func tensors(_ context: PaneContext) -> [MetricName] {
    context.history.names(ofFamily: "grad_rms").filter(context.has)
  }

  private static func chart(_ context: PaneContext) -> LineChart {
    var chart = LineChart()
    let series = context.history[MetricCatalog.gradNorm] ?? Series()
    chart.lines =
      context.older(MetricCatalog.gradNorm)
      + [ChartLine(series: series, shape: .range, role: .gradients, name: "grad norm")]
    chart.overlaid = [MetricCatalog.gradNorm]
    chart.kind = context.isLogY ? .logarithmic : .linear
    chart.clipsOutliers = true
    chart.format = { NumberText.compact($0, digits: 2) }
    let limit = context.setting(SettingCatalog.gradClip)?.number ?? 0
    if limit > 0 { chart.guides = [clip(at: limit)] }
    chart.marks = context.marks(on: .gradients)
    return chart
  }

  private static func clip(at limit: Double) -> LineChart.Guide {
    let level = SettingValue.number(limit)
    return LineChart.Guide(
      value: limit, role: .track, labels: ["clipped above \(level)", "clip \(level)", "clip"])
  }

  /// Each tensor's gradient where the run measures it, else each layer's activations.
  private static func table(
    _ tensors: [MetricName], room: Int, columns: Int, _ context: PaneContext
  ) -> GaugeTable {
    guard !tensors.isEmpty else {
      let layers = context.indexed { MetricCatalog.activationRMS(layer: $0) }
      return context.gauges(
        layers.map { ("activation rms L\($0.index)", $0.name) }, role: .gradients)
    }
    let most = room * max(1, (columns + 3) / 30)
    var table = GaugeTable(rows: [], role: .gradients)
    let rows = TensorRows(tensors, atMost: most).rows.map { ($0.name, least($0.metrics, context)) }
    let largest = rows.map(\.1).filter(\.isFinite).max() ?? 0
    table.rows = rows.map { name, value in
      GaugeTable.Row(
        name: name, share: largest > 0 ? value / largest : 0,
        text: RoundNumber.twoDigits(value), role: role(of: value, context))
    }
    return table
  }

  /// Of several the one nearest to ε, without those that have no gradient at all.
  static func least(_ metrics: [MetricName], _ context: PaneContext) -> Double {
    let values = metrics.compactMap { context.reading($0) }
    return HeatMap.Chosen.smallestAboveZero(values) ?? .nan
  }

  /// The alarm's colour of a gradient's RMS near ε; nil for what is no news.
  static func role(of value: Double, _ context: PaneContext) -> Role? {
    guard value.isFinite else { return .trouble }
    guard let epsilon = epsilon(context), value > 0,
      value < context.thresholds.level(.gradientNearEpsilon) * epsilon
    else { return nil }
    return value < epsilon ? .trouble : .warning
  }

  static func epsilon(_ context: PaneContext) -> Double? {
    context.setting(SettingCatalog.adamEpsilon).map(\.number).flatMap { $0 > 0 ? $0 : nil }
  }
}

extension PaneID {
  package static let gradients = PaneID("gradients")
}
