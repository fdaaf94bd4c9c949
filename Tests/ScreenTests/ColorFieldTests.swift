import Screen
import Testing

@Suite(.timeLimit(.minutes(15)))
struct ColorFieldTests {
  private let cool = ColorField.Sample(color: .rgb(0, 0, 200), level: 0.12)
  private let hot = ColorField.Sample(color: .rgb(200, 0, 0), level: 1)

  private func drawn(_ field: ColorField, _ rendering: ColorField.Rendering) -> CellGrid {
    var grid = CellGrid(columns: field.columns, rows: field.sampleRows / 2)
    field.draw(into: &grid, at: Point(column: 0, row: 0), style: .plain, rendering: rendering)
    return grid
  }

  @Test func `a cell shows two samples, or the one it has`() {
    var field = ColorField(columns: 4, rows: 1)
    field[0, 0] = cool
    field[0, 1] = hot
    field[1, 0] = cool
    field[2, 1] = hot
    field[9, 9] = hot
    let grid = drawn(field, .halfBlocks)
    #expect(grid.lines == ["▀▀▄ "])
    #expect(grid[0, 0].style.foreground == cool.color)
    #expect(grid[0, 0].style.background == hot.color)
    #expect(grid[1, 0].style.background == .terminalDefault)
    #expect(grid[2, 0].style.foreground == hot.color)
  }

  @Test func `without colours the larger level shows as a digit`() {
    var field = ColorField(columns: 3, rows: 1)
    field[0, 0] = cool
    field[1, 0] = cool
    field[1, 1] = hot
    field[2, 0] = ColorField.Sample(color: .terminalDefault, level: .nan)
    #expect(drawn(field, .digits).lines == ["190"])
  }

  @Test func `an empty field draws nothing`() {
    #expect(drawn(ColorField(columns: 0, rows: 0), .halfBlocks).lines.isEmpty)
    #expect(drawn(ColorField(columns: -1, rows: 2), .digits).lines == ["", ""])
  }
}
