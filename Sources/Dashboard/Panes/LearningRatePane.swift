import Screen
import Signals
import Telemetry

/// The rate in force, the schedule to come, and the probe's curve.
enum LearningRatePane {
  static let pane = Pane(
    id: .learningRate, title: "learning rate", minimumRows: 3, weight: 2,
    explanation: """
      The learning rate so far, bright, and as the schedule has it to come, faint; beside it the \
      probe batch's loss after the present update scaled by m, and below, where there is room, the \
      best m and the cliff over time, and the sharpness against what the rate can bear. Both are of \
      the last 8 probes, and grey is what their windows do not tell from noise. Healthy is a best m \
      (green) at 1 and a cliff (red) far above it. When the cliff comes near, halve the rate with {; \
      when the best m is at 4 or more, double it with }.
      """,
    metrics: [MetricCatalog.learningRate],
    headline: headline, draw: draw, chart: chart,
    brief: Pane.Brief(title: "rate", headline: briefHeadline))

  /// The rate is on its axis, so best scale and cliff come first.
  private static func briefHeadline(_ context: PaneContext) -> [Span] {
    ProbeTrend(context.history, at: context.readingStep)
      .map { ProbeWords(symbols: context.symbols).spans($0) } ?? []
  }

  private static func headline(_ context: PaneContext) -> [Span] {
    guard let rate = context.value(MetricCatalog.learningRate) else { return [] }
    var parts = [RoundNumber.rate(rate)]
    if let multiplier = context.value(MetricCatalog.learningRateMultiplier) {
      parts.append("×\(SettingValue.number(multiplier))")
    }
    return Span.headline(parts, .learningRate) + probed(context) + sharpness(context)
  }

  /// The best scale and the cliff, then the number that sums up the latest probe.
  private static func probed(_ context: PaneContext) -> [Span] {
    guard let trend = ProbeTrend(context.history, at: context.readingStep) else { return [] }
    let words = [Span(" · ", .faint)] + ProbeWords(symbols: context.symbols).spans(trend)
    guard let sensitivity = context.value(MetricCatalog.learningRateSensitivity) else {
      return words
    }
    let number = NumberText.compact(sensitivity, digits: 2)
    return words + [Span(" · ", .faint), Span("sensitivity \(number) nats", .learningRate)]
  }

  /// The curvature beside what this rate can bear, amber above it.
  private static func sharpness(_ context: PaneContext) -> [Span] {
    guard let sharpness = context.value(MetricCatalog.sharpness),
      let limit = context.value(MetricCatalog.sharpnessLimit)
    else { return [] }
    let words =
      "sharpness \(RoundNumber.groupedOrPower(sharpness)) "
      + "of \(RoundNumber.groupedOrPower(limit)) (\(SharpnessChart.limitWords(context)))"
    return [Span(" · ", .faint), Span(words, sharpness > limit ? .warning : .learningRate)]
  }

  private static func draw(_ grid: inout CellGrid, _ rect: Rect, _ context: PaneContext) {
    guard context.has(MetricCatalog.learningRate) else {
      return context.drawWaiting(into: &grid, rect, "no learning rate yet")
    }
    var chart = chart(context)
    // Where ticks are many they lie between powers of ten and are longer.
    if rect.rows >= 20 { chart.gutter = 7 }
    guard rect.rows >= 20, rect.columns >= 32, let ladder = ProbeLadder(context) else {
      return draw(chart, besideBarsIn: rect, into: &grid, context)
    }
    let rowsPerRung = rect.rows >= 34 ? 2 : 1
    let height = ProbeLadder.height(rowsPerRung: rowsPerRung)
    draw(chart, besideBarsIn: rect.droppingBottom(height), into: &grid, context)
    ladder.draw(
      into: &grid, rect.bottom(height), gutter: chart.gutter,
      steps: chart.steps ?? context.window.steps, rowsPerRung: rowsPerRung)
  }

  /// The rate's chart, and where there is room the probe's latest curve beside it.
  private static func draw(
    _ chart: LineChart, besideBarsIn rect: Rect, into grid: inout CellGrid,
    _ context: PaneContext
  ) {
    let trend = ProbeTrend(context.history, at: context.readingStep)
    guard let trend, rect.columns >= 36, rect.rows >= 3,
      let width = ProbeBars.width(bars: trend.multipliers.count, in: rect.columns * 11 / 20)
    else { return draw(chart, into: &grid, rect, context) }
    ProbeBars(trend: trend).draw(into: &grid, rect.right(width), context)
    draw(chart, into: &grid, rect.droppingRight(width + 2), context)
  }

  /// The rate, and where there is room the sharpness below it.
  private static func draw(
    _ chart: LineChart, into grid: inout CellGrid, _ rect: Rect, _ context: PaneContext
  ) {
    TitledChart.draw(chart, over: SharpnessChart.chart(context), into: &grid, rect, context)
  }

  private static func chart(_ context: PaneContext) -> LineChart {
    var chart = LineChart()
    let rate = context.history[MetricCatalog.learningRate] ?? Series()
    if context.window.isAll, let total = context.description?.totalSteps,
      total > context.playhead + 1
    {
      chart.steps = context.window.steps.lowerBound..<total + 1
      chart.lines.append(
        ChartLine(
          series: scheduleToCome(context, total: total), shape: .range, role: .learningRateFaint,
          isForecast: true))
    }
    chart.lines += context.older(MetricCatalog.learningRate)
    chart.lines.append(
      ChartLine(series: rate, shape: .range, role: .learningRate, name: "lr"))
    chart.kind = context.isLogY ? .logarithmic : .linear
    chart.overlaid = [MetricCatalog.learningRate]
    chart.holds = context.isLogY ? [] : [0]
    chart.format = { NumberText.compact($0) }
    chart.marks = context.marks(on: .learningRate)
    chart.namesMarks = false
    return chart
  }

  private static func scheduleToCome(_ context: PaneContext, total: Int) -> Series {
    guard let schedule = Schedule(context.history, at: context.playhead) else { return Series() }
    let multiplier = context.value(MetricCatalog.learningRateMultiplier) ?? 1
    let first = context.playhead
    let stride = max(1, (total - first) / 400)
    let steps = Array(Swift.stride(from: first, to: total, by: stride))
    return Series(steps: steps, values: steps.map { schedule.rate(at: $0) * multiplier })
  }
}

extension PaneID {
  package static let learningRate = PaneID("learningRate")
}
