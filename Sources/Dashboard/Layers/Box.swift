import Screen

/// A bordered box in the middle of the screen that covers what lies behind.
struct Box {
  let inside: Rect

  /// Draws the border, the title and the keys at the bottom, and clears the inside.
  init(
    on grid: inout CellGrid, _ state: DashboardState, columns: Int, rows: Int, title: String,
    keys: [(key: String, label: String)]
  ) {
    let theme = state.appearance.theme
    // Step and loss, in the first row, are never covered.
    let screen = grid.bounds.droppingTop(grid.size.rows >= 6 ? 1 : 0)
    let outer = screen.inset(
      columns: screen.columns >= 44 ? 2 : 0, rows: screen.rows >= 20 ? 1 : 0
    ).centered(Size(columns: columns + 4, rows: rows + 2))
    grid.fill(outer, style: theme.style(.text))
    grid.drawBox(outer, symbols: state.appearance.symbols, style: theme.style(.borderFocused))
    inside = outer.inset(columns: 2, rows: 1)
    grid.write(
      " \(title) ", at: Point(column: outer.column + 2, row: outer.row),
      style: theme.style(.title), maxColumns: outer.columns - 4)
    drawKeys(
      keys, on: &grid, in: outer.bottom(1).inset(columns: 2), theme: theme)
  }

  /// As many of the keys as fit.
  private func drawKeys(
    _ keys: [(key: String, label: String)], on grid: inout CellGrid, in rect: Rect, theme: Theme
  ) {
    var point = rect.origin
    for (key, label) in keys {
      let hint = Line([Span(" \(key)", .key), Span(" \(label) ", .faint)])
      guard point.column + hint.columns <= rect.endColumn else { return }
      point.column = hint.draw(on: &grid, at: point, theme: theme)
    }
  }
}
