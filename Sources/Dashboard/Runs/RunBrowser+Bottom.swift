import Screen
import Signals
import Telemetry

extension RunBrowser {
  /// The keys or a question; where no border above takes a passing word, the word with as many keys
  /// as it leaves room for.
  func drawBottom(
    on grid: inout CellGrid, in rect: Rect, below hasBorder: Bool, _ box: inout Box,
    _ state: DashboardState
  ) {
    guard !rect.isEmpty else { return }
    if let question { return question.draw(on: &grid, in: rect, &box, state) }
    let theme = state.appearance.theme
    guard let toast = state.toast, !hasBorder else {
      return drawKeys(on: &grid, in: rect, &box, state)
    }
    let text = toast.text.cutBetweenWords(to: rect.columns - 2)
    let columns = TextWidth.columns(of: text) + 1
    drawKeys(on: &grid, in: rect.droppingRight(columns + 2), &box, state)
    grid.write(text, at: rect.right(columns).origin, style: theme.style(toast.role, .bold))
  }

  private func drawKeys(
    on grid: inout CellGrid, in rect: Rect, _ box: inout Box, _ state: DashboardState
  ) {
    let hints = BrowserCommand.table.map { command in
      let key = command.name == "back" ? Key.character("q") : command.keys[0]
      return (
        rank: command.rank,
        hint: KeyHint(key.glyph(state.appearance.symbols), label(of: command), key)
      )
    }
    let gap = rect.columns >= 110 ? 3 : 2
    var shown: Set<String> = []
    var used = 1
    for (_, hint) in hints.sorted(by: { $0.rank < $1.rank }) {
      let columns = TextWidth.columns(of: hint.text) + (shown.isEmpty ? 0 : gap)
      guard used + columns + 1 <= rect.columns else { continue }
      used += columns
      shown.insert(hint.label)
    }
    var column = rect.column + 1
    for (_, hint) in hints where shown.contains(hint.label) {
      let columns = TextWidth.columns(of: hint.text)
      box.draw(hint, on: &grid, at: Point(column: column, row: rect.row), state)
      column += columns + gap
    }
  }

  private func label(of command: BrowserCommand) -> String {
    command.name == "compare" && isComparing ? "list" : command.label
  }
}

extension RunQuestion {
  private var title: String {
    switch subject {
    case .filter: "filter, or a path: "
    case .tags(let run): "tags of \(run.name): "
    case .note(let run): "note in \(run.name): "
    case .name(let run): "new name of \(run.name): "
    case .removal(let run):
      "remove \(run.name), \(NumberText.grouped(run.steps)) steps, "
        + "\(NumberText.bytes(Double(run.details.bytes)))?"
    case .refusal(let reason): reason
    }
  }

  private var hints: [KeyHint] {
    switch subject {
    case .filter:
      [
        KeyHint("⏎", namesPlace ? "look there" : "keep", .enter),
        KeyHint("esc", "as before", .escape),
      ]
    case .tags, .note, .name:
      [KeyHint("⏎", "write", .enter), KeyHint("esc", "drop", .escape)]
    case .removal(let run):
      [KeyHint("y", "the session", .character("y"))]
        + (run.details.checkpoints > 0
          ? [KeyHint("a", "and its \(run.details.checkpoints) checkpoints", .character("a"))] : [])
        + [KeyHint("esc", "keep it", .escape)]
    case .refusal: [KeyHint("esc", "back to the list", .escape)]
    }
  }

  func draw(on grid: inout CellGrid, in rect: Rect, _ box: inout Box, _ state: DashboardState) {
    let theme = state.appearance.theme
    grid.fill(rect, style: theme.style(.text))
    let hints = hints.map { $0.spelled(with: state.appearance.symbols) }
    let width = hints.reduce(0) { $0 + TextWidth.columns(of: $1.text) + 2 }
    let least = isTyping ? 16 : 0
    let room = rect.columns - width - least
    let hasHints = room >= 12
    let words = TextWidth.truncated(title, to: hasHints ? room : rect.columns - least)
    let used = grid.write(
      words, at: rect.origin, style: theme.style(isTyping ? .person : .warning, .bold))
    if isTyping {
      let end = hasHints ? width : 0
      field.draw(on: &grid, in: rect.droppingLeft(used).droppingRight(end), theme: theme)
    }
    guard hasHints else { return }
    var column = isTyping ? rect.endColumn - width + 2 : rect.column + used + 2
    for hint in hints {
      box.draw(hint, on: &grid, at: Point(column: column, row: rect.row), state)
      column += TextWidth.columns(of: hint.text) + 2
    }
  }
}
