import Foundation
import Screen
import Signals
import Telemetry

/// A chart of lines over time with its axes, marks and the cursor.
struct LineChart: Sendable {
  /// A level worth knowing, drawn across.
  struct Guide: Sendable {
    var value: Double
    var role: Role
    /// Words for it at its right end, the longest first.
    var labels: [String] = []
  }

  var lines: [ChartLine] = []
  var marks: [EventMark] = []
  var guides: [Guide] = []
  var kind = ValueScale.Kind.linear
  /// Values that the axis holds whatever the lines do.
  var holds: [Double] = []
  /// Whether what leaves the axis at its start or for a moment is cut off and marked, so that the
  /// rest keeps its height.
  var clipsOutliers = false
  /// How the cursor and labels write a value.
  var format: @Sendable (Double) -> String = { NumberText.compact($0, digits: 4) }
  /// The role of what is marked at the upper edge; the last line's unless given.
  var role: Role?
  /// What the values count, written after the cursor's and, where it fits, the topmost label.
  var unit = ""
  /// Whether marks carry words, not only lines.
  var namesMarks = true
  /// Whether marks that carry no words have their numbers.
  var numbersMarks = true
  /// Whether a line's name stands at its end, right of the plot.
  var namesLines = false
  /// Whether the values along the time stand below it, where there is room; a chart below it may
  /// have the same.
  var hasTimeAxis = true
  /// The metrics whose lines of other runs are drawn too.
  var overlaid: [MetricName] = []
  /// The steps along the axis, where they are not the window's.
  var steps: Range<Int>?

  /// The columns for labels of the value axis beside the plot; fields above it share them, so that
  /// one step lies in one column.
  var gutter = 6

  func draw(into grid: inout CellGrid, _ rect: Rect, _ context: PaneContext) {
    let others = context.overlays.flatMap { overlay in
      overlaid.compactMap { overlay.line($0, context) }
    }
    guard !others.isEmpty else { return drawPlot(into: &grid, rect, context) }
    let hasLegend = rect.rows >= 8 && rect.columns >= 24
    var chart = self
    chart.role = role ?? lines.last?.role
    // The legend says at the cursor what the others are; the run's own line lies over theirs.
    let drawn = others.map { line in
      var line = line
      if hasLegend { line.name = nil }
      return line
    }
    let hasSmooth = lines.contains(where: \.isInFront)
    let own = lines.map { line in
      var line = line
      line.isInFront = line.isInFront || (line.name != nil && !hasSmooth)
      return line
    }
    chart.lines = hasLegend ? drawn + own : lines + drawn
    chart.drawPlot(into: &grid, rect.droppingTop(hasLegend ? 1 : 0), context)
    guard hasLegend else { return }
    drawLegend(others, into: &grid, rect.top(1).droppingLeft(gutter), context)
  }

  /// Whose line has which colour, and its value at the cursor.
  private func drawLegend(
    _ others: [ChartLine], into grid: inout CellGrid, _ rect: Rect, _ context: PaneContext
  ) {
    func span(_ name: String, _ line: ChartLine?, _ role: Role, width: Int = 20) -> Span {
      let value = context.cursorStep.flatMap { line?.value(at: $0) }.map { " \(format($0))" }
      return Span("━ \(TextWidth.truncated(name, to: width))\(value ?? "")", role)
    }
    func spaced(_ spans: [Span]) -> Line {
      Line(Array(spans.map { [$0] }.joined(separator: [Span("   ", .text)])))
    }
    // Of several metrics each run's lines have one colour, and no one value.
    guard overlaid.count == 1 else {
      let runs = others.reduce(into: [ChartLine]()) { runs, line in
        if !runs.contains(where: { $0.role == line.role }) { runs.append(line) }
      }
      let names = runs.map { Span("━ \(TextWidth.truncated($0.name ?? "", to: 20))", $0.role) }
      let line = spaced(names).fitted(to: rect.columns)
      line.draw(on: &grid, at: rect.origin, theme: context.theme)
      return
    }
    let own = span("this run", lines.first { $0.name != nil }, role ?? lines.last?.role ?? .text)
    // Names are cut before a run is left out.
    let widths = [20, 12, 8, 4].map { width in
      others.map { span($0.name ?? "", $0, $0.role, width: width) }
    }
    let readable = widths.prefix(2), cut = widths.dropFirst(2)
    let choices = [readable, cut].flatMap { $0.map { spaced([own] + $0) } + $0.map(spaced) }
    let line =
      choices.first { $0.columns <= rect.columns }
      ?? spaced(widths.last ?? []).fitted(to: rect.columns)
    line.draw(on: &grid, at: rect.origin, theme: context.theme)
  }

  private func drawPlot(into grid: inout CellGrid, _ rect: Rect, _ context: PaneContext) {
    guard !rect.isEmpty else { return }
    let hasTimeLabels = hasTimeAxis && rect.rows >= 4 && rect.columns >= 16
    let hasValueLabels = rect.columns >= 14
    let axes = rect.droppingBottom(hasTimeLabels ? 1 : 0)
      .droppingLeft(hasValueLabels ? gutter : 0).droppingRight(margin(columns: rect.columns))
    guard !axes.isEmpty else { return }
    let time = TimeScale(
      context, steps: steps ?? context.window.steps, columns: axes.columns)
    let marks = EventMark.distinct(marks, time)
    let names = MarkStrip(
      namesMarks ? marks : [], time, columns: axes.columns, chartRows: rect.rows,
      symbols: context.symbols)
    let plot = axes.droppingTop(names.rows)
    let columns = lines.map { $0.columns(time, playhead: context.playhead) }
    let scale = scale(columns, rows: plot.rows, context.valueZoom)
    var frame = ChartFrame(plot: plot, time: time, scale: scale, context: context)
    frame.draw(lines: lines, columns: columns, guides: guides, into: &grid)
    frame.drawCursor(cursorTexts(context), into: &grid)
    frame.drawLines(of: marks, into: &grid)
    frame.drawEdges(
      lines: lines, columns: columns, role: role ?? lines.last?.role ?? .text, format: format,
      into: &grid)
    names.draw(into: &grid, at: axes.origin, context)
    if names.rows == 0, numbersMarks { frame.drawNumbers(of: marks, into: &grid) }
    if plot.endColumn < rect.endColumn {
      LineEnds(lines, columns: columns, scale: scale, context).draw(
        into: &grid, rightOf: plot, within: rect)
    }
    if hasValueLabels { frame.drawValueLabels(gutter: gutter, unit: unit, into: &grid) }
    guard hasTimeLabels else { return }
    frame.drawTimeLabels(
      row: plot.endRow, shared: rect.columns - Self.usualGutter, into: &grid)
  }

  /// The columns right of the plot that the names of the lines take.
  func margin(columns: Int) -> Int {
    columns >= 40 && namesLines ? LineEnds.columns(of: lines) : 0
  }

  /// What decides about the values along the time axis beside the labels of values: the widest of
  /// the usual gutters, so that panes beside each other have the same.
  private static let usualGutter = 10

  /// The value axis for what these columns of the lines show, on so many rows.
  func scale(
    _ columns: [[ChartLine.Column]], rows: Int, _ zoom: ValueZoom = .automatic
  ) -> ValueScale {
    if case .range(let low, let high) = zoom {
      return ValueScale(fitting: low, high, kind: kind, rows: rows)
    }
    let measured = zip(lines, columns).filter { $0.0.isMeasured }.flatMap(\.1)
      .filter { $0.low <= $0.high }
    let positive = kind == .logarithmic ? measured.filter { $0.low > 0 } : measured
    var low = positive.map(\.low).min() ?? .infinity
    var high = positive.map(\.high).max() ?? -.infinity
    if zoom == .robust {
      (low, high) = ValueZoom.usualRange(lows: positive.map(\.low), highs: positive.map(\.high))
    } else if clipsOutliers, kind == .linear, zoom == .automatic {
      high = min(high, Self.usualMaximum(positive))
    }
    for value in holds {
      low = min(low, value)
      high = max(high, value)
    }
    return ValueScale(fitting: low, high, kind: kind, rows: rows)
  }

  /// The largest value, without the first columns where a run starts far up, and without spikes in
  /// a few columns that would press all else flat.
  private static func usualMaximum(_ columns: [ChartLine.Column]) -> Double {
    guard columns.count >= 20, let low = columns.map(\.low).min() else { return .infinity }
    let full = columns.map(\.high).max() ?? .infinity
    let start = (columns.map(\.x).min() ?? 0) + max(2, columns.count / 50)
    let later = columns.filter { $0.x > start }.map(\.high).sorted()
    guard let settled = later.last else { return full }
    let withoutStart = (settled - low) < 0.75 * (full - low) ? settled : full
    let usual = later[later.count - 1 - later.count / 40]
    return (usual - low) * 3 < withoutStart - low ? usual + (usual - low) / 4 : withoutStart
  }

  private func cursorTexts(_ context: PaneContext) -> [String] {
    guard let step = context.cursorStep else { return [] }
    let named = lines.filter { $0.name != nil }
    guard !named.isEmpty else { return [] }
    let read = named.compactMap { line in line.value(at: step).map { (line: line, value: $0) } }
    let values = read.map { ($0.line.name ?? "", $0.value) }
    let place = NumberText.grouped(step)
    let full = values.map { $0.0.isEmpty ? format($0.1) : "\($0.0) \(format($0.1))" }
    let counted = unit.isEmpty || values.isEmpty ? "" : " \(unit)"
    let all = full.joined(separator: " · ") + counted
    let main = read.filter { !$0.line.isDetail }
    let bare = main.map { format($0.value) }.joined(separator: " · ") + counted
    let first = main.first.map { format($0.value) + counted }
    return ["step \(place) · " + all, all, bare, first ?? "", place].filter { !$0.isEmpty }
  }
}
