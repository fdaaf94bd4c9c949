import Screen
import Signals
import Telemetry

/// Every metric whose name holds the filter, each as a small chart.
enum MetricsPane {
  static let pane = Pane(
    id: .metrics, title: "metrics", minimumRows: 3, weight: 2,
    explanation: """
      Any metric of the run as a small chart with its present value and unit; type / and a part of \
      the name to choose, the arrows scroll.
      """,
    headline: { context in
      let count = shown(context).count
      let all = context.history.names.count
      return [Span(count == all ? "\(all)" : "\(count) of \(all)", .faint)]
    }, draw: draw)

  private static let narrowest = 30
  private static let lowest = 4

  static func shown(_ context: PaneContext) -> [MetricName] {
    let filter = context.filter ?? ""
    let pattern = TextPattern(filter)
    return context.history.names.filter {
      (filter.isEmpty || pattern.matches($0.path)) && context.has($0)
    }
  }

  private static func draw(_ grid: inout CellGrid, _ rect: Rect, _ context: PaneContext) {
    let names = shown(context)
    guard !names.isEmpty, !rect.isEmpty else {
      let filter = context.filter ?? ""
      let text = filter.isEmpty ? "no metrics yet" : "no metric's name holds '\(filter)'"
      return context.drawWaiting(into: &grid, rect, text)
    }
    let across = max(1, min(names.count, rect.columns / narrowest))
    let wanted = (names.count + across - 1) / across
    let down = max(1, min(wanted, rect.rows / lowest))
    let height = rect.rows / down
    let first = min(context.scroll, max(0, wanted - down)) * across
    for (index, name) in names.dropFirst(first).prefix(across * down).enumerated() {
      let width = rect.columns / across
      let place = Rect(
        column: rect.column + index % across * width, row: rect.row + index / across * height,
        columns: width - (across > 1 ? 1 : 0), rows: height)
      draw(name, into: &grid, place.intersection(rect), context)
    }
  }

  private static func draw(
    _ name: MetricName, into grid: inout CellGrid, _ rect: Rect, _ context: PaneContext
  ) {
    guard let series = context.history[name], !rect.isEmpty else { return }
    let value = context.value(name) ?? .nan
    let unit = MetricCatalog.family(of: name)?.unit ?? ""
    let text = NumberText.compact(value, digits: 4) + (unit.isEmpty ? "" : " \(unit)")
    let taken = grid.writeRight(
      text, endColumn: rect.endColumn, row: rect.row,
      style: context.style(value.isFinite ? .text : .trouble), maxColumns: rect.columns)
    let room = rect.columns - taken - 1
    grid.write(
      TextWidth.truncated(name.path, to: room), at: rect.origin, style: context.style(.faint))
    var chart = LineChart()
    let hue = hue(name)
    chart.lines =
      MetricCatalog.family(of: name)?.reduction == .maximum
      ? context.older(name) + [ChartLine(series: series, shape: .range, role: hue.role, name: "")]
      : context.lines(name, role: hue.role, faint: hue.faint, label: "")
    chart.overlaid = [name]
    chart.clipsOutliers = true
    chart.kind = context.isLogY ? .logarithmic : .linear
    chart.gutter = 8
    chart.unit = unit
    chart.marks = context.marks(on: .metrics)
    chart.namesMarks = false
    chart.draw(into: &grid, rect.droppingTop(1), context)
  }

  /// A metric has the hue of the pane it belongs to.
  private static func hue(_ name: MetricName) -> (role: Role, faint: Role) {
    let stem = MetricCatalog.family(of: name)?.stem ?? name.path
    let hues: [(prefix: String, role: Role, faint: Role)] = [
      ("loss", .loss, .lossFaint), ("attention", .logits, .logitsFaint),
      ("lr", .learningRate, .learningRateFaint), ("expert", .experts, .expertsFaint),
      ("router", .experts, .expertsFaint), ("grad", .gradients, .gradientsFaint),
      ("clip", .gradients, .gradientsFaint), ("activation", .activations, .activationsFaint),
      ("log_z", .outputs, .outputsFaint), ("output", .outputs, .outputsFaint),
    ]
    let known = hues.first { stem.hasPrefix($0.prefix) }
    return known.map { ($0.role, $0.faint) } ?? (.throughput, .throughputFaint)
  }
}
