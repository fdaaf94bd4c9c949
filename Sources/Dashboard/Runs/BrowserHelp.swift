package import Screen

/// The keys and signs of the list of runs.
package struct BrowserHelp: Layer {
  private(set) var list = ListCursor()

  package init() {}

  private static let signs: [(sign: String, role: Role, words: String)] = [
    ("●", .good, "live"), ("‖", .warning, "paused"), ("✓", .good, "finished"),
    ("■", .faint, "stopped"), ("✗", .trouble, "diverged or failed"), ("!", .warning, "killed"),
    ("?", .trouble, "unreadable"), ("▪", .key, "marked"), ("━", .overlayFirst, "over the charts"),
    ("▲", .warning, "alarm"), ("◆", .person, "change or note"), ("◀", .person, "rewind or branch"),
  ]

  /// The signs with their words, in as many lines as it takes.
  private static func legend(columns: Int) -> [Line] {
    var lines = [Line([])]
    for (sign, role, words) in signs {
      let entry = [Span("\(sign) ", role), Span("\(words)  ", .faint)]
      let longer = Line(lines[lines.count - 1].spans + entry)
      if longer.columns <= columns || lines[lines.count - 1].spans.isEmpty {
        lines[lines.count - 1] = longer
      } else {
        lines.append(Line(entry))
      }
    }
    return lines
  }

  package var chosenIndex: Int? { list.index }

  package mutating func handle(_ key: Key, in state: DashboardState) -> LayerAnswer {
    if list.handle(key, count: BrowserCommand.table.count) { return .consumed }
    if case .control = key { return .ignored }
    return .closed
  }

  package mutating func choose(_ index: Int, in state: DashboardState) -> LayerAnswer {
    list.index = index
    return .consumed
  }

  package func draw(on grid: inout CellGrid, _ state: DashboardState) -> Box? {
    let theme = state.appearance.theme
    let commands = BrowserCommand.table
    var box = Box(
      on: &grid, state, columns: 96, rows: commands.count + 3, title: "the list of runs",
      keys: [.init("esc", "close", .escape)])
    let legend = Self.legend(columns: box.inside.columns)
    let signs = box.inside.rows >= 10 ? box.inside.bottom(legend.count + 1) : .empty
    let rows = box.inside.droppingBottom(signs.rows)
    let isCut = rows.rows < commands.count
    box.drawList(list, of: commands.count, on: &grid, in: rows, theme: theme) {
      grid, index, line, _ in
      let command = commands[index]
      CommandLine(
        keys: command.keys.map(\.words).joined(separator: " "), name: command.name,
        sentence: command.sentence, refusal: nil
      ).draw(
        on: &grid, in: line, keyColumns: 8,
        nameColumns: rows.columns >= 50 ? 10 : 9, isChosen: isCut && index == list.index, state)
    }
    for (row, line) in zip(signs.row + 1..<max(signs.row + 1, signs.endRow), legend) {
      line.draw(on: &grid, at: Point(column: rows.column, row: row), theme: theme)
    }
    return box
  }
}
