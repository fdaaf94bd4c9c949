import Foundation
import Screen
import Signals

/// The plot of a chart while it is drawn: where things lie and which cells are taken.
struct ChartFrame {
  let plot: Rect
  let time: TimeScale
  let scale: ValueScale
  let context: PaneContext
  private var placer: LabelPlacer

  init(plot: Rect, time: TimeScale, scale: ValueScale, context: PaneContext) {
    self.plot = plot
    self.time = time
    self.scale = scale
    self.context = context
    placer = LabelPlacer(size: plot.size)
  }

  mutating func draw(
    lines: [ChartLine], columns: [[ChartLine.Column]], guides: [LineChart.Guide],
    into grid: inout CellGrid
  ) {
    drawCanvases(lines, columns, into: &grid)
    for row in 0..<plot.rows {
      for column in 0..<plot.columns where !isBlank(column, row, grid) {
        placer.take(column: column, row: row)
      }
    }
    let drawn = guides.filter { draw($0, into: &grid) }
    for guide in drawn { drawLabel(of: guide, into: &grid) }
  }

  /// Takes a cell and says whether it was free: a blank may lie between two words of a label.
  mutating func takeFree(_ column: Int, _ row: Int) -> Bool {
    let isFree = placer.isFree(column: column, row: row)
    placer.take(column: column, row: row)
    return isFree
  }

  func isBlank(_ column: Int, _ row: Int, _ grid: CellGrid) -> Bool {
    grid[plot.column + column, plot.row + row].isBlank
  }

  /// Draws a guide through the cells that are blank; false where it lies off the axis.
  private mutating func draw(_ guide: LineChart.Guide, into grid: inout CellGrid) -> Bool {
    guard let row = row(of: guide) else { return false }
    for column in 0..<plot.columns where isBlank(column, row, grid) {
      put(context.symbols.horizontalDashed, column, row, guide.role, into: &grid)
    }
    return true
  }

  private func row(of guide: LineChart.Guide) -> Int? {
    let row = scale.dotRow(of: guide.value, dotRows: plot.rows * 4) / 4
    let isOnAxis = row >= 0 && row < plot.rows && scale.share(of: guide.value) <= 1 + 1e-9
    return isOnAxis ? row : nil
  }

  /// The words of a guide at its right end, else just above or below it, else at its left end.
  private mutating func drawLabel(of guide: LineChart.Guide, into grid: inout CellGrid) {
    guard let row = row(of: guide), plot.columns >= 24 else { return }
    let role: Role = guide.role == .track ? .faint : guide.role
    for text in guide.labels {
      let width = TextWidth.columns(of: text)
      let right = plot.columns - width
      for (column, row) in [(right, row), (right, row - 1), (right, row + 1), (0, row)]
      where placer.isFree(column: column, row: row, columns: width) {
        placer.take(column: column, row: row, columns: width)
        var style = context.style(role)
        style.attributes.remove(.bold)
        let place = Point(column: plot.column + column, row: plot.row + row)
        grid.write(text, at: place, style: style)
        return
      }
    }
  }

  func put(
    _ scalar: Unicode.Scalar, _ column: Int, _ row: Int, _ role: Role, into grid: inout CellGrid
  ) {
    grid[plot.column + column, plot.row + row] = Cell(scalar, style: context.style(role))
  }

  private func write(
    _ placement: LabelPlacer.Placement, _ role: Role, into grid: inout CellGrid
  ) {
    let point = Point(column: plot.column + placement.column, row: plot.row + placement.row)
    grid.write(placement.text, at: point, style: context.style(role))
  }
}

extension ChartFrame {
  /// The cursor's line, and its label beside it: over blanks where there are enough, else over what
  /// lies in the top row.
  mutating func drawCursor(_ texts: [String], into grid: inout CellGrid) {
    guard let step = context.cursorStep, let column = time.column(of: step) else { return }
    for row in 0..<plot.rows {
      put(context.symbols.vertical, column, row, .cursor, into: &grid)
      placer.take(column: column, row: row)
    }
    let spaced = texts.prefix(1).map { " \($0) " }
    let rows = Array(0..<plot.rows)
    if let place = placer.place(spaced + texts.prefix(2), beside: column, rows: rows) {
      return write(place, .cursor, into: &grid)
    }
    // Words that name their numbers may cover what lies in the top row; more than half of it only
    // numbers may.
    let room = max(plot.columns - column - 1, column)
    let short = texts.enumerated().first { index, text in
      TextWidth.columns(of: text) <= min(room, index < 2 ? (plot.columns - 1) / 2 : .max)
    }
    guard let text = short?.element else { return }
    let width = TextWidth.columns(of: text)
    let isRight = column + 1 + width <= plot.columns
    let label = LabelPlacer.Placement(
      column: isRight ? column + 1 : column - width, row: 0, text: text)
    write(label, .cursor, into: &grid)
    placer.take(column: label.column, row: 0, columns: width)
  }

  /// What lies beyond the axis gets an arrow at its edge, what is not finite a cross. The run's own
  /// farthest value and the first that is no number are named.
  mutating func drawEdges(
    lines: [ChartLine], columns: [[ChartLine.Column]], role: Role, format: (Double) -> String,
    into grid: inout CellGrid
  ) {
    var beyond = Beyond(early: plot.columns / 50 + 2)
    for (line, columns) in zip(lines, columns) {
      let role = line.isMeasured ? role : line.role
      for column in columns { drawEdge(of: column, line, role, &beyond, into: &grid) }
    }
    name(beyond, role: role, format: format, into: &grid)
  }

  private mutating func drawEdge(
    of column: ChartLine.Column, _ line: ChartLine, _ role: Role, _ beyond: inout Beyond,
    into grid: inout CellGrid
  ) {
    // Who chose the range knows that there is more: only what is out of sight altogether is marked.
    let isChosen = context.valueZoom.isChosen
    let dotRows = plot.rows * 4
    let isOwn = line.isMeasured && line.shape != .points
    let cell = column.x / 2
    if column.isNonFinite, line.isMeasured {
      sign("✗", cell, 0, .trouble, into: &grid)
      if isOwn { beyond.meetNonFinite(line, at: cell, from: time.edges[column.x]) }
    }
    guard column.low <= column.high else { return }
    if scale.dotRow(of: isChosen ? column.low : column.high, dotRows: dotRows) < 0 {
      guard !column.isNonFinite else { return }
      sign("▲", cell, 0, role, into: &grid)
      if isOwn, !isChosen { beyond.meet(high: column.high, at: cell) }
    } else if scale.dotRow(of: isChosen ? column.high : column.low, dotRows: dotRows) >= dotRows {
      sign("▼", cell, plot.rows - 1, role, into: &grid)
      if isOwn, !isChosen { beyond.meet(low: column.low, at: cell) }
    }
  }

  private mutating func name(
    _ beyond: Beyond, role: Role, format: (Double) -> String, into grid: inout CellGrid
  ) {
    let top = Array(0..<min(2, plot.rows))
    if let (column, step, value) = beyond.nonFinite {
      let word = value.isNaN ? "NaN" : NumberText.compact(value)
      label(
        ["\(word) from step \(NumberText.grouped(step))", word], beside: column, rows: top,
        role: .trouble, into: &grid)
    }
    if let (column, value) = beyond.highest {
      label([format(value)], beside: column, rows: top, role: role, into: &grid)
    }
    if let (column, value) = beyond.lowest {
      label(
        [format(value)], beside: column, rows: top.map { plot.rows - 1 - $0 }, role: role,
        into: &grid)
    }
  }

  private mutating func sign(
    _ scalar: Unicode.Scalar, _ column: Int, _ row: Int, _ role: Role, into grid: inout CellGrid
  ) {
    put(scalar, column, row, role, into: &grid)
    placer.take(column: column, row: row)
  }

  /// What of a chart's lines is worth a word at the edge.
  private struct Beyond {
    /// A run begins far up: its first cells are no news.
    let early: Int
    private(set) var highest: (column: Int, value: Double)?
    private(set) var lowest: (column: Int, value: Double)?
    private(set) var nonFinite: (column: Int, step: Int, value: Double)?

    init(early: Int) { self.early = early }

    mutating func meet(high value: Double, at column: Int) {
      if column > early, value > highest?.value ?? -.infinity { highest = (column, value) }
    }

    mutating func meet(low value: Double, at column: Int) {
      if value < lowest?.value ?? .infinity { lowest = (column, value) }
    }

    mutating func meetNonFinite(_ line: ChartLine, at column: Int, from step: Int) {
      guard column < nonFinite?.column ?? .max else { return }
      let (step, value) = line.firstNonFinite(from: step)
      nonFinite = (column, step, value)
    }
  }

  private mutating func label(
    _ texts: [String], beside column: Int, rows: [Int], role: Role, into grid: inout CellGrid
  ) {
    guard let place = placer.place(texts, beside: column, rows: rows) else { return }
    write(place, role, into: &grid)
  }
}
