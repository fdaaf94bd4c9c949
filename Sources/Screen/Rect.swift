/// A number of columns and rows; never negative.
package struct Size: Hashable, Sendable {
  package var columns: Int
  package var rows: Int

  package init(columns: Int, rows: Int) {
    self.columns = max(0, columns)
    self.rows = max(0, rows)
  }

  package var isEmpty: Bool { columns == 0 || rows == 0 }
}

/// A cell's place, from the top left; it may lie outside every grid.
package struct Point: Hashable, Sendable {
  package var column: Int
  package var row: Int

  package init(column: Int, row: Int) {
    self.column = column
    self.row = row
  }

  package func offset(columns: Int = 0, rows: Int = 0) -> Point {
    Point(column: column + columns, row: row + rows)
  }
}

/// A rectangle of cells. Every part taken from it lies inside it, so that a layout for a terminal
/// that is too small comes out empty instead of wrong.
package struct Rect: Hashable, Sendable {
  package var column: Int
  package var row: Int
  package var columns: Int
  package var rows: Int

  package init(column: Int, row: Int, columns: Int, rows: Int) {
    self.column = column
    self.row = row
    self.columns = max(0, columns)
    self.rows = max(0, rows)
  }

  package init(origin: Point, size: Size) {
    self.init(column: origin.column, row: origin.row, columns: size.columns, rows: size.rows)
  }

  /// The whole of a grid of this size.
  package init(_ size: Size) {
    self.init(column: 0, row: 0, columns: size.columns, rows: size.rows)
  }

  package static let empty = Rect(column: 0, row: 0, columns: 0, rows: 0)

  package var isEmpty: Bool { columns == 0 || rows == 0 }
  package var size: Size { Size(columns: columns, rows: rows) }
  package var origin: Point { Point(column: column, row: row) }

  /// The first column to the right of it.
  package var endColumn: Int { column + columns }

  /// The first row below it.
  package var endRow: Int { row + rows }

  package func contains(_ point: Point) -> Bool {
    point.column >= column && point.column < endColumn && point.row >= row && point.row < endRow
  }

  package func contains(_ other: Rect) -> Bool {
    other.isEmpty || intersection(other) == other
  }

  package func intersection(_ other: Rect) -> Rect {
    let left = max(column, other.column)
    let top = max(row, other.row)
    let right = min(endColumn, other.endColumn)
    let bottom = min(endRow, other.endRow)
    return Rect(column: left, row: top, columns: right - left, rows: bottom - top)
  }

  package func intersects(_ other: Rect) -> Bool { !intersection(other).isEmpty }

  package func inset(by amount: Int) -> Rect { inset(columns: amount, rows: amount) }

  package func inset(columns: Int = 0, rows: Int = 0) -> Rect {
    let left = min(max(0, columns), self.columns)
    let top = min(max(0, rows), self.rows)
    return Rect(
      column: column + left, row: row + top,
      columns: self.columns - left - max(0, columns), rows: self.rows - top - max(0, rows))
  }

  package func left(_ count: Int) -> Rect {
    Rect(column: column, row: row, columns: min(max(0, count), columns), rows: rows)
  }

  package func right(_ count: Int) -> Rect {
    let taken = min(max(0, count), columns)
    return Rect(column: endColumn - taken, row: row, columns: taken, rows: rows)
  }

  package func top(_ count: Int) -> Rect {
    Rect(column: column, row: row, columns: columns, rows: min(max(0, count), rows))
  }

  package func bottom(_ count: Int) -> Rect {
    let taken = min(max(0, count), rows)
    return Rect(column: column, row: endRow - taken, columns: columns, rows: taken)
  }

  package func droppingLeft(_ count: Int) -> Rect { right(columns - max(0, count)) }
  package func droppingRight(_ count: Int) -> Rect { left(columns - max(0, count)) }
  package func droppingTop(_ count: Int) -> Rect { bottom(rows - max(0, count)) }
  package func droppingBottom(_ count: Int) -> Rect { top(rows - max(0, count)) }

  /// A rectangle of this size in the middle, cut to what is there.
  package func centered(_ size: Size) -> Rect {
    let columns = min(size.columns, self.columns)
    let rows = min(size.rows, self.rows)
    return Rect(
      column: column + (self.columns - columns) / 2, row: row + (self.rows - rows) / 2,
      columns: columns, rows: rows)
  }

  /// Slices from the top with the given heights; the later ones are cut, then empty, where the rows
  /// run out.
  package func splitRows(_ heights: Int...) -> [Rect] { splitRows(heights) }

  package func splitRows(_ heights: [Int]) -> [Rect] {
    var rest = self
    return heights.map { height in
      let slice = rest.top(height)
      rest = rest.droppingTop(height)
      return slice
    }
  }

  /// Slices from the left with the given widths; the later ones are cut, then empty.
  package func splitColumns(_ widths: Int...) -> [Rect] { splitColumns(widths) }

  package func splitColumns(_ widths: [Int]) -> [Rect] {
    var rest = self
    return widths.map { width in
      let slice = rest.left(width)
      rest = rest.droppingLeft(width)
      return slice
    }
  }
}
