/// Lines finer than a cell: two by four dots in each, counted from the top left.
///
/// Several layers share a canvas. A cell shows the dots of all of them, in the style of the highest
/// layer that has dots there. Dots outside the canvas are left out.
package struct BrailleCanvas: Sendable {
  package struct Pen: Hashable, Sendable {
    package var style: Style
    package var layer: Int

    package init(style: Style, layer: Int = 0) {
      self.style = style
      self.layer = layer
    }
  }

  private struct Place {
    var dots: UInt8 = 0
    var pen = Pen(style: .plain, layer: Int.min)
  }

  package let size: Size
  private var places: [Place]

  package init(columns: Int, rows: Int) {
    size = Size(columns: columns, rows: rows)
    places = [Place](repeating: Place(), count: size.columns * size.rows)
  }

  package static let empty = BrailleCanvas(columns: 0, rows: 0)

  package var dotColumns: Int { size.columns * 2 }
  package var dotRows: Int { size.rows * 4 }

  package mutating func set(_ x: Int, _ y: Int, pen: Pen) {
    guard x >= 0, x < dotColumns, y >= 0, y < dotRows else { return }
    let index = (y / 4) * size.columns + x / 2
    places[index].dots |= DotGlyph.bits[y % 4][x % 2]
    if pen.layer >= places[index].pen.layer { places[index].pen = pen }
  }

  package func isSet(_ x: Int, _ y: Int) -> Bool {
    guard x >= 0, x < dotColumns, y >= 0, y < dotRows else { return false }
    return places[(y / 4) * size.columns + x / 2].dots & DotGlyph.bits[y % 4][x % 2] != 0
  }

  package var isEmpty: Bool { places.allSatisfy { $0.dots == 0 } }

  /// How many dots a cell has, and how they look; nil where it has none.
  package func cell(_ column: Int, _ row: Int) -> (dots: Int, style: Style)? {
    let place = places[row * size.columns + column]
    return place.dots == 0 ? nil : (place.dots.nonzeroBitCount, place.pen.style)
  }

  /// Gives the cells that show a layer another style, by their row.
  package mutating func restyle(layer: Int, _ style: (Int) -> Style) {
    for row in 0..<size.rows {
      let style = style(row)
      for index in row * size.columns..<(row + 1) * size.columns
      where places[index].pen.layer == layer {
        places[index].pen.style = style
      }
    }
  }

  /// All dots of one column between two rows, both included, in either order.
  package mutating func span(x: Int, from first: Int, to last: Int, pen: Pen) {
    let top = max(0, min(first, last))
    let bottom = min(dotRows - 1, max(first, last))
    guard top <= bottom else { return }
    for y in top...bottom { set(x, y, pen: pen) }
  }

  package mutating func line(
    from start: (x: Int, y: Int), to end: (x: Int, y: Int), pen: Pen
  ) {
    let width = end.x - start.x
    let height = end.y - start.y
    let steps = max(abs(width), abs(height))
    guard steps > 0 else { return set(start.x, start.y, pen: pen) }
    for step in 0...steps {
      let share = Double(step) / Double(steps)
      let x = start.x + Int((Double(width) * share).rounded())
      let y = start.y + Int((Double(height) * share).rounded())
      set(x, y, pen: pen)
    }
  }

  /// Draws the cells that have dots. One that holds text already keeps it, unless told otherwise,
  /// and a box line gives way; braille drawn before is kept and joined; a background that is the
  /// terminal's own lets the one below shine through.
  package func draw(
    into grid: inout CellGrid, at origin: Point, symbols: Symbols = .unicode,
    overText: Bool = false
  ) {
    for row in 0..<size.rows {
      for column in 0..<size.columns {
        let place = places[row * size.columns + column]
        guard place.dots != 0 else { continue }
        let target = origin.offset(columns: column, rows: row)
        let below = grid[target.column, target.row]
        var dots = place.dots
        if DotGlyph.braille.contains(below.scalar) {
          dots |= UInt8(below.scalar - DotGlyph.braille.lowerBound)
        } else if !overText && !below.isBlank && !DotGlyph.boxLines.contains(below.scalar) {
          continue
        }
        var style = place.pen.style
        if style.background.isTerminalDefault { style.background = below.style.background }
        grid[target.column, target.row] = Cell(
          DotGlyph.scalar(dots, symbols.graph), style: style)
      }
    }
  }
}
