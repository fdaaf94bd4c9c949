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

/// A passing word on the row above the keys: in the place of the line of events, else on the lowest
/// border. The keys are never covered.
private func drawToast(on grid: inout CellGrid, _ layout: Layout, _ state: DashboardState) {
  let row = layout.messageRow
  guard let toast = state.toast, row.columns >= 8 else { return }
  let style = state.appearance.theme.style(toast.role, .bold)
  guard !layout.hasEventLine else {
    grid.fill(row, " ", style: state.appearance.theme.style(.background))
    let text = toast.text.cutBetweenWords(to: row.columns - 2)
    grid.write(text, at: row.origin.offset(columns: 1), style: style)
    return
  }
  toast.draw(on: &grid, onBorder: row, style: style)
}

extension Toast {
  /// Writes it into the lowest row of a border, at the right.
  func draw(on grid: inout CellGrid, onBorder row: Rect, style: Style) {
    let words = " \(text.cutBetweenWords(to: row.columns - 6)) "
    let columns = TextWidth.columns(of: words)
    grid.write(words, at: row.droppingRight(2).right(columns).origin, style: style)
  }
}
