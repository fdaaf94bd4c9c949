import Screen

extension DashboardState {
  /// A click focuses a pane or presses what the bottom bar shows; the wheel zooms in time at the
  /// pointer, or scrolls a list.
  mutating func point(_ event: MouseEvent) -> [Effect] {
    if !layers.isEmpty {
      switch event.kind {
      case .wheelUp: return press(.up)
      case .wheelDown: return press(.down)
      default: return []
      }
    }
    let layout = layout
    switch event.kind {
    case .pressed where layout.bottomBar.contains(event.point):
      guard let item = BottomBar(self).item(at: event.point.column) else { return [] }
      return run(item.command)
    case .pressed:
      if let pane = pane(at: event.point, in: layout) { arrangement.focus = pane }
    case .wheelUp, .wheelDown:
      guard let pane = pane(at: event.point, in: layout) else { return [] }
      wheel(isUp: event.kind == .wheelUp, over: pane, at: event.point, in: layout)
    default:
      break
    }
    return []
  }

  private func pane(at point: Point, in layout: Layout) -> PaneID? {
    layout.panes.first { $0.value.contains(point) }?.key
  }

  private mutating func wheel(isUp: Bool, over pane: PaneID, at point: Point, in layout: Layout) {
    if pane.isScrollable {
      arrangement.focus = pane
      if !isUp || (viewport.scroll[pane] ?? 0) > 0 { moveVertically(by: isUp ? -1 : 1) }
      return
    }
    guard let rect = layout.panes[pane], rect.columns > 0 else { return }
    let shown = viewport.window(in: steps).steps
    let share = Double(point.column - rect.column) / Double(rect.columns)
    let step = shown.lowerBound + Int(Double(shown.count) * share)
    viewport.scale(by: isUp ? 0.5 : 2, in: steps, around: step)
  }
}
