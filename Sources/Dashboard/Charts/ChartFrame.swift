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
  /// Rows that a guide runs through; labels leave them alone.
  private var guideRows: Set<Int> = []

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
    var back = BrailleCanvas(columns: plot.columns, rows: plot.rows)
    var front = back
    for (layer, (line, columns)) in zip(lines, columns).enumerated() {
      let pen = BrailleCanvas.Pen(style: context.style(line.role), layer: layer)
      if line.isInFront {
        line.draw(columns, on: &front, scale: scale, pen: pen)
      } else {
        line.draw(columns, on: &back, scale: scale, pen: pen)
      }
    }
    back.draw(into: &grid, at: plot.origin, symbols: context.symbols)
    cover(front, into: &grid)
    for (line, columns) in zip(lines, columns) where line.shape == .spots {
      drawSpots(line, columns, into: &grid)
    }
    for row in 0..<plot.rows {
      for column in 0..<plot.columns where !isBlank(column, row, grid) {
        placer.take(column: column, row: row)
      }
    }
    for guide in guides { draw(guide, into: &grid) }
  }

  /// Draws a canvas in place of what its cells held.
  private func cover(_ canvas: BrailleCanvas, into grid: inout CellGrid) {
    var scratch = CellGrid(size: plot.size, style: context.style(.background))
    canvas.draw(into: &scratch, at: Point(column: 0, row: 0), symbols: context.symbols)
    for row in 0..<plot.rows {
      for column in 0..<plot.columns where !scratch[column, row].isBlank {
        grid[plot.column + column, plot.row + row] = scratch[column, row]
      }
    }
  }

  private func drawSpots(
    _ line: ChartLine, _ columns: [ChartLine.Column], into grid: inout CellGrid
  ) {
    for column in columns where column.low <= column.high {
      let row = scale.dotRow(of: column.middle, dotRows: plot.rows * 4)
      guard row >= 0, row < plot.rows * 4 else { continue }
      put("•", column.x / 2, row / 4, line.role, into: &grid)
    }
  }

  private func isBlank(_ column: Int, _ row: Int, _ grid: CellGrid) -> Bool {
    grid[plot.column + column, plot.row + row].isBlank
  }

  private mutating func draw(_ guide: LineChart.Guide, into grid: inout CellGrid) {
    let row = scale.dotRow(of: guide.value, dotRows: plot.rows * 4) / 4
    guard row >= 0, row < plot.rows, scale.share(of: guide.value) <= 1 + 1e-9 else { return }
    guideRows.insert(row)
    for column in 0..<plot.columns where isBlank(column, row, grid) {
      put(context.symbols.horizontalDashed, column, row, guide.role, into: &grid)
    }
  }

  private func put(
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
      let isOwn = line.isMeasured && line.shape != .spots
      for column in columns {
        let cell = column.x / 2
        if column.isNonFinite, line.isMeasured {
          sign("✗", cell, 0, .trouble, into: &grid)
          if isOwn { beyond.meetNonFinite(line, at: cell, from: time.edges[column.x]) }
        }
        guard column.low <= column.high else { continue }
        if scale.share(of: column.high) > 1.02 {
          guard !column.isNonFinite else { continue }
          sign("▲", cell, 0, line.isMeasured ? role : line.role, into: &grid)
          if isOwn { beyond.meet(high: column.high, at: cell) }
        } else if scale.share(of: column.low) < -0.02 {
          sign("▼", cell, plot.rows - 1, line.isMeasured ? role : line.role, into: &grid)
          if isOwn { beyond.meet(low: column.low, at: cell) }
        }
      }
    }
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

  /// Dashed lines through the cells that are blank.
  mutating func drawLines(of marks: [EventMark], into grid: inout CellGrid) {
    for mark in marks {
      guard let column = time.column(of: mark.step) else { continue }
      for row in 0..<plot.rows {
        // A blank may lie between two words of the cursor's label.
        let isFree = placer.isFree(column: column, row: row)
        placer.take(column: column, row: row)
        let cell = grid[plot.column + column, plot.row + row]
        guard isFree, cell.isBlank || cell.scalar == context.symbols.horizontalDashed.value else {
          continue
        }
        put(context.symbols.verticalDashed, column, row, mark.role, into: &grid)
      }
    }
  }

  /// The words of the marks, in rows where they cover nothing: near the top rather than long, but
  /// what is essential in full wherever there is room.
  mutating func drawNames(of marks: [EventMark], isNamed: Bool, into grid: inout CellGrid) {
    let clear = (0..<plot.rows).filter { !guideRows.contains($0) }
    let top = clear.filter { $0 < max(2, plot.rows / 4) }
    for mark in marks {
      guard let column = time.column(of: mark.step) else { continue }
      let texts = isNamed ? mark.texts : []
      let essential = isNamed ? mark.essential : []
      if let place = placer.place(essential, beside: column, rows: clear)
        ?? placer.place(texts, beside: column, rows: top)
        ?? placer.place(texts, beside: column, rows: clear)
      {
        write(place, mark.role, into: &grid)
      } else {
        sign(mark, column, into: &grid)
      }
    }
  }

  private func sign(_ mark: EventMark, _ column: Int, into grid: inout CellGrid) {
    let dashed = context.symbols.verticalDashed.value
    let rows = 0..<plot.rows
    let row = rows.first { grid[plot.column + column, plot.row + $0].scalar == dashed }
    guard let row, let scalar = mark.sign.unicodeScalars.first else { return }
    put(context.symbols.adapt(scalar), column, row, mark.role, into: &grid)
  }
}

extension ChartFrame {
  func drawValueLabels(gutter: Int, unit: String, into grid: inout CellGrid) {
    let limit = min(5, max(1, plot.rows / 3 + 1))
    var placed: [(tick: Double, row: Int)] = []
    for tick in scale.ticks(atMost: limit) {
      let row = scale.dotRow(of: tick, dotRows: plot.rows * 4) / 4
      guard row >= 0, row < plot.rows, row < (placed.last?.row ?? .max) - 1 else { continue }
      placed.append((tick, row))
    }
    let texts = scale.labels(placed.map(\.tick))
    for (index, (text, label)) in zip(texts, placed).enumerated() where text.count < gutter {
      let named = text + " " + unit
      let isTop = index == placed.count - 1 && !unit.isEmpty && named.count < gutter
      grid.writeRight(
        isTop ? named : text, endColumn: plot.column - 1, row: plot.row + label.row,
        style: context.style(.faint), maxColumns: gutter - 1)
    }
  }

  func drawTimeLabels(row: Int, into grid: inout CellGrid) {
    for label in time.labels(columns: plot.columns) {
      grid.write(
        label.text, at: Point(column: plot.column + label.column, row: row),
        style: context.style(.faint))
    }
  }
}
