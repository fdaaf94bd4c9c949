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
  BottomBar(state).draw(on: &grid, in: layout.bottomBar, state)
  drawToast(on: &grid, layout, state)
  for layer in state.layers { layer.draw(on: &grid, state) }
  grid.adapt(to: state.appearance.symbols)
  return grid
}

/// A passing word, at the right of the bottom row.
private func drawToast(on grid: inout CellGrid, _ layout: Layout, _ state: DashboardState) {
  guard let toast = state.toast, !layout.bottomBar.isEmpty else { return }
  let row = layout.bottomBar
  let text = " " + TextWidth.truncated(toast.text, to: row.columns - 2) + " "
  let columns = min(row.columns, TextWidth.columns(of: text))
  let theme = state.appearance.theme
  let place = row.right(columns)
  grid.fill(row.right(columns + 1), style: theme.style(.text))
  grid.write(text, at: place.origin, style: theme.style(toast.role, .bold), maxColumns: columns)
}
