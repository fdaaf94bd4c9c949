package import Screen

/// The whole screen, from the state alone.
package func view(_ state: DashboardState) -> CellGrid {
  let theme = state.appearance.theme
  var grid = CellGrid(size: state.size, style: theme.style(.background))
  let layout = state.layout
  Header(state).draw(on: &grid, in: layout.header)
  Banner(state)?.draw(on: &grid, in: layout.banner, state)
  for (pane, rect) in layout.panes {
    PaneFrame(pane, isLine: pane == .events && layout.hasEventLine).draw(on: &grid, in: rect, state)
  }
  drawBottom(on: &grid, in: layout.bottomBar, state)
  for layer in state.layers { layer.draw(on: &grid, state) }
  grid.adapt(to: state.appearance.symbols)
  return grid
}

/// The keys, and at the right a passing word that they make room for.
private func drawBottom(on grid: inout CellGrid, in row: Rect, _ state: DashboardState) {
  guard !row.isEmpty else { return }
  guard let toast = state.toast else {
    BottomBar(state).draw(on: &grid, in: row, state)
    return
  }
  let text = toast.text.cutBetweenWords(to: row.columns - 2)
  let columns = TextWidth.columns(of: text) + 1
  BottomBar(state, toastColumns: columns + 2).draw(on: &grid, in: row, state)
  grid.write(
    text, at: row.right(columns).origin,
    style: state.appearance.theme.style(toast.role, .bold))
}
