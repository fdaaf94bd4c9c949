import Screen

/// A pane with its border: title and digit at the left, the number that matters at the right.
struct PaneFrame {
  private let id: PaneID
  /// Without a border, where there is one row.
  private let isLine: Bool

  init(_ id: PaneID, isLine: Bool = false) {
    self.id = id
    self.isLine = isLine
  }

  func draw(on grid: inout CellGrid, in rect: Rect, _ state: DashboardState) {
    guard let pane = PaneCatalog.pane(id), !rect.isEmpty else { return }
    let context = state.context(for: id)
    if let bare = pane.bare, state.isBare(id) {
      return grid.clipped(to: rect) { bare(&$0, rect, context) }
    }
    guard !isLine, rect.rows >= 3, rect.columns >= 3 else {
      drawLine(pane, context, on: &grid, in: rect)
      return
    }
    let border: Role = context.isFocused ? .borderFocused : .border
    grid.drawBox(rect, symbols: context.symbols, style: context.style(border))
    let (title, headline) = caption(of: pane, context, in: rect, state)
    let titleEnd = draw(title, on: &grid, in: rect, theme: context.theme)
    draw(headline, on: &grid, in: rect, from: titleEnd, theme: context.theme)
    if context.isFocused, state.showsHelpHint { drawHelpHint(on: &grid, in: rect, state) }
    let inside = Self.inside(rect)
    grid.clipped(to: inside) { pane.draw(&$0, inside, context) }
  }

  /// What a pane with a border has for itself.
  static func inside(_ rect: Rect) -> Rect {
    rect.inset(columns: rect.columns >= 50 ? 2 : 1, rows: 1)
  }

  private func drawHelpHint(on grid: inout CellGrid, in rect: Rect, _ state: DashboardState) {
    let keys = state.arrangement.zoomed == nil ? [("enter", ", then "), ("?", "")] : [("?", "")]
    let line = Line(
      [Span(" ", .faint)] + keys.flatMap { [Span($0.0, .key), Span($0.1, .faint)] }
        + [Span(": what this shows ", .faint)])
    guard line.columns <= rect.columns - 4 else { return }
    line.draw(
      on: &grid, at: Point(column: rect.column + 2, row: rect.endRow - 1),
      theme: state.appearance.theme)
  }

  private func drawLine(
    _ pane: Pane, _ context: PaneContext, on grid: inout CellGrid, in rect: Rect
  ) {
    let inside = rect.inset(columns: rect.columns >= 30 ? 1 : 0)
    if context.isFocused {
      grid.write("▸", at: rect.origin, style: context.style(.borderFocused))
    }
    grid.clipped(to: inside) { pane.draw(&$0, inside, context) }
  }

  /// Title and headline, in few words where what the headline is to say at least has no room else.
  private func caption(
    of pane: Pane, _ context: PaneContext, in rect: Rect, _ state: DashboardState
  ) -> (title: Line, headline: Line) {
    let usual = title(pane, pane.title, state)
    let headline = Line(pane.headline(context))
    guard let brief = pane.brief else { return (usual, headline) }
    let least = Line(brief.headline(context))
    let short = title(pane, brief.title, state)
    for title in [usual, short] {
      let shown = headline.fitted(to: rect.columns - title.columns - 7).spans
      if least.spans.allSatisfy(shown.contains) { return (title, headline) }
    }
    return (short, least)
  }

  /// The pane's digit and name, and how it is looked at.
  private func title(_ pane: Pane, _ name: String, _ state: DashboardState) -> Line {
    let digit = id.digit.map { digitText($0, state) } ?? ""
    var spans = [Span(" \(digit)", .key), Span(name, .title)]
    if state.viewport.logY.contains(id), id != .attentionLogits {
      spans.append(Span(" log", .faint))
    }
    if let zoom = state.viewport.valueZoom[id] { spans.append(Span(" y \(zoom)", .person)) }
    if let filter = state.viewport.filter, id == .events || id == .wall {
      spans.append(Span(" /\(filter)", .person))
    }
    return Line(spans)
  }

  /// Returns the first column after the title.
  private func draw(
    _ title: Line, on grid: inout CellGrid, in rect: Rect, theme: Theme
  ) -> Int {
    let line = title.fitted(to: rect.columns - 5)
    let end = line.draw(on: &grid, at: rect.origin.offset(columns: 2), theme: theme)
    grid.write(" ", at: Point(column: end, row: rect.row), style: theme.style(.title))
    return end + 1
  }

  private func digitText(_ digit: Int, _ state: DashboardState) -> String {
    let raised = ["⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"]
    return state.appearance.symbols.graph == .braille ? raised[digit] : "\(digit) "
  }

  private func draw(
    _ headline: Line, on grid: inout CellGrid, in rect: Rect, from column: Int, theme: Theme
  ) {
    let room = rect.endColumn - 2 - column - 2
    let line = headline.fitted(to: room)
    guard line.columns > 0 else { return }
    let start = rect.endColumn - 2 - line.columns - 1
    let padded = Line([Span(" ", .text)] + line.spans + [Span(" ", .text)])
    padded.draw(on: &grid, at: Point(column: start - 1, row: rect.row), theme: theme)
  }
}
