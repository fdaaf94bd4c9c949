/// One place of the screen: a Unicode scalar and how it looks.
///
/// A wide character takes two cells; the right one holds the scalar 0.
package struct Cell: Hashable, Sendable {
  package var scalar: UInt32
  package var style: Style

  package init(scalar: UInt32 = 0x20, style: Style = .plain) {
    self.scalar = scalar
    self.style = style
  }

  package init(_ scalar: Unicode.Scalar, style: Style = .plain) {
    self.init(scalar: scalar.value, style: style)
  }

  package static let blank = Cell()

  package var isBlank: Bool { scalar == 0x20 }
  package var isContinuation: Bool { scalar == 0 }
}

/// The screen as a value: rows of cells. Every write is cut to the grid and to the clip in force,
/// so that no size, place or text traps.
package struct CellGrid: Sendable {
  package let size: Size
  package private(set) var rows: [[Cell]]
  private var clip: Rect

  package init(size: Size, style: Style = .plain) {
    self.size = size
    let row = [Cell](repeating: Cell(style: style), count: size.columns)
    rows = [[Cell]](repeating: row, count: size.rows)
    clip = Rect(size)
  }

  package init(columns: Int, rows: Int, style: Style = .plain) {
    self.init(size: Size(columns: columns, rows: rows), style: style)
  }

  package var bounds: Rect { Rect(size) }

  /// Reading outside the grid gives a blank; writing there does nothing.
  package subscript(column: Int, row: Int) -> Cell {
    get {
      bounds.contains(Point(column: column, row: row)) ? rows[row][column] : .blank
    }
    set {
      guard clip.contains(Point(column: column, row: row)) else { return }
      place(newValue, column, row)
    }
  }

  /// Runs `body` with every write cut to `rect` as well.
  package mutating func clipped(to rect: Rect, _ body: (inout CellGrid) -> Void) {
    let outer = clip
    clip = clip.intersection(rect)
    body(&self)
    clip = outer
  }

  /// Writes one line of text and returns how many columns it takes, cut to `maxColumns`; what lies
  /// outside the grid counts as taken. A wide character is never cut in half, combining marks that
  /// have no composed form are left out, and control characters show as a replacement.
  @discardableResult
  package mutating func write(
    _ text: String, at point: Point, style: Style, maxColumns: Int? = nil
  ) -> Int {
    let limit = maxColumns ?? Int.max
    var used = 0
    for (scalar, width) in DisplayScalars(text) {
      guard width <= limit - used else { break }
      put(scalar, width: width, at: point.offset(columns: used), style: style)
      used += width
    }
    return used
  }

  /// Writes so that the text ends before `endColumn`; the start is kept where it does not fit in
  /// `maxColumns`. Returns the columns used.
  @discardableResult
  package mutating func writeRight(
    _ text: String, endColumn: Int, row: Int, style: Style, maxColumns: Int? = nil
  ) -> Int {
    let width = min(TextWidth.columns(of: text), maxColumns ?? Int.max)
    return write(
      text, at: Point(column: endColumn - width, row: row), style: style, maxColumns: width)
  }

  @discardableResult
  package mutating func writeCentered(_ text: String, in rect: Rect, style: Style) -> Int {
    let width = min(TextWidth.columns(of: text), rect.columns)
    let column = rect.column + (rect.columns - width) / 2
    return write(
      text, at: Point(column: column, row: rect.row), style: style, maxColumns: width)
  }

  package mutating func fill(_ rect: Rect, _ scalar: Unicode.Scalar = " ", style: Style) {
    let area = rect.intersection(clip)
    guard !area.isEmpty else { return }
    for row in area.row..<area.endRow {
      for column in area.column..<area.endColumn {
        place(Cell(scalar, style: style), column, row)
      }
    }
  }

  /// Changes how cells look and leaves what they say.
  package mutating func restyle(_ rect: Rect, _ change: (inout Style) -> Void) {
    let area = rect.intersection(clip)
    guard !area.isEmpty else { return }
    for row in area.row..<area.endRow {
      for column in area.column..<area.endColumn { change(&rows[row][column].style) }
    }
  }

  /// Copies another grid's cells to a place in this one.
  package mutating func draw(_ other: CellGrid, at point: Point) {
    for row in 0..<other.size.rows {
      for column in 0..<other.size.columns {
        let cell = other.rows[row][column]
        guard !cell.isContinuation, let scalar = Unicode.Scalar(cell.scalar) else { continue }
        let width = other[column + 1, row].isContinuation ? 2 : 1
        let target = point.offset(columns: column, rows: row)
        put(scalar, width: width, at: target, style: cell.style)
      }
    }
  }

  /// Replaces cells one for one; what `change` gives has to have the width of what it got.
  mutating func mapCells(_ change: (inout Cell) -> Void) {
    for row in rows.indices {
      for column in rows[row].indices { change(&rows[row][column]) }
    }
  }

  private mutating func put(
    _ scalar: Unicode.Scalar, width: Int, at point: Point, style: Style
  ) {
    guard width == 2 else {
      self[point.column, point.row] = Cell(scalar, style: style)
      return
    }
    let right = point.offset(columns: 1)
    guard clip.contains(point), clip.contains(right) else {
      self[point.column, point.row] = Cell(style: style)
      self[right.column, right.row] = Cell(style: style)
      return
    }
    place(Cell(scalar, style: style), point.column, point.row)
    place(Cell(style: style), right.column, right.row)
    rows[right.row][right.column].scalar = 0
  }

  /// A half of a wide character that loses its other half becomes a blank.
  private mutating func place(_ cell: Cell, _ column: Int, _ row: Int) {
    if rows[row][column].isContinuation, column > 0 {
      rows[row][column - 1].scalar = Cell.blank.scalar
    }
    if column + 1 < size.columns, rows[row][column + 1].isContinuation {
      rows[row][column + 1].scalar = Cell.blank.scalar
    }
    rows[row][column] = cell
  }
}

extension CellGrid: Equatable {
  package static func == (left: CellGrid, right: CellGrid) -> Bool {
    left.size == right.size && left.rows == right.rows
  }
}
