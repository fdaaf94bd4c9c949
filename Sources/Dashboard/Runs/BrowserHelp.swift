import Screen

/// The keys and signs of the list of runs.
package struct BrowserHelp: Sendable, Hashable {
  private(set) var list = ListCursor()

  package init() {}

  private static let signs: [(sign: String, role: Role, words: String)] = [
    ("●", .good, "live"), ("‖", .warning, "paused"), ("✓", .good, "finished"),
    ("■", .faint, "stopped"), ("✗", .trouble, "diverged or failed"), ("!", .warning, "killed"),
    ("?", .trouble, "unreadable"), ("▪", .key, "marked"), ("━", .overlayFirst, "over the charts"),
  ]

  private static let happenings: [(sign: String, role: Role, words: String)] = [
    ("▲", .warning, "alarm"), ("◆", .person, "change or note"), ("◀", .person, "rewind or branch"),
    ("✗", .trouble, "diverged"), ("✓", .good, "calm again"),
  ]

  mutating func handle(_ key: Key) -> LayerAnswer {
    if list.handle(key, count: BrowserCommand.table.count) { return .consumed }
    if case .control = key { return .ignored }
    return .closed
  }

  mutating func choose(_ index: Int) -> LayerAnswer {
    list.index = index
    return .consumed
  }

  func draw(on grid: inout CellGrid, _ state: DashboardState) -> Box {
    let theme = state.appearance.theme
    let commands = BrowserCommand.table
    var box = Box(
      on: &grid, state, columns: 108, rows: commands.count + 4, title: "the list of runs",
      keys: [.init("esc", "close", .escape)])
    let signs = box.inside.rows >= 10 ? box.inside.bottom(3) : .empty
    let rows = box.inside.droppingBottom(signs.rows)
    let shown = list.visible(count: commands.count, rows: rows.rows)
    box.drawPlace(list, of: commands.count, showing: shown.count, on: &grid, theme: theme)
    for (row, index) in zip(rows.row..<rows.endRow, shown) {
      let command = commands[index]
      let line = Rect(column: rows.column, row: row, columns: rows.columns, rows: 1)
      let isChosen = shown.count < commands.count && index == list.index
      box.note(index, in: line)
      CommandLine(
        keys: command.keys.map(\.words).joined(separator: " "), name: command.name,
        sentence: command.sentence, refusal: nil
      ).draw(
        on: &grid, in: line, keyColumns: rows.columns >= 50 ? 11 : 7,
        nameColumns: rows.columns >= 50 ? 10 : 9, isChosen: isChosen, state)
    }
    for (row, signs) in zip(signs.row + 1..<max(signs.row + 1, signs.endRow), Self.legend) {
      let line = Line(
        signs.flatMap { [Span("\($0.sign) ", $0.role), Span("\($0.words)  ", .faint)] })
      line.fitted(to: rows.columns)
        .draw(on: &grid, at: Point(column: rows.column, row: row), theme: theme)
    }
    return box
  }

  private static let legend = [signs, happenings]
}
