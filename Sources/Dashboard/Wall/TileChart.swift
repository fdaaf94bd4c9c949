import Screen
import Signals
import Telemetry

/// How one chart of the wall is drawn: in a box, under a title, or alone.
struct TileChart {
  private let tile: WallTile
  private let marks: [EventMark]
  private let context: PaneContext
  private let title: String
  private let reading: TileReading
  private let isChosen: Bool
  private let isHead: Bool

  init(
    _ tile: WallTile, marks: [EventMark], _ context: PaneContext, isInGroup: Bool = false,
    isChosen: Bool = false, isHead: Bool = false
  ) {
    self.tile = tile
    (self.marks, self.context) = (marks, context.over(axisOf: tile.metrics[0]))
    title = isInGroup ? tile.titleInGroup : tile.title
    reading = TileReading(tile, context)
    (self.isChosen, self.isHead) = (isChosen, isHead)
  }

  private var isLog: Bool { context.wall.logarithmic.contains(tile.title) }

  private var unit: String { tile.isFamily ? "" : context.unit(of: tile.metrics[0]) }

  func draw(into grid: inout CellGrid, _ rect: Rect, isBoxed: Bool) {
    if isBoxed { drawBoxed(into: &grid, rect) } else { drawPlain(into: &grid, rect) }
  }

  private func drawBoxed(into grid: inout CellGrid, _ rect: Rect) {
    guard rect.rows >= 4, rect.columns >= 8 else { return drawPlain(into: &grid, rect) }
    drawFrame(into: &grid, rect)
    drawChart(into: &grid, rect.inset(columns: 1, rows: 1))
  }

  /// The border, with title and value in its upper line and the note in its lower one.
  private func drawFrame(into grid: inout CellGrid, _ rect: Rect) {
    grid.drawBox(
      rect, symbols: context.symbols, style: context.style(isChosen ? .borderFocused : .border))
    let top = rect.top(1).droppingLeft(2).droppingRight(2)
    let (name, value) = caption(fitting: top.columns - 2)
    name.padded.draw(on: &grid, at: top.origin, theme: context.theme)
    if value.columns > 0 {
      value.padded.draw(
        on: &grid, at: Point(column: top.endColumn - value.columns - 2, row: top.row),
        theme: context.theme)
    }
    drawNote(into: &grid, rect.bottom(1).droppingLeft(2).droppingRight(2))
  }

  private func drawPlain(into grid: inout CellGrid, _ rect: Rect) {
    let row = rect.top(1).droppingRight(rect.columns >= 20 ? 2 : 0)
    guard !row.isEmpty else { return }
    let (name, value) = caption(fitting: row.columns)
    name.draw(on: &grid, at: row.origin, theme: context.theme)
    value.draw(
      on: &grid, at: Point(column: row.endColumn - value.columns, row: row.row),
      theme: context.theme)
    drawChart(into: &grid, rect.droppingTop(1).droppingRight(rect.columns >= 20 ? 2 : 0))
  }

  /// The chart that has the whole wall, with the words and the axis for which small ones have no room.
  func drawAlone(into grid: inout CellGrid, _ rect: Rect) {
    guard rect.rows >= 6, rect.columns >= 24 else { return drawPlain(into: &grid, rect) }
    drawFrame(into: &grid, rect)
    let inside = rect.inset(columns: 2, rows: 1)
    guard !tile.isFamily else { return drawChart(into: &grid, inside) }
    var chart = chart
    (chart.namesMarks, chart.numbersMarks, chart.hasTimeAxis) = (true, true, true)
    chart.draw(into: &grid, inside, context)
  }

  /// Title and value side by side; the title is cut before the value goes.
  private func caption(fitting columns: Int) -> (name: Line, value: Line) {
    let star = isHead ? [Span("★", .warning)] : []
    let count = tile.isFamily ? [Span(" ×\(tile.metrics.count)", .faint)] : []
    let role: Role = reading.isFinite ? valueRole : .trouble
    let texts = unit.isEmpty ? [reading.text] : ["\(reading.text) \(unit)", reading.text]
    func width(_ spans: [Span]) -> Int { Line(spans).columns }
    let text =
      texts.first { width(star + count) + TextWidth.columns(of: title + $0) + 3 <= columns }
      ?? texts[texts.count - 1]
    let value = Line([Span(text, role)]).fitted(to: max(0, columns - 4))
    let room = max(1, columns - value.columns - 2 - width(star + count))
    let cut = TextWidth.truncated(title, to: room)
    let name = Line(star + [Span(cut, isChosen ? .title : .text)] + count)
    return (
      name.fitted(to: columns), value.columns + name.columns + 1 <= columns ? value : Line([])
    )
  }

  private var valueRole: Role {
    guard tile.isAttentionLogits, let member = reading.member,
      let value = context.reading(tile.metrics[member])
    else { return tile.hue.role }
    return AttentionLogitsPane.role(of: value, context)
  }

  private func drawNote(into grid: inout CellGrid, _ row: Rect) {
    let note = note
    // What it was called is left out first.
    let choices = note.indices.map { note[$0...].joined(separator: " · ") }
    let fitting = choices.first { TextWidth.columns(of: $0) + 6 <= row.columns }
    guard let words = fitting, !words.isEmpty else { return }
    let columns = TextWidth.columns(of: words)
    let line = Line([Span(" \(words) ", .faint)])
    line.draw(
      on: &grid, at: Point(column: row.endColumn - columns - 2, row: row.row), theme: context.theme)
  }

  /// What the run itself called it, what it sums it up by and draws it over; of a family the median
  /// and the least.
  private var note: [String] {
    let name = tile.metrics[0]
    let axis = context.definedAxis(of: name).map { ["over \($0.words)"] } ?? []
    guard !tile.isFamily else { return [FamilyChart.note(tile, context)] + axis }
    let original = context.description?.environment[.original(of: name)].map { ["was \($0)"] }
    return (original ?? []) + MetricSummaryText.parts(of: name, context) + axis
  }

  private func drawChart(into grid: inout CellGrid, _ rect: Rect) {
    guard !rect.isEmpty else { return }
    guard !tile.isFamily else {
      return FamilyChart(tile, isLog: isLog, context).draw(into: &grid, rect)
    }
    chart.draw(into: &grid, rect, context)
  }

  private var chart: LineChart {
    var chart = LineChart()
    let name = tile.metrics[0]
    chart.lines = lines(of: name)
    chart.overlaid = [name]
    chart.clipsOutliers = true
    chart.kind = isLog ? .logarithmic : .linear
    chart.gutter = 8
    chart.unit = unit
    chart.marks = marks
    // Side by side in dozens they would say the same in each.
    (chart.namesMarks, chart.numbersMarks, chart.hasTimeAxis) = (false, false, false)
    return chart
  }

  private func lines(of name: MetricName) -> [ChartLine] {
    guard let series = context.history[name] else { return [] }
    let hue = tile.hue
    return MetricCatalog.family(of: name)?.reduction == .maximum
      ? context.older(name) + [ChartLine(series: series, shape: .range, role: hue.role, name: "")]
      : context.lines(name, role: hue.role, faint: hue.faint, label: "")
  }
}

extension Line {
  /// With a blank at each end, as on a border.
  fileprivate var padded: Line { Line([Span(" ", .text)] + spans + [Span(" ", .text)]) }
}
