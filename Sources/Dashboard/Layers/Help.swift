import Screen

/// All actions with their keys; typing searches, enter runs.
package struct Help: Sendable, Hashable {
  private var search = TextField()
  private(set) var list = ListCursor()

  package init() {}

  private func found(in state: DashboardState) -> [DashboardCommand] {
    let all = CommandTable.applicable(to: state)
    let words = search.text.lowercased().split(separator: " ")
    guard !words.isEmpty else { return all }
    return all.filter { command in
      let haystack =
        (command.keys.map(\.words) + [command.name, command.sentence]).joined(separator: " ")
        .lowercased()
      return words.allSatisfy { haystack.contains($0) }
    }
  }

  mutating func handle(_ key: Key, in state: DashboardState) -> LayerAnswer {
    let commands = found(in: state)
    if list.handle(key, count: commands.count, hasText: true) { return .consumed }
    switch key {
    case .escape:
      return .closed
    case .character("?") where search.isEmpty, .character("q") where search.isEmpty:
      return .closed
    case .enter:
      guard commands.indices.contains(list.index) else { return .consumed }
      let command = commands[list.index]
      return .closed { $0.run(command) }
    default:
      guard search.handle(key) else { return .ignored }
      list.index = 0
      return .consumed
    }
  }

  mutating func choose(_ index: Int) -> LayerAnswer {
    list.index = index
    return .consumed
  }

  func draw(on grid: inout CellGrid, _ state: DashboardState) -> Box {
    let commands = found(in: state)
    let theme = state.appearance.theme
    var box = Box(
      on: &grid, state, columns: 112, rows: max(6, grid.size.rows - (grid.size.rows < 20 ? 3 : 6)),
      title: "help",
      keys: [
        .init("⏎", "run", .enter), .init("↑↓", "choose", .up, .down),
        .init("esc", "close", .escape),
      ])
    let field = box.inside.top(1)
    let used = grid.write("search ", at: field.origin, style: theme.style(.faint))
    search.draw(on: &grid, in: field.droppingLeft(used), theme: theme)
    let details = details(of: commands, fitting: box.inside, state)
    let rows = box.inside.droppingTop(1).droppingBottom(details.count)
    for (row, span) in zip(rows.endRow..<box.inside.endRow, details) {
      grid.write(
        span.text, at: Point(column: box.inside.column, row: row), style: theme.style(span.role))
    }
    guard !commands.isEmpty else {
      grid.write("nothing found", at: rows.origin, style: theme.style(.faint))
      return box
    }
    drawList(of: commands, on: &grid, in: rows, &box, state)
    return box
  }

  /// The actions under the names of their groups, for as long as nothing is searched for.
  private func drawList(
    of commands: [DashboardCommand], on grid: inout CellGrid, in rows: Rect, _ box: inout Box,
    _ state: DashboardState
  ) {
    let lines = search.isEmpty ? Self.grouped(commands) : commands.indices.map(Entry.action)
    let chosen = lines.firstIndex(of: .action(list.index)) ?? 0
    let shown = ListCursor(index: chosen == 1 ? 0 : chosen)
      .visible(count: lines.count, rows: rows.rows)
    let isWide = rows.columns >= 50
    box.drawPlace(
      list, of: commands.count, showing: shown.count < lines.count ? 0 : commands.count, on: &grid,
      theme: state.appearance.theme)
    for (row, entry) in zip(rows.row..<rows.endRow, lines[shown]) {
      let line = Rect(column: rows.column, row: row, columns: rows.columns, rows: 1)
      switch entry {
      case .heading(let title):
        grid.write(title, at: line.origin, style: state.appearance.theme.style(.title))
      case .action(let index):
        box.note(index, in: line)
        CommandLine(commands[index], state).draw(
          on: &grid, in: line, keyColumns: isWide ? 11 : 7, nameColumns: isWide ? 20 : 13,
          isChosen: index == list.index, state)
      }
    }
  }

  private enum Entry: Hashable {
    case heading(String)
    /// The index of an action.
    case action(Int)
  }

  private static func grouped(_ commands: [DashboardCommand]) -> [Entry] {
    var lines: [Entry] = []
    for (index, command) in commands.enumerated() {
      if index == 0 || commands[index - 1].group != command.group {
        lines.append(.heading(command.group.title))
      }
      lines.append(.action(index))
    }
    return lines
  }

  /// The chosen action's sentence in full; then, where there is room, what the focused pane shows,
  /// what is healthy and what to do.
  private func details(
    of commands: [DashboardCommand], fitting rect: Rect, _ state: DashboardState
  ) -> [Span] {
    guard rect.rows >= 5 else { return [] }
    let isRoomy = rect.rows >= 10
    var lines: [Span] = isRoomy ? [Span("", .faint)] : []
    if commands.indices.contains(list.index) {
      let line = CommandLine(commands[list.index], state)
      lines += TextWidth.wrapped(line.sentence, to: rect.columns).map { Span($0, .text) }
    }
    if search.isEmpty, rect.rows >= 14, let pane = PaneCatalog.pane(state.arrangement.focus) {
      let words = TextWidth.wrapped(pane.explanation, to: rect.columns)
      lines += [Span("", .faint), Span(pane.title, .title)] + words.map { Span($0, .faint) }
    }
    return Array(lines.prefix(isRoomy ? rect.rows / 2 : 2))
  }
}
