import Screen

extension ChartFrame {
  /// The lines, those in front over the others, and the points of what is measured seldom over all.
  func drawCanvases(
    _ lines: [ChartLine], _ columns: [[ChartLine.Column]], into grid: inout CellGrid
  ) {
    var back = BrailleCanvas(columns: plot.columns, rows: plot.rows)
    func canvas(_ isNeeded: Bool) -> BrailleCanvas {
      isNeeded ? BrailleCanvas(columns: plot.columns, rows: plot.rows) : .empty
    }
    let hasPoints = lines.contains { $0.shape == .points }
    var front = canvas(lines.contains(where: \.isInFront))
    var (thin, points) = (canvas(hasPoints), canvas(hasPoints))
    for (layer, (line, columns)) in zip(lines, columns).enumerated() {
      let pen = BrailleCanvas.Pen(style: context.style(line.role), layer: layer)
      switch (line.shape, line.isInFront) {
      case (.points, _): draw(line, columns, on: &thin, points: &points, pen)
      case (_, true): draw(line, columns, on: &front, pen)
      case (_, false): draw(line, columns, on: &back, pen)
      }
    }
    back.draw(into: &grid, at: plot.origin, symbols: context.symbols)
    // A line in front keeps its colour where another one shares its cells, and neither loses its dots.
    cover([thin, front], over: back, into: &grid)
    cover([points], over: back, into: &grid)
  }

  private func draw(
    _ line: ChartLine, _ columns: [ChartLine.Column], on canvas: inout BrailleCanvas,
    _ pen: BrailleCanvas.Pen
  ) {
    line.draw(columns, on: &canvas, scale: scale, pen: pen)
    guard let style = line.style else { return }
    canvas.restyle(layer: pen.layer) { row in
      style(scale.value(atDotRow: row * 4 + 1, dotRows: plot.rows * 4))
    }
  }

  /// Points stand out from the thin line that joins them while they are apart. Signs instead of
  /// dots cannot tell the two apart: there the points stand alone.
  private func draw(
    _ line: ChartLine, _ columns: [ChartLine.Column], on thin: inout BrailleCanvas,
    points: inout BrailleCanvas, _ pen: BrailleCanvas.Pen
  ) {
    if context.symbols.graph == .braille || !areApart(columns) {
      line.draw(columns, on: &thin, scale: scale, pen: pen)
    }
    guard areApart(columns) else { return }
    line.drawPoints(columns, on: &points, scale: scale, pen: pen)
  }

  private func areApart(_ columns: [ChartLine.Column]) -> Bool {
    guard let first = columns.first, let last = columns.last else { return false }
    return (columns.count - 1) * 6 <= last.x - first.x
  }

  /// Draws canvases in place of what their cells held. What it hides of the lines behind shows through
  /// as a ground in their colour, as deep as they had dots.
  private func cover(
    _ canvases: [BrailleCanvas], over back: BrailleCanvas, into grid: inout CellGrid
  ) {
    guard !canvases.allSatisfy(\.isEmpty) else { return }
    var scratch = CellGrid(size: plot.size, style: context.style(.background))
    for canvas in canvases {
      canvas.draw(into: &scratch, at: Point(column: 0, row: 0), symbols: context.symbols)
    }
    // Of 256 colours the nearest ones to so dark a ground are greys, and stand out as boxes.
    let hasGround = context.theme.depth == .rgb && context.symbols.graph == .braille
    for row in 0..<plot.rows {
      for column in 0..<plot.columns where !scratch[column, row].isBlank {
        var cell = scratch[column, row]
        if hasGround, let hidden = back.cell(column, row) {
          cell.style.background = context.theme.paper.blended(
            with: hidden.style.foreground, amount: Self.groundShare * Double(hidden.dots) / 8)
        }
        grid[plot.column + column, plot.row + row] = cell
      }
    }
  }

  /// How much of its colour a cell full of dots leaves behind.
  private static let groundShare = 0.25
}
