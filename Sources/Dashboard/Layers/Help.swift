import Screen

/// All actions with their keys; typing searches, enter runs.
package struct Help: Sendable, Hashable {
  private var search = TextField()
  private var list = ListCursor()

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
    if list.handle(key, count: commands.count) { return .consumed }
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

  func draw(on grid: inout CellGrid, _ state: DashboardState) {
    let commands = found(in: state)
    let theme = state.appearance.theme
    let box = Box(
      on: &grid, state, columns: 84, rows: max(6, grid.size.rows - 6), title: "help",
      keys: [("⏎", "run"), ("↑↓", "choose"), ("esc", "close")])
    let field = box.inside.top(1)
    let used = grid.write("search ", at: field.origin, style: theme.style(.faint))
    search.draw(on: &grid, in: field.droppingLeft(used), theme: theme)
    let explained = box.inside.rows >= 12 ? explanation(state) : []
    let lines = explained.flatMap { TextWidth.wrapped($0, to: box.inside.columns) }
    let bottom = box.inside.bottom(search.isEmpty ? min(lines.count, box.inside.rows / 3) : 0)
    for (row, line) in zip(bottom.row..<bottom.endRow, lines) {
      grid.write(line, at: Point(column: bottom.column, row: row), style: theme.style(.faint))
    }
    let rows = box.inside.droppingTop(1).droppingBottom(bottom.rows > 0 ? bottom.rows + 1 : 0)
    guard !commands.isEmpty else {
      grid.write("nothing found", at: rows.origin, style: theme.style(.faint))
      return
    }
    for (row, index) in zip(
      rows.row..<rows.endRow, list.visible(count: commands.count, rows: rows.rows))
    {
      let line = Rect(column: rows.column, row: row, columns: rows.columns, rows: 1)
      CommandLine(commands[index], state).draw(
        on: &grid, in: line, isChosen: index == list.index, state)
    }
  }

  /// What the focused pane shows, what is healthy and what to do.
  private func explanation(_ state: DashboardState) -> [String] {
    guard let pane = PaneCatalog.pane(state.arrangement.focus) else { return [] }
    return ["\(pane.title): \(pane.explanation)"]
  }
}

/// One action as help and the palette list it.
struct CommandLine: Sendable {
  let keys: String
  let name: String
  let sentence: String
  /// Why it can't be done now.
  let refusal: String?

  init(keys: String, name: String, sentence: String, refusal: String?) {
    self.keys = keys
    self.name = name
    self.sentence = sentence
    self.refusal = refusal
  }

  init(_ command: DashboardCommand, _ state: DashboardState) {
    keys = command.keys.map(\.words).joined(separator: " ")
    name = command.name
    refusal = command.refusal(state)
    sentence = refusal.map { "not now: \($0)" } ?? command.sentence
  }

  func draw(on grid: inout CellGrid, in rect: Rect, isChosen: Bool, _ state: DashboardState) {
    let theme = state.appearance.theme
    let surface: Role? = isChosen ? .selection : nil
    func style(_ role: Role) -> Style {
      surface.map { theme.style(role, on: $0) } ?? theme.style(role)
    }
    grid.fill(rect, style: style(.text))
    let keyColumns = rect.columns >= 50 ? 13 : 7
    let nameColumns = min(21, max(10, rect.columns / 3))
    grid.write(
      TextWidth.truncated(keys, to: keyColumns - 1), at: rect.origin,
      style: style(refusal == nil ? .key : .faint))
    let names = rect.droppingLeft(keyColumns)
    grid.write(
      TextWidth.truncated(name, to: nameColumns - 1), at: names.origin,
      style: style(refusal == nil ? .text : .faint), maxColumns: names.columns)
    let sentences = names.droppingLeft(nameColumns)
    grid.write(
      TextWidth.truncated(sentence, to: sentences.columns), at: sentences.origin,
      style: style(refusal == nil ? .faint : .warning), maxColumns: sentences.columns)
  }
}
