import Screen
import Testing

@Suite(.timeLimit(.minutes(15)))
struct RectTests {
  @Test func `parts lie inside, whatever is asked for`() {
    for columns in 0...5 {
      for rows in 0...5 {
        let rect = Rect(column: 2, row: 3, columns: columns, rows: rows)
        for count in -2...7 {
          let parts = [
            rect.left(count), rect.right(count), rect.top(count), rect.bottom(count),
            rect.droppingLeft(count), rect.droppingRight(count), rect.droppingTop(count),
            rect.droppingBottom(count), rect.inset(by: count),
            rect.centered(Size(columns: count, rows: count)),
          ]
          for part in parts + rect.splitRows(count, 2, count) + rect.splitColumns(1, count, 9) {
            #expect(rect.contains(part), "\(part) in \(rect), asked for \(count)")
          }
        }
      }
    }
  }

  @Test func `rows split from the top and the last are cut`() {
    let parts = Rect(column: 0, row: 0, columns: 4, rows: 5).splitRows(2, 0, 4, 1)
    #expect(parts.map(\.row) == [0, 2, 2, 5])
    #expect(parts.map(\.rows) == [2, 0, 3, 0])
  }

  @Test func `rectangles side by side do not intersect`() {
    let left = Rect(column: 0, row: 0, columns: 3, rows: 3)
    #expect(!left.intersects(Rect(column: 3, row: 0, columns: 3, rows: 3)))
    #expect(
      left.intersection(Rect(column: 2, row: 1, columns: 9, rows: 1))
        == Rect(column: 2, row: 1, columns: 1, rows: 1))
    #expect(left.contains(Point(column: 2, row: 2)))
    #expect(!left.contains(Point(column: 3, row: 2)))
  }
}
