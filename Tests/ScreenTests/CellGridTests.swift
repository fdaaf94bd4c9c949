import Screen
import Testing

@Suite(.timeLimit(.minutes(15)))
struct CellGridTests {
  private static let sizes = [(0, 0), (1, 0), (0, 1), (1, 1), (2, 1), (5, 3)]

  @Test(arguments: sizes)
  func `writes at any place leave a grid of any size whole`(columns: Int, rows: Int) {
    var grid = CellGrid(columns: columns, rows: rows)
    for row in -2...4 {
      for column in -4...7 {
        let point = Point(column: column, row: row)
        #expect(grid.write("日a本", at: point, style: .plain) == 5)
        grid.fill(Rect(column: column, row: row, columns: 3, rows: 3), "#", style: .plain)
        grid[column, row] = Cell("x")
        grid.writeRight("right", endColumn: column, row: row, style: .plain)
        grid.draw(grid, at: point)
      }
    }
    #expect(grid.rows.count == rows)
    #expect(grid.rows.allSatisfy { $0.count == columns })
    #expect(grid.lines.allSatisfy { TextWidth.columns(of: $0) == columns })
  }

  @Test func `a write past the edge is cut`() {
    var grid = CellGrid(columns: 4, rows: 1)
    #expect(grid.write("abcdef", at: Point(column: 1, row: 0), style: .plain) == 6)
    #expect(grid.lines == [" abc"])
    grid.write("123", at: Point(column: -1, row: 0), style: .plain)
    #expect(grid.lines == ["23bc"])
  }

  @Test func `a write stops at its own limit`() {
    var grid = CellGrid(columns: 8, rows: 1)
    #expect(grid.write("日本語", at: Point(column: 0, row: 0), style: .plain, maxColumns: 5) == 4)
    #expect(grid.lines == ["日本    "])
  }

  @Test func `a wide character is never cut in half at an edge`() {
    var grid = CellGrid(columns: 3, rows: 1)
    grid.write("a日本", at: Point(column: 0, row: 0), style: .plain)
    #expect(grid.lines == ["a日"])
    grid.write("本", at: Point(column: 2, row: 0), style: .plain)
    #expect(grid.lines == ["a日"] || grid.lines == ["a  "])
    #expect(!grid[2, 0].isContinuation || grid[1, 0].scalar == 0x65E5)
    grid.write("日本", at: Point(column: -1, row: 0), style: .plain)
    #expect(grid.lines == [" 本"])
  }

  @Test func `overwriting half of a wide character leaves a blank for the other half`() {
    var grid = CellGrid(columns: 4, rows: 1)
    grid.write("日本", at: Point(column: 0, row: 0), style: .plain)
    grid.write("x", at: Point(column: 1, row: 0), style: .plain)
    #expect(grid.lines == [" x本"])
    grid.write("y", at: Point(column: 2, row: 0), style: .plain)
    #expect(grid.lines == [" xy "])
  }

  @Test(arguments: [
    ("a\u{1B}[31mb", "a\u{FFFD}[31mb"), ("a\tb\nc", "a b c"), ("e\u{301}", "é"),
    ("x\u{335}y", "xy"), ("a\u{202E}b\u{200B}c", "abc"), ("\u{301}a", "a"),
    ("👩‍👩‍👧", "👩"), ("\u{7F}\u{9B}", "\u{FFFD}\u{FFFD}"),
  ])
  func `marks and control characters are made harmless`(text: String, shown: String) {
    var grid = CellGrid(columns: TextWidth.columns(of: shown), rows: 1)
    grid.write(text, at: Point(column: 0, row: 0), style: .plain)
    #expect(grid.lines == [shown])
  }

  @Test func `a clip cuts every write and ends with its body`() {
    var grid = CellGrid(columns: 5, rows: 2)
    grid.clipped(to: Rect(column: 1, row: 0, columns: 3, rows: 1)) { grid in
      grid.fill(grid.bounds, "#", style: .plain)
      grid.write("日日日", at: Point(column: 0, row: 0), style: .plain)
    }
    grid.write("z", at: Point(column: 4, row: 1), style: .plain)
    #expect(grid.lines == ["  日 ", "    z"])
  }

  @Test func `text can end at a column`() {
    var grid = CellGrid(columns: 8, rows: 2)
    grid.writeRight("1.98", endColumn: 8, row: 0, style: .plain)
    grid.writeRight("1.98 nats", endColumn: 6, row: 1, style: .plain, maxColumns: 4)
    #expect(grid.lines == ["    1.98", "  1.98  "])
  }

  @Test func `reading outside gives a blank`() {
    let grid = CellGrid(columns: 1, rows: 1, style: Style(role: UInt8(ascii: "t")))
    #expect(grid[-1, 0] == .blank)
    #expect(grid[0, 1] == .blank)
    #expect(grid[0, 0].style.role == UInt8(ascii: "t"))
  }

  @Test func `a cell is sixteen bytes`() {
    #expect(MemoryLayout<Cell>.stride == 16)
  }
}
