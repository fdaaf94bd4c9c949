import Screen
import Testing

@Suite(.timeLimit(.minutes(15)))
struct BrailleCanvasTests {
  private let faint = BrailleCanvas.Pen(style: Style(role: UInt8(ascii: "f")), layer: 0)
  private let bright = BrailleCanvas.Pen(style: Style(role: UInt8(ascii: "b")), layer: 1)

  private func drawn(_ canvas: BrailleCanvas, symbols: Symbols = .unicode) -> CellGrid {
    var grid = CellGrid(size: canvas.size)
    canvas.draw(into: &grid, at: Point(column: 0, row: 0), symbols: symbols)
    return grid
  }

  @Test(arguments: [
    (0, 0, "⠁"), (1, 0, "⠈"), (0, 1, "⠂"), (1, 1, "⠐"), (0, 2, "⠄"), (1, 2, "⠠"), (0, 3, "⡀"),
    (1, 3, "⢀"),
  ])
  func `each dot has its bit`(x: Int, y: Int, glyph: String) {
    var canvas = BrailleCanvas(columns: 1, rows: 1)
    canvas.set(x, y, pen: faint)
    #expect(canvas.isSet(x, y))
    #expect(drawn(canvas).lines == [glyph])
  }

  @Test(arguments: [(0, 0), (1, 1), (3, 2)])
  func `dots outside are left out`(columns: Int, rows: Int) {
    var canvas = BrailleCanvas(columns: columns, rows: rows)
    for x in [-1, canvas.dotColumns] { canvas.span(x: x, from: -9, to: 99, pen: faint) }
    for y in [-1, canvas.dotRows] { canvas.line(from: (-9, y), to: (99, y), pen: faint) }
    #expect(drawn(canvas).rows.joined().allSatisfy { $0.isBlank })
  }

  @Test func `a span covers everything from its least to its greatest`() {
    var canvas = BrailleCanvas(columns: 1, rows: 3)
    canvas.span(x: 1, from: 20, to: 3, pen: faint)
    #expect(drawn(canvas).lines == ["⢀", "⢸", "⢸"])
  }

  @Test func `a line has no gaps`() {
    var canvas = BrailleCanvas(columns: 8, rows: 8)
    canvas.line(from: (0, 31), to: (15, 2), pen: faint)
    let rows = (0..<canvas.dotRows).filter { y in
      (0..<canvas.dotColumns).contains { canvas.isSet($0, y) }
    }
    #expect(rows == Array(2...31))
  }

  @Test func `layers share a cell's dots and the highest gives the style, in any order`() {
    for order in [[faint, bright], [bright, faint]] {
      var canvas = BrailleCanvas(columns: 2, rows: 1)
      for pen in order { canvas.set(pen.layer, 0, pen: pen) }
      canvas.set(2, 0, pen: faint)
      let grid = drawn(canvas)
      #expect(grid.lines == ["⠉⠁"])
      #expect(grid.rows[0].map(\.style.role) == [UInt8(ascii: "b"), UInt8(ascii: "f")])
    }
  }

  @Test func `text is kept, lines give way, and dots drawn before are joined`() {
    var canvas = BrailleCanvas(columns: 3, rows: 1)
    for x in 0..<6 { canvas.set(x, 0, pen: faint) }
    var grid = CellGrid(columns: 3, rows: 1)
    grid.write("a┆⡀", at: Point(column: 0, row: 0), style: .plain)
    canvas.draw(into: &grid, at: Point(column: 0, row: 0))
    #expect(grid.lines == ["a⠉⡉"])
    canvas.draw(into: &grid, at: Point(column: 0, row: 0), overText: true)
    #expect(grid.lines == ["⠉⠉⡉"])
  }

  @Test func `the background below shines through`() {
    let background = Color.rgb(1, 2, 3)
    var grid = CellGrid(columns: 1, rows: 1, style: Style(background: background))
    var canvas = BrailleCanvas(columns: 1, rows: 1)
    canvas.set(0, 0, pen: faint)
    canvas.draw(into: &grid, at: Point(column: 0, row: 0))
    #expect(grid[0, 0].style.background == background)
  }

  @Test(arguments: [(Symbols.console, "▀▄▌▐█"), (Symbols.ascii, "'.||#")])
  func `without braille the nearest sign stands for the dots`(graph: Symbols, shown: String) {
    var canvas = BrailleCanvas(columns: 5, rows: 1)
    for x in 0...1 { canvas.span(x: x, from: 0, to: 1, pen: faint) }
    for x in 2...3 { canvas.span(x: x, from: 2, to: 3, pen: faint) }
    canvas.span(x: 4, from: 0, to: 3, pen: faint)
    canvas.span(x: 7, from: 0, to: 3, pen: faint)
    for x in 8...9 { canvas.span(x: x, from: 0, to: 3, pen: faint) }
    #expect(drawn(canvas, symbols: graph).lines == [shown])
    var later = drawn(canvas)
    later.adapt(to: graph)
    #expect(later.lines == [shown])
  }

  @Test func `slopes show in ASCII`() {
    var canvas = BrailleCanvas(columns: 2, rows: 1)
    canvas.line(from: (0, 0), to: (1, 3), pen: faint)
    canvas.line(from: (2, 3), to: (3, 0), pen: faint)
    #expect(drawn(canvas, symbols: .ascii).lines == ["\\/"])
  }
}
