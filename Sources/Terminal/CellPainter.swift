import CNcurses
import Screen

/// Puts the cells of a grid that differ from the last one into a window of curses.
struct CellPainter {
  let window: UnsafeMutablePointer<WINDOW>?
  let depth: Capabilities.Colors
  let paletteSize: Int
  /// Whether to make do with near colours when the pairs run out, or to give up.
  let mayLackPairs: Bool

  private var lastStyle: Style?
  private var attributes: attr_t = 0
  private var pair: Int32 = 0

  init(
    window: UnsafeMutablePointer<WINDOW>?, depth: Capabilities.Colors, paletteSize: Int,
    mayLackPairs: Bool
  ) {
    self.window = window
    self.depth = depth
    self.paletteSize = paletteSize
    self.mayLackPairs = mayLackPairs
  }

  /// False when it gave up for want of pairs.
  mutating func paint(
    _ grid: CellGrid, over last: CellGrid?, size: Size, pairs: inout ColorPairs
  ) -> Bool {
    for row in 0..<min(grid.size.rows, size.rows) {
      let cells = grid.rows[row]
      let before = last?.rows[row]
      guard before != cells else { continue }
      for column in 0..<min(cells.count, size.columns) {
        let cell = cells[column]
        guard before?[column] != cell, !cell.isContinuation else { continue }
        guard choose(cell.style, pairs: &pairs) else { return false }
        let isWide = column + 1 < cells.count && cells[column + 1].isContinuation
        put(cell.scalar, isWide: isWide, row: row, column: column, columns: size.columns)
      }
    }
    return true
  }

  private mutating func choose(_ style: Style, pairs: inout ColorPairs) -> Bool {
    if let lastStyle, lastStyle.looks(like: style) { return true }
    let appearance = CellAppearance(style, depth: depth, paletteSize: paletteSize)
    guard
      let number = pairs.number(appearance.colors)
        ?? (mayLackPairs ? pairs.substitute(appearance.colors) : nil)
    else { return false }
    lastStyle = style
    attributes = appearance.attributes
    pair = number
    return true
  }

  /// Where curses counts other columns for a character than the grid does, question marks keep the
  /// rest of the row in its place.
  private func put(_ scalar: UInt32, isWide: Bool, row: Int, column: Int, columns: Int) {
    let width = isWide ? 2 : 1
    let isAgreed = curses_columns(wchar_t(bitPattern: scalar)) == width && column + width <= columns
    let shown: [UInt32] = isAgreed ? [scalar] : Array(repeating: 0x3F, count: width)
    for (index, value) in shown.enumerated() where column + index < columns {
      var cell = curses_cell(wchar_t(bitPattern: value), attributes, pair)
      mvwadd_wchnstr(window, Int32(row), Int32(column + index), &cell, 1)
    }
  }
}
