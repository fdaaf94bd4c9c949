import Screen
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(15)))
struct SymbolsTests {
  private static let words = "9,278 → 12 × · … ✓ ▲ ◆ ● ⣿⡀ ▁▄█ ┌─┆┐ é σ ±"

  @Test func `all of Unicode stays as it is`() {
    #expect(Symbols.unicode.adapt(SymbolsTests.words) == SymbolsTests.words)
  }

  @Test func `ASCII has something near for each, column for column`() {
    let adapted = Symbols.ascii.adapt(SymbolsTests.words)
    #expect(adapted == "9,278 > 12 x . . + ! + * #_ .=# +-:+ e s ~")
    #expect(TextWidth.columns(of: adapted) == TextWidth.columns(of: SymbolsTests.words))
  }

  @Test func `the console keeps what its font has`() {
    #expect(
      Symbols.console.adapt(SymbolsTests.words) == "9,278 → 12 × · . √ ▲ ♦ • █▄  ▄█ ┌─:┐ é s ±")
  }

  @Test func `fractions are written out where they are text`() {
    #expect(Symbols.ascii.adapt("⅛ ½") == "1/8 1/2")
    #expect(Symbols.console.adapt("⅛ ½") == "1/8 ½")
  }

  @Test func `a grid brought down to ASCII holds nothing else and keeps its columns`() {
    var grid = CellGrid(columns: 13, rows: 1)
    grid.write("日本 → ½ 👍Жø", at: Point(column: 0, row: 0), style: .plain)
    grid.adapt(to: .ascii)
    #expect(grid.lines == ["???? > 2 ????"])
    #expect(grid.rows.joined().allSatisfy { (0x20...0x7E).contains($0.scalar) })
  }

  @Test(arguments: [("unicode", Symbols.unicode), ("console", .console), ("ascii", .ascii)])
  func `a box with a line in it`(name: String, symbols: Symbols) {
    var grid = CellGrid(columns: 20, rows: 6)
    grid.drawBox(grid.bounds, symbols: symbols, style: Style(role: UInt8(ascii: "b")))
    grid.write(
      symbols.adapt(" loss → 1.98 "), at: Point(column: 2, row: 0),
      style: Style(role: UInt8(ascii: "T")))
    var canvas = BrailleCanvas(columns: 18, rows: 4)
    let pen = BrailleCanvas.Pen(style: Style(role: UInt8(ascii: "l")))
    canvas.line(from: (0, 0), to: (20, 12), pen: pen)
    canvas.span(x: 24, from: 2, to: 14, pen: pen)
    canvas.line(from: (25, 13), to: (35, 13), pen: pen)
    canvas.draw(into: &grid, at: Point(column: 1, row: 1), symbols: symbols)
    expectScreen(grid, "symbols", name)
  }

  @Test func `a box that has no room is not drawn`() {
    var grid = CellGrid(columns: 3, rows: 1)
    grid.drawBox(grid.bounds, symbols: .unicode, style: .plain)
    #expect(grid.lines == ["   "])
  }
}
