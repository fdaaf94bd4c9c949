import Foundation
import Screen
import Signals
import Telemetry

/// The largest attention logits: layer × time as colour, the largest of all below.
enum AttentionLogitsPane {
  static let pane = Pane(
    id: .attentionLogits, title: "attention logits", minimumRows: 4, weight: 3,
    explanation: """
      The largest pre-softmax attention logit of each layer over time, and of all layers, on a whole \
      screen of each, as lines on a logarithmic axis. Healthy is below 100 and level; above 1e3 the loss begins to suffer, and \
      runs that pass 1e4 diverge. Switch qk_layernorm on with m, or lower the rate with {.
      """,
    metrics: [MetricCatalog.attentionLogitMax],
    headline: headline, draw: draw, chart: chart)

  private static let gutter = 10

  private static func headline(_ context: PaneContext) -> [Span] {
    guard let largest = context.value(MetricCatalog.attentionLogitMax) else { return [] }
    let growth = forecast(context)
    let levels = Levels(context)
    let isHigh = largest >= levels.warning || growth != nil
    let isCritical = !(largest < levels.critical)
    let role: Role = isCritical ? .trouble : (isHigh ? .warning : .faint)
    var trend = [direction(context), levels.standing(largest)].compactMap(\.self)
      .joined(separator: ", ")
    if let growth, !isCritical { trend = words(of: growth, context) }
    return Span.headline(["max \(word(largest))", trend], role)
  }

  /// `1e4 in ~9,000 steps`
  static func words(of growth: LogitGrowth, _ context: PaneContext) -> String {
    let steps = NumberText.grouped((growth.stepsUntilLevel / 10).rounded() * 10)
    return "\(Levels.words(Levels(context).critical)) in ~\(steps) steps"
  }

  /// The colour of a logit's number: by the levels of the run's own alarms.
  static func role(of value: Double, _ context: PaneContext) -> Role {
    Levels(context).role(of: value)
  }

  /// The levels at which the run's own alarms come, or would, were they on.
  private struct Levels: Sendable {
    let warning: Double
    let critical: Double

    init(_ context: PaneContext) {
      let thresholds = context.thresholds
      warning = thresholds.level(.attentionLogitsHigh)
      critical = thresholds.level(.attentionLogitsDiverging)
    }

    /// Among which of the levels that matter a value is.
    func standing(_ largest: Double) -> String {
      guard largest.isFinite else { return "no number" }
      let levels = [critical, warning, LogitGrowth.healthyLevel].sorted(by: >)
      let passed = levels.first { largest >= $0 }
      return passed.map { "above \(Self.words($0))" }
        ?? "below \(Self.words(levels[levels.count - 1]))"
    }

    func role(of value: Double) -> Role {
      value >= critical ? .trouble : value >= warning ? .warning : .logits
    }

    /// What happens at the usual levels is known; of a person's own it is their alarm.
    var guides: [LineChart.Guide] {
      [
        guide(at: warning, .track, usual: LogitGrowth.warningLevel, "suffers"),
        guide(at: critical, .trouble, usual: LogitGrowth.criticalLevel, "diverges"),
      ]
    }

    private func guide(
      at level: Double, _ role: Role, usual: Double, _ effect: String
    ) -> LineChart.Guide {
      let word = level == usual ? effect : "alarm"
      return LineChart.Guide(
        value: level, role: role, labels: ["\(Self.words(level)) \(word)", word])
    }

    static func words(_ level: Double) -> String { AlarmThreshold.words(level: level) }
  }

  private static let stepsCompared = 20

  /// Where it goes: the last steps beside those a hundred steps before; nil where there are none.
  private static func direction(_ context: PaneContext) -> String? {
    guard let series = context.history[MetricCatalog.attentionLogitMax] else { return nil }
    func mean(before end: Int) -> Double {
      series.summary(of: max(0, end - stepsCompared)..<max(0, end)).mean
    }
    let change = mean(before: context.playhead + 1) / mean(before: context.playhead - 99)
    guard change.isFinite else { return nil }
    return change > 1.1 ? "rising" : change < 0.9 ? "falling" : "flat"
  }

  private static func word(_ value: Double) -> String {
    abs(value) < 99.95 ? NumberText.compact(value) : RoundNumber.groupedOrPower(value)
  }

  /// Where a metric of attention logits goes, if it goes on as it does and passes the critical level.
  static func forecast(
    _ context: PaneContext, of name: MetricName = MetricCatalog.attentionLogitMax
  ) -> LogitGrowth? {
    guard let series = context.history[name],
      let last = series.index(atOrBefore: context.playhead), series.value(atIndex: last) >= 100
    else { return nil }
    let first = max(0, last - LogitGrowth.window)
    let remaining = context.description?.totalSteps.map { $0 - context.playhead }
    let (steps, values) = series.samples(in: first..<last + 1)
    return LogitGrowth(
      steps: steps[...], values: values[...], level: Levels(context).critical,
      remainingSteps: remaining)
  }

  private static func draw(_ grid: inout CellGrid, _ rect: Rect, _ context: PaneContext) {
    guard context.has(MetricCatalog.attentionLogitMax) else {
      return context.drawWaiting(into: &grid, rect, "no attention logits yet")
    }
    let chart = chart(context)
    var heat = heatMap(context, gutter: rect.columns >= 24 ? gutter : 0)
    heat.margin = chart.margin(columns: rect.columns)
    let heights = heights(rows: rect.rows, layers: heat.rows.count, context)
    let parts = rect.splitRows(heights.field, heights.legend, rect.rows)
    heat.draw(into: &grid, parts[0], context)
    heat.drawLegend(into: &grid, parts[1].droppingLeft(heat.gutter), context)
    chart.draw(into: &grid, parts[2], context)
  }

  /// The colour field takes whole rows a layer where the line below keeps room for its axes; on a
  /// whole screen more of them.
  private static func heights(
    rows: Int, layers: Int, _ context: PaneContext
  ) -> (field: Int, legend: Int) {
    guard layers > 0 else { return (0, 0) }
    guard rows >= 3 else { return (min(rows, (layers + 1) / 2), 0) }
    let halves = min((layers + 1) / 2, max(1, rows / 3))
    guard rows >= 6 else { return (halves, 0) }
    guard rows >= layers + 7 else { return (halves, 1) }
    let (share, most) = context.isZoomed ? ((rows - 1) / 2, 5) : ((rows - 1) * 2 / 5, 3)
    return (layers * max(1, min(most, share / layers)), 1)
  }

  private static func heatMap(_ context: PaneContext, gutter: Int) -> HeatMap {
    let layers = context.indexed { MetricCatalog.attentionLogitMax(layer: $0) }
    let levels = Levels(context)
    let rows = layers.map { layer, name, series in
      let value = context.reading(name) ?? .nan
      return HeatMap.Row(
        name: "L\(layer)", series: [series], text: word(value),
        role: value < levels.warning ? .text : value < levels.critical ? .warning : .trouble)
    }
    return HeatMap(
      rows: rows, scale: colourScale, gradient: context.theme.logitsGradient,
      limit: levels.critical, gutter: gutter)
  }

  /// What the colours of the field, and of the lines below it, mean.
  private static let colourScale = ValueScale(from: 10, to: 1e4, kind: .logarithmic)

  static func chart(_ context: PaneContext) -> LineChart {
    var chart = LineChart()
    chart.lines = context.older(MetricCatalog.attentionLogitMax) + lines(context)
    chart.overlaid = [MetricCatalog.attentionLogitMax]
    chart.role = .logits
    chart.kind = context.isLogY ? .logarithmic : .linear
    chart.gutter = gutter
    chart.format = word
    let levels = Levels(context)
    chart.guides = levels.guides
    if context.isLogY { chart.holds = [1, levels.critical] }
    chart.namesLines = context.isZoomed
    chart.marks = marks(context)
    return chart
  }

  /// The largest of all layers; on a whole screen each layer's, with its name at its end.
  private static func lines(_ context: PaneContext) -> [ChartLine] {
    let layers =
      context.isZoomed ? context.indexed { MetricCatalog.attentionLogitMax(layer: $0) } : []
    let style = style(context)
    guard layers.count > 1 else {
      let series = context.history[MetricCatalog.attentionLogitMax] ?? Series()
      var line = ChartLine(series: series, shape: .range, role: .logits, name: "max")
      line.style = style
      return [line]
    }
    return layers.map { layer, _, series in
      var line = ChartLine(
        series: series, shape: .range, role: .logits,
        name: layers.count <= 6 ? "L\(layer)" : nil)
      line.style = style
      line.ending = "L\(layer)"
      return line
    }
  }

  /// A height's colour is that of the field; where there are no gradients, the level's.
  private static func style(_ context: PaneContext) -> @Sendable (Double) -> Style {
    let theme = context.theme
    let levels = Levels(context)
    return { value in
      let role = levels.role(of: value)
      // Of few colours, the logits' own is the warning's too.
      guard theme.hasGradients else { return theme.style(role == .logits ? .text : role) }
      var style = theme.style(role)
      style.attributes.remove(.bold)
      let color = theme.logitsGradient.color(at: max(0, colourScale.share(of: value)))
      // On white the field's calm end is too pale for dots.
      style.foreground = theme.isDark ? color : color.blended(with: theme.ink, amount: 0.35)
      return style
    }
  }

  /// Forecasts and what a switch did are written at their marks.
  private static func marks(_ context: PaneContext) -> [EventMark] {
    let events = context.events
    return context.numberedMarks(on: .attentionLogits).map { event, mark in
      var mark = mark
      mark.essential = forecastWords(event) + effectWords(of: event, in: events)
      return mark
    }
  }

  private static func forecastWords(_ event: RunEvent) -> [String] {
    guard event.kind == .alarm, let level = event.values["level"] else { return [] }
    guard let steps = event.values["steps_until_level"] else {
      return ["logits above \(NumberText.level(level))"]
    }
    let unit = steps >= 1000 ? 100.0 : 10
    let rough = NumberText.grouped((steps / unit).rounded() * unit)
    let words = "\(NumberText.level(level)) in ~\(rough)"
    return ["logits alarm: \(words)", "logits: \(words)"]
  }

  private static func effectWords(of change: RunEvent, in events: [RunEvent]) -> [String] {
    guard change.kind == .set, let after = change.after else { return [] }
    let effect = events.first {
      $0.kind == .effect && $0.name == change.name && $0.step > change.step && $0.after == after
    }
    guard let values = effect?.values, let old = values["attention_logit_max.before"],
      let new = values["attention_logit_max.after"]
    else { return [] }
    let words = "\(effectWord(old)) → \(effectWord(new))"
    let name = change.name ?? ""
    return [
      "\(SettingWords.short(name)) \(after): \(words)",
      "\(SettingWords.brief(name)) \(after): \(words)", "\(SettingWords.brief(name)): \(words)",
    ]
  }

  /// A jump over three decades needs no tenths.
  private static func effectWord(_ value: Double) -> String {
    abs(value) < 10
      ? NumberText.compact(value, digits: 2) : RoundNumber.groupedOrPower(value)
  }
}

extension PaneID {
  package static let attentionLogits = PaneID("attentionLogits")
}
