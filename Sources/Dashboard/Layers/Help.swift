package import Screen

/// All actions with their keys, and on another page the words; typing searches, enter runs.
package struct Help: Layer {
  enum Page: Sendable, Hashable {
    case keys, words
  }

  private var page: Page
  private var search = TextField()
  private(set) var list = ListCursor()

  package init() {
    self.init(page: .keys)
  }

  init(page: Page) {
    self.page = page
  }

  /// What the list holds.
  private enum Item: Sendable {
    case action(DashboardCommand)
    case mouse(WordList.Word)
    case word(WordList.Word)

    /// The name of the group it stands in; words have none.
    var group: String? {
      switch self {
      case .action(let command): command.group.title
      case .mouse: "the mouse"
      case .word: nil
      }
    }

    func line(_ state: DashboardState) -> CommandLine {
      switch self {
      case .action(let command): CommandLine(command, state)
      case .mouse(let word), .word(let word):
        CommandLine(keys: "", name: word.name, sentence: word.meaning, refusal: nil)
      }
    }

    var haystack: String {
      switch self {
      case .action(let command):
        (command.keys.map(\.words) + [command.name, command.sentence]).joined(separator: " ")
      case .mouse(let word): "mouse \(word.name) \(word.meaning)"
      case .word(let word): "\(word.name) \(word.meaning)"
      }
    }
  }

  private func found(in state: DashboardState) -> [Item] {
    let all: [Item] =
      page == .words
      ? WordList.words.map(Item.word)
      : CommandTable.applicable(to: state).map(Item.action) + WordList.mouse.map(Item.mouse)
    let words = search.text.lowercased().split(separator: " ")
    guard !words.isEmpty else { return all }
    return all.filter { item in
      let haystack = item.haystack.lowercased()
      return words.allSatisfy { haystack.contains($0) }
    }
  }

  package var takesText: Bool { true }
  package var chosenIndex: Int? { list.index }

  package mutating func handle(_ key: Key, in state: DashboardState) -> LayerAnswer {
    let items = found(in: state)
    if list.handle(key, count: items.count, hasText: true) { return .consumed }
    switch key {
    case .escape:
      return .closed
    case .tab, .backtab:
      page = page == .keys ? .words : .keys
      list.index = 0
      return .consumed
    case .character("?") where search.isEmpty, .character("q") where search.isEmpty:
      return .closed
    case .enter:
      guard items.indices.contains(list.index), case .action(let command) = items[list.index]
      else { return .consumed }
      return .closed(.run(command.name))
    default:
      guard search.handle(key) else { return .ignored }
      list.index = 0
      return .consumed
    }
  }

  package mutating func choose(_ index: Int, in state: DashboardState) -> LayerAnswer {
    list.index = index
    return .consumed
  }

  private var hints: [KeyHint] {
    let choose = KeyHint("↑↓", "choose", .up, .down)
    let close = KeyHint("esc", "close", .escape)
    return page == .keys
      ? [KeyHint("⏎", "run", .enter), choose, KeyHint("⇥", "words", .tab), close]
      : [choose, KeyHint("⇥", "keys", .tab), close]
  }

  package func draw(on grid: inout CellGrid, _ state: DashboardState) -> Box? {
    let items = found(in: state)
    let theme = state.appearance.theme
    var box = Box(
      on: &grid, state, columns: 112, rows: max(6, grid.size.rows - (grid.size.rows < 20 ? 3 : 6)),
      title: page == .keys ? "help" : "words", keys: hints)
    let field = box.inside.top(1)
    let used = grid.write("search ", at: field.origin, style: theme.style(.faint))
    search.draw(on: &grid, in: field.droppingLeft(used), theme: theme)
    let details = details(of: items, fitting: box.inside, state)
    let rows = box.inside.droppingTop(1).droppingBottom(details.count)
    for (row, span) in zip(rows.endRow..<box.inside.endRow, details) {
      grid.write(
        span.text, at: Point(column: box.inside.column, row: row), style: theme.style(span.role))
    }
    guard !items.isEmpty else {
      grid.write("nothing found", at: rows.origin, style: theme.style(.faint))
      return box
    }
    drawList(of: items, on: &grid, in: rows, &box, state)
    return box
  }

  /// The items under the names of their groups, for as long as nothing is searched for.
  private func drawList(
    of items: [Item], on grid: inout CellGrid, in rows: Rect, _ box: inout Box,
    _ state: DashboardState
  ) {
    let lines = search.isEmpty ? Self.grouped(items) : items.indices.map(Entry.item)
    let chosen = lines.firstIndex(of: .item(list.index)) ?? 0
    let shown = ListCursor(index: chosen == 1 ? 0 : chosen)
      .visible(count: lines.count, rows: rows.rows)
    let isWide = rows.columns >= 50
    let keyColumns = page == .words ? 0 : isWide ? 11 : 7
    box.drawPlace(
      list, of: items.count, showing: shown.count < lines.count ? 0 : items.count, on: &grid,
      theme: state.appearance.theme)
    for (row, entry) in zip(rows.row..<rows.endRow, lines[shown]) {
      let line = Rect(column: rows.column, row: row, columns: rows.columns, rows: 1)
      switch entry {
      case .heading(let title):
        grid.write(title, at: line.origin, style: state.appearance.theme.style(.title))
      case .item(let index):
        box.note(index, in: line)
        items[index].line(state).draw(
          on: &grid, in: line, keyColumns: keyColumns, nameColumns: isWide ? 20 : 13,
          isChosen: index == list.index, state)
      }
    }
  }

  private enum Entry: Hashable {
    case heading(String)
    /// The index of an item.
    case item(Int)
  }

  private static func grouped(_ items: [Item]) -> [Entry] {
    var lines: [Entry] = []
    for (index, item) in items.enumerated() {
      if let group = item.group, index == 0 || items[index - 1].group != group {
        lines.append(.heading(group))
      }
      lines.append(.item(index))
    }
    return lines
  }

  /// The chosen line's sentence in full; then, where there is room, what the focused pane shows,
  /// what is healthy and what to do.
  private func details(
    of items: [Item], fitting rect: Rect, _ state: DashboardState
  ) -> [Span] {
    guard rect.rows >= 5 else { return [] }
    let isRoomy = rect.rows >= 10
    var lines: [Span] = isRoomy ? [Span("", .faint)] : []
    if items.indices.contains(list.index) {
      let sentence = items[list.index].line(state).sentence
      lines += TextWidth.wrapped(sentence, to: rect.columns).map { Span($0, .text) }
    }
    if page == .keys, search.isEmpty, rect.rows >= 14,
      let pane = PaneCatalog.pane(state.arrangement.focus)
    {
      let words = TextWidth.wrapped(pane.explanation, to: rect.columns)
      lines += [Span("", .faint), Span(pane.title, .title)] + words.map { Span($0, .faint) }
    }
    return Array(lines.prefix(isRoomy ? rect.rows / 2 : 2))
  }
}
