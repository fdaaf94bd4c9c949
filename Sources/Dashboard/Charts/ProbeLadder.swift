import Screen
import Signals
import Telemetry

/// The probe's multipliers as rungs over time: the best ones green, the cliff and what lies beyond it
/// red, and nothing where nothing stands above the noise. The axis is exact: a rung is a multiplier
/// that was tried.
struct ProbeLadder: Sendable {
  /// What the last probes up to a column's end say.
  struct Column: Sendable, Equatable {
    var best: ClosedRange<Double>?
    var cliff: ClosedRange<Double>?
  }

  private static let multipliers = Array(MetricCatalog.probeMultipliers.reversed())

  private let reader: ProbeReader
  private let context: PaneContext

  /// Nil where fewer than two probes were recorded: one is what the bars show.
  init?(_ context: PaneContext) {
    guard let reader = ProbeReader(context.history),
      reader.multipliers == MetricCatalog.probeMultipliers,
      reader.count(upTo: context.playhead) >= 2
    else { return nil }
    self.reader = reader
    self.context = context
  }

  /// A title, the rungs, the axis.
  static func height(rowsPerRung: Int) -> Int { multipliers.count * rowsPerRung + 2 }

  func draw(
    into grid: inout CellGrid, _ rect: Rect, gutter: Int, steps: Range<Int>, rowsPerRung: Int
  ) {
    let field = rect.droppingLeft(gutter)
    guard field.columns > 0, rect.rows >= Self.height(rowsPerRung: rowsPerRung) else { return }
    let time = TimeScale(context, steps: steps, columns: field.columns)
    let columns = columns(time, count: field.columns)
    let hasColors = columns.contains { $0?.best != nil || $0?.cliff != nil }
    drawTitle(into: &grid, field.top(1), hasColors: hasColors)
    for (index, multiplier) in Self.multipliers.enumerated() {
      let rung = Rect(
        column: field.column, row: field.row + 1 + index * rowsPerRung, columns: field.columns,
        rows: rowsPerRung)
      grid.writeRight(
        label(multiplier), endColumn: rung.column - 1, row: rung.row + (rowsPerRung - 1) / 2,
        style: context.style(.faint), maxColumns: gutter - 1)
      draw(multiplier, columns, into: &grid, rung)
    }
    drawCursor(time, into: &grid, field.droppingTop(1).droppingBottom(1))
    let axis = field.row + 1 + Self.multipliers.count * rowsPerRung
    for label in time.labels(columns: field.columns) {
      grid.write(
        label.text, at: Point(column: field.column + label.column, row: axis),
        style: context.style(.faint))
    }
  }

  private func draw(
    _ multiplier: Double, _ columns: [Column?], into grid: inout CellGrid, _ rung: Rect
  ) {
    for (offset, column) in columns.enumerated() {
      guard let column else { continue }
      let cell: (scalar: Unicode.Scalar, style: Style)
      if column.best?.contains(multiplier) == true {
        cell = (context.symbols.isASCII ? "o" : "█", plain(.good))
      } else if let cliff = column.cliff, multiplier >= cliff.lowerBound {
        let isEdge = cliff.contains(multiplier)
        cell = (context.symbols.isASCII ? "#" : "█", beyond(isEdge: isEdge))
      } else {
        guard multiplier == 1 else { continue }
        cell = (context.symbols.horizontalDashed, context.style(.track))
      }
      let isGuide = cell.scalar == context.symbols.horizontalDashed
      for row in rung.row..<rung.endRow {
        // A guide is one line, a rung is as high as its rows.
        if isGuide, row > rung.row { continue }
        grid[rung.column + offset, row] = Cell(cell.scalar, style: cell.style)
      }
      if multiplier == 1, !isGuide, column.best?.contains(multiplier) != true {
        drawGuide(over: cell.style, at: Point(column: rung.column + offset, row: rung.row), &grid)
      }
    }
  }

  /// The present rate's guide goes on through the red. Without colours nothing lies behind a sign:
  /// there the two take turns.
  private func drawGuide(over red: Style, at point: Point, _ grid: inout CellGrid) {
    guard context.theme.depth != .none || point.column.isMultiple(of: 2) else { return }
    grid[point.column, point.row] = Cell(
      context.symbols.horizontalDashed, style: context.guideStyle(on: red))
  }

  private func plain(_ role: Role) -> Style {
    var style = context.style(role)
    style.attributes.remove(.bold)
    return style
  }

  /// Where the last probes found the cliff is bright, what lies beyond it dim.
  private func beyond(isEdge: Bool) -> Style {
    var style = plain(.trouble)
    guard context.theme.hasGradients else { return style }
    style.foreground = style.foreground.blended(
      with: context.theme.paper, amount: isEdge ? 0.2 : 0.75)
    return style
  }

  private func drawCursor(_ time: TimeScale, into grid: inout CellGrid, _ rect: Rect) {
    guard let step = context.cursorStep, let column = time.column(of: step) else { return }
    for row in rect.row..<rect.endRow {
      grid[rect.column + column, row] = Cell(
        context.symbols.vertical, style: context.style(.cursor))
    }
  }

  private func drawTitle(into grid: inout CellGrid, _ rect: Rect, hasColors: Bool) {
    let step = context.readingStep
    guard let last = reader.lastStep(upTo: step),
      let trend = ProbeTrend(multipliers: reader.multipliers, probes: reader.probes(upTo: step))
    else { return }
    let words = ProbeWords(symbols: context.symbols).spans(trend)
    let line = Line(words + [Span("  at step \(NumberText.grouped(last))", .faint)])
      .fitted(to: rect.columns)
    line.draw(on: &grid, at: rect.origin, theme: context.theme)
    if hasColors { drawLegend(into: &grid, rect.droppingLeft(line.columns + 3)) }
  }

  /// What the rungs' colours mean, at the right.
  private func drawLegend(into grid: inout CellGrid, _ rect: Rect) {
    let isASCII = context.symbols.isASCII
    let red: Unicode.Scalar = isASCII ? "#" : "█"
    var entries: [(sign: Unicode.Scalar, style: Style, name: String)] = [
      (isASCII ? "o" : "█", plain(.good), "best"), (red, beyond(isEdge: true), "cliff"),
    ]
    if context.theme.hasGradients { entries.append((red, beyond(isEdge: false), "beyond it")) }
    let width = entries.reduce(-2) { $0 + $1.name.count + 4 }
    guard rect.columns >= width else { return }
    var column = rect.endColumn - width
    for entry in entries {
      grid[column, rect.row] = Cell(entry.sign, style: entry.style)
      grid.write(
        entry.name, at: Point(column: column + 2, row: rect.row), style: context.style(.faint))
      column += entry.name.count + 4
    }
  }

  private func label(_ multiplier: Double) -> String {
    ProbeWords(symbols: context.symbols).label(multiplier)
  }
}

extension ProbeLadder {
  /// What each cell shows; nil before the first probe and after the playhead.
  func columns(_ time: TimeScale, count: Int) -> [Column?] {
    var known: (step: Int, column: Column)?
    return (0..<count).map { cell in
      let start = time.edges[cell * 2]
      let end = min(time.edges[min(cell * 2 + 2, time.edges.count - 1)], context.playhead + 1)
      guard start <= context.playhead, let last = reader.lastStep(upTo: max(start, end - 1)) else {
        return nil
      }
      if let known, known.step == last { return known.column }
      let trend = ProbeTrend(multipliers: reader.multipliers, probes: reader.probes(upTo: last))
      let column = Column(best: trend?.best, cliff: trend?.cliff)
      known = (last, column)
      return column
    }
  }
}
