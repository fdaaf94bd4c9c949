import Screen
import Signals
import Telemetry

/// A command typed by its words: completed as one types, run by enter.
package struct CommandPalette: Sendable, Hashable {
  var field = TextField()
  private(set) var list = ListCursor()
  private var complaint: String?
  /// How far up in what was run before the line comes from; nil for a line of one's own.
  private var recalled: Int?

  package init() {}

  /// Up from an empty line goes back through what was run before, down forward again.
  private mutating func recall(_ key: Key, in state: DashboardState) -> Bool {
    let history = state.commandHistory
    guard !history.isEmpty, list.index == 0, recalled != nil || field.isEmpty else { return false }
    switch (key, recalled) {
    case (.up, let place): recalled = max(0, (place ?? history.count) - 1)
    case (.down, let place?): recalled = place + 1 < history.count ? place + 1 : nil
    default: return false
    }
    field.replace(with: recalled.map { history[$0] } ?? "")
    return true
  }

  mutating func handle(_ key: Key, in state: DashboardState) -> LayerAnswer {
    let candidates = Candidate.all(for: field.text, in: state)
    if recall(key, in: state) { return .consumed }
    if list.handle(key, count: candidates.count, hasText: true) { return .consumed }
    switch key {
    case .escape: return .closed
    case .backspace where field.isEmpty: return .closed
    case .tab:
      guard candidates.indices.contains(list.index) else { return .consumed }
      field.replace(with: candidates[list.index].completion)
      list.index = 0
      return .consumed
    case .enter: return execute(candidates)
    default:
      guard field.handle(key) else { return .ignored }
      list.index = 0
      recalled = nil
      complaint = nil
      return .consumed
    }
  }

  /// What was typed where it is a command as it stands; else what is chosen in the list.
  private mutating func execute(_ candidates: [Candidate]) -> LayerAnswer {
    let words = field.text
    if list.index == 0, let command = try? Command(words: words) {
      return .closed({ $0.remember(words) }, { $0.obey(command) })
    }
    guard candidates.indices.contains(list.index) else {
      complaint = Self.complaint(about: words)
      return .consumed
    }
    switch candidates[list.index].kind {
    case .action(let name):
      return .closed({ $0.remember(name) }, { $0.run(named: name) })
    case .command(let command):
      return .closed({ $0.remember(command.words) }, { $0.obey(command) })
    case .picture(let request):
      return .closed({ $0.remember(words) }, { _ in [.writeScreen(request)] })
    case .place(let path):
      return .closed({ $0.remember(words) }, { $0.browseRuns(in: path) })
    case .incomplete:
      field.replace(with: candidates[list.index].completion)
      complaint = Self.complaint(about: field.text)
      list.index = 0
      return .consumed
    }
  }

  private static func complaint(about words: String) -> String? {
    do {
      if try PictureRequest(words: words) == nil { _ = try Command(words: words) }
      return nil
    } catch {
      return "\(error)"
    }
  }

  mutating func choose(_ index: Int) -> LayerAnswer {
    list.index = index
    return .consumed
  }

  private func keys(in state: DashboardState) -> [KeyHint] {
    let isRecalling = recalled != nil || field.isEmpty && list.index == 0
    return [
      KeyHint("⏎", "run", .enter), KeyHint("⇥", "complete", .tab),
      isRecalling && !state.commandHistory.isEmpty
        ? KeyHint("↑↓", "earlier", .up, .down) : KeyHint("↑↓", "choose", .up, .down),
      KeyHint("esc", "close", .escape),
    ]
  }

  func draw(on grid: inout CellGrid, _ state: DashboardState) -> Box {
    let theme = state.appearance.theme
    let candidates = Candidate.all(for: field.text, in: state)
    var box = Box(
      on: &grid, state, columns: 84,
      rows: min(14, max(4, grid.size.rows - (grid.size.rows < 20 ? 3 : 6))), title: "command",
      keys: keys(in: state))
    let line = box.inside.top(1)
    grid.write(":", at: line.origin, style: theme.style(.key))
    field.draw(on: &grid, in: line.droppingLeft(1), theme: theme)
    var rows = box.inside.droppingTop(1)
    if let complaint {
      grid.write(
        TextWidth.truncated(complaint, to: rows.columns), at: rows.origin,
        style: theme.style(.warning))
      rows = rows.droppingTop(1)
    }
    let isWide = rows.columns >= 50
    let shown = list.visible(count: candidates.count, rows: rows.rows)
    box.drawPlace(list, of: candidates.count, showing: shown.count, on: &grid, theme: theme)
    for (row, index) in zip(rows.row..<rows.endRow, shown) {
      let line = Rect(column: rows.column, row: row, columns: rows.columns, rows: 1)
      box.note(index, in: line)
      candidates[index].line.draw(
        on: &grid, in: line, keyColumns: isWide ? 9 : 0, nameColumns: isWide ? 24 : 20,
        isChosen: index == list.index, state)
    }
    return box
  }
}

extension DashboardState {
  /// So many lines are kept.
  package static let commandHistoryLimit = 50

  /// Keeps a line of the palette, once where it is given again and again.
  mutating func remember(_ words: String) -> [Effect] {
    let words = words.filter { !$0.isNewline }.trimmingPrefix { $0 == " " }
    guard !words.isEmpty, words.count <= 200 else { return [] }
    commandHistory.removeAll { $0 == words }
    commandHistory = commandHistory.suffix(Self.commandHistoryLimit - 1) + [String(words)]
    return [.rememberCommand(String(words))]
  }

  /// Does what the palette's words say; what ends a run is asked about first.
  mutating func obey(_ command: Command) -> [Effect] {
    switch command {
    case .stop, .detach:
      guard commandRefusal == nil, source.kind == .live else { return ask(command) }
      return askToLeave()
    case .pause:
      if commandRefusal == nil { requests.isPaused = true }
    case .resume:
      if commandRefusal == nil { requests.isPaused = false }
    default:
      break
    }
    return ask(command)
  }
}
