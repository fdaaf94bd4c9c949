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
    let screen = grid.bounds
    let outer = screen.inset(
      columns: screen.columns >= 44 ? 2 : 0, rows: screen.rows >= 16 ? 1 : 0
    ).centered(Size(columns: columns + 4, rows: rows + 2))
    grid.fill(outer, style: theme.style(.text))
    grid.drawBox(outer, symbols: state.appearance.symbols, style: theme.style(.borderFocused))
    inside = outer.inset(columns: 2, rows: 1)
    grid.write(
      " \(title) ", at: Point(column: outer.column + 2, row: outer.row),
      style: theme.style(.title), maxColumns: outer.columns - 4)
    let hints = Line(
      keys.flatMap { [Span(" \($0.key)", .key), Span(" \($0.label) ", .faint)] })
    let bottom = Rect(
      column: outer.column + 2, row: outer.endRow - 1, columns: outer.columns - 4, rows: 1)
    hints.fitted(to: bottom.columns).draw(on: &grid, at: bottom.origin, theme: theme)
  }
}
