import Screen
import Signals

/// What a pressed button holds until it is let go.
enum Grip: Sendable, Hashable {
  /// A chart, by the step that was at the left of its window and the column of the press.
  case chart(PaneID, firstStep: Int, column: Int)
  /// The cursor of the charts.
  case cursor(PaneID)
  /// A replay's place.
  case timeline
}

extension DashboardState {
  /// A click focuses a pane, or presses what looks like a button; the wheel zooms in time at the
  /// pointer, or scrolls a list; dragging moves a zoomed chart, with the right button the cursor.
  mutating func point(_ event: MouseEvent) -> [Effect] {
    echo = nil
    if !layers.isEmpty {
      grip = nil
      switch event.kind {
      case .wheelUp: return press(.up)
      case .wheelDown: return press(.down)
      case .pressed: return click(event.point)
      default: return []
      }
    }
    switch event.kind {
    case .pressed: return pressed(event)
    case .dragged: drag(to: event.point)
    case .released: grip = nil
    case .wheelUp, .wheelDown:
      let layout = layout
      guard let pane = pane(at: event.point, in: layout) else { return [] }
      wheel(isUp: event.kind == .wheelUp, over: pane, at: event.point, in: layout)
    }
    return []
  }

  /// A click in a box: on a key of its border it presses the key, on an entry it goes there, on the
  /// chosen entry it takes it, outside it closes the box.
  private mutating func click(_ point: Point) -> [Effect] {
    guard var layer = layers.last else { return [] }
    switch layer.target(at: point, in: self) {
    case .outside: return press(.escape)
    case .key(let key): return press(key)
    case .entry(let index):
      layers.removeLast()
      let answer = layer.click(index, in: self)
      return take(answer, of: layer)
    case .nothing: return []
    }
  }

  private mutating func pressed(_ event: MouseEvent) -> [Effect] {
    let layout = layout
    let point = event.point
    if layout.bottomBar.contains(point) {
      return BottomBar(self).action(at: point.column).map { run(named: $0) } ?? []
    }
    if layout.banner.contains(point), let banner = Banner(self) {
      guard case .timeline = banner.kind else {
        return banner.key(at: point, in: layout.banner).map { press($0) } ?? []
      }
      guard Timeline(self).step(at: point, in: layout.banner) != nil else {
        return run(named: "play")
      }
      grip = .timeline
      drag(to: point)
      return []
    }
    guard let pane = pane(at: point, in: layout), let rect = layout.panes[pane] else { return [] }
    let wasFocused = arrangement.focus == pane
    arrangement.focus = pane
    if pane == .wall, let slot = wallSlot(at: point) { pressed(slot, wasFocused: wasFocused) }
    // The title is a button where it is lit already.
    if wasFocused, point.row == rect.row, rect.rows >= 3, !isBare(pane) {
      return run(named: "zoom")
    }
    if event.button == .right || viewport.cursor != nil {
      grip = .cursor(pane)
      drag(to: point)
    } else {
      let first = viewport.window(in: steps).steps.lowerBound
      grip = .chart(pane, firstStep: first, column: point.column)
    }
    return []
  }

  private mutating func drag(to point: Point) {
    let layout = layout
    switch grip {
    case .timeline:
      guard let step = Timeline(self).step(at: point, in: layout.banner) else { return }
      playback?.halt()
      jump(to: step)
    case .cursor(let pane):
      guard let rect = chartRect(of: pane, at: point, in: layout),
        let step = step(at: point, in: rect, of: pane)
      else { return }
      place(cursor: step)
    case .chart(let pane, let firstStep, let column):
      guard viewport.zoom != .all, let rect = layout.panes[pane], rect.columns > 2 else { return }
      let count = viewport.window(in: steps).steps.count
      let distance = Double(column - point.column) / Double(rect.columns - 2) * Double(count)
      viewport.show(from: firstStep + Int(distance.rounded()), count: count, in: steps)
    case nil:
      break
    }
  }

  /// The step whose cursor the pane draws under the pointer, whatever its charts' axes and margins;
  /// nil where it draws none.
  private func step(at point: Point, in rect: Rect, of pane: PaneID) -> Int? {
    let shown = viewport.window(in: steps).steps
    var (low, high) = (shown.lowerBound, shown.upperBound - 1)
    guard var left = cursorColumn(at: low, in: rect, of: pane, row: point.row),
      var right = cursorColumn(at: high, in: rect, of: pane, row: point.row)
    else { return nil }
    if point.column <= left { return low }
    if point.column >= right { return high }
    for turn in 0..<24 where high - low > 1 {
      // By proportion, and every third time by halves, for axes that are not linear.
      let share = Double(point.column - left) / Double(max(1, right - left))
      let guess = low + Int(Double(high - low) * (turn % 3 == 2 ? 0.5 : share))
      let middle = min(max(guess, low + 1), high - 1)
      guard let column = cursorColumn(at: middle, in: rect, of: pane, row: point.row) else {
        return nil
      }
      if column == point.column { return middle }
      if column < point.column { (low, left) = (middle, column) }
      if column > point.column { (high, right) = (middle, column) }
    }
    return point.column - left <= right - point.column ? low : high
  }

  private func cursorColumn(at step: Int, in rect: Rect, of pane: PaneID, row: Int) -> Int? {
    var copy = self
    copy.viewport.cursor = step
    var grid = CellGrid(size: size)
    let isLine = pane == .events && layout.hasEventLine
    if pane == .wall, let slot = wallSlot(at: rect.origin) {
      WallPane.draw(
        slot.tile, into: &grid, slot.rect, isBoxed: isBare(.wall), copy.context(for: pane))
    } else {
      PaneFrame(pane, isLine: isLine).draw(on: &grid, in: rect, copy)
    }
    func column(in row: Int) -> Int? {
      (rect.column..<rect.endColumn).first { column in
        let cell = grid[column, row]
        return cell.style.role == Role.cursor.rawValue
          && cell.scalar == appearance.symbols.vertical.value
      }
    }
    return column(in: row) ?? (rect.row..<rect.endRow).lazy.compactMap(column).first
  }

  private func pane(at point: Point, in layout: Layout) -> PaneID? {
    layout.panes.first { $0.value.contains(point) }?.key
  }

  private mutating func wheel(isUp: Bool, over pane: PaneID, at point: Point, in layout: Layout) {
    if isBare(.wall), pane == .wall, wall.zoomed == nil { return turnPage(by: isUp ? -1 : 1) }
    if pane.isScrollable {
      arrangement.focus = pane
      if !isUp || (viewport.scroll[pane] ?? 0) > 0 { moveVertically(by: isUp ? -1 : 1) }
      return
    }
    guard let rect = layout.panes[pane], rect.columns > 0 else { return }
    let shown = viewport.window(in: steps).steps
    let share = Double(point.column - rect.column) / Double(rect.columns)
    let step =
      self.step(at: point, in: rect, of: pane)
      ?? shown.lowerBound + Int(Double(shown.count) * share)
    viewport.scale(by: isUp ? 0.5 : 2, in: steps, around: step)
  }
}
