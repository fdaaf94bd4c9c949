import Screen
import Testing

struct CellGridTests {
  @Test func `a write past the edge is cut`() {
    var grid = CellGrid(columns: 4, rows: 1)
    grid.write("abcdef", at: Point(column: 1, row: 0), style: .plain)
    #expect(grid.lines == [" abc"])
  }
}
