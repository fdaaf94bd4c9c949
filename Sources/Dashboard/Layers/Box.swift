package import Screen

/// A bordered box in the middle of the screen that covers what lies behind.
///
/// It remembers what was drawn where, so that a click finds what it is on.
package struct Box {
  let outer: Rect
  let inside: Rect
  private var hints: [(rect: Rect, hint: KeyHint)] = []
  private var lines: [(rect: Rect, index: Int)] = []

  /// Draws the border, the title and the keys at the bottom, and clears the inside.
  init(
    on grid: inout CellGrid, _ state: DashboardState, columns: Int, rows: Int, title: String,
    keys: [KeyHint]
  ) {
    let theme = state.appearance.theme
    // Step and loss, in the first row, are never covered.
    let screen = grid.bounds.droppingTop(grid.size.rows >= 6 ? 1 : 0)
    outer = screen.inset(
      columns: screen.columns >= 44 ? 2 : 0, rows: screen.rows >= 20 ? 1 : 0
    ).centered(Size(columns: columns + 4, rows: rows + 2))
    grid.fill(outer, style: theme.style(.text))
    grid.drawBox(outer, symbols: state.appearance.symbols, style: theme.style(.borderFocused))
    inside = outer.inset(columns: 2, rows: 1)
    grid.write(
      " \(title) ", at: Point(column: outer.column + 2, row: outer.row),
      style: theme.style(.title), maxColumns: outer.columns - 4)
    drawKeys(
      keys.map { $0.spelled(with: state.appearance.symbols) }, on: &grid,
      in: outer.bottom(1).inset(columns: 2), theme: theme)
  }

  /// Something that covers `rect` and draws itself.
  init(covering rect: Rect) {
    outer = rect
    inside = rect
  }

  /// Draws a key with its word and notes it for clicks.
  mutating func draw(
    _ hint: KeyHint, on grid: inout CellGrid, at point: Point, _ state: DashboardState
  ) {
    let line = Line([Span(hint.sign, .key), Span(" \(hint.label)", .faint)])
    line.draw(on: &grid, at: point, theme: state.appearance.theme)
    // A hint's place begins one cell before its sign.
    let place = Rect(
      column: point.column - 1, row: point.row, columns: line.columns + 1, rows: 1)
    hints.append((place, hint))
  }

  /// As many of the keys as fit.
  private mutating func drawKeys(
    _ keys: [KeyHint], on grid: inout CellGrid, in rect: Rect, theme: Theme
  ) {
    var point = rect.origin
    for hint in keys {
      let line = Line([Span(" \(hint.sign)", .key), Span(" \(hint.label) ", .faint)])
      guard point.column + line.columns <= rect.endColumn else { return }
      let place = Rect(column: point.column, row: point.row, columns: line.columns, rows: 1)
      hints.append((place, hint))
      point.column = line.draw(on: &grid, at: point, theme: theme)
    }
  }

  /// Says at the top right which entry of how many is chosen, where not all of them are in sight.
  func drawPlace(
    _ list: ListCursor, of count: Int, showing shown: Int, on grid: inout CellGrid, theme: Theme
  ) {
    guard shown < count else { return }
    let text = " \(list.index + 1) of \(count) "
    let columns = TextWidth.columns(of: text)
    guard outer.columns >= columns + 20 else { return }
    grid.write(
      text, at: Point(column: outer.endColumn - 2 - columns, row: outer.row),
      style: theme.style(.faint))
  }

  /// Draws the part of a list that has room in `rect`, a line an entry, the chosen one on a surface
  /// of its own; `draw` fills each.
  mutating func drawList(
    _ list: ListCursor, of count: Int, on grid: inout CellGrid, in rect: Rect, theme: Theme,
    _ draw: (_ grid: inout CellGrid, _ index: Int, _ line: Rect, _ surface: Role) -> Void
  ) {
    let shown = list.visible(count: count, rows: rect.rows)
    drawPlace(list, of: count, showing: shown.count, on: &grid, theme: theme)
    for (place, index) in shown.enumerated() {
      let line = rect.droppingTop(place).top(1)
      let surface: Role = index == list.index ? .selection : .background
      note(index, in: line)
      grid.fill(line, style: theme.style(.text, on: surface))
      draw(&grid, index, line, surface)
    }
  }

  /// Notes that entry `index` of the box's list stands in `rect`.
  mutating func note(_ index: Int, in rect: Rect) {
    lines.append((rect, index))
  }
}

extension Box {
  package enum Target: Sendable, Hashable {
    case outside
    case key(Key)
    /// An entry of the list.
    case entry(Int)
    /// Where there is nothing to press.
    case nothing
  }

  func target(at point: Point) -> Target {
    guard outer.contains(point) else { return .outside }
    if let (rect, hint) = hints.first(where: { $0.rect.contains(point) }) {
      return hint.key(at: point.column - rect.column - 1).map { .key($0) } ?? .nothing
    }
    return lines.first { $0.rect.contains(point) }.map { .entry($0.index) } ?? .nothing
  }
}
