package import Screen
import Telemetry

/// How to leave a run that is still going.
package struct QuitDialog: Layer {
  private(set) var list = ListCursor()

  /// The run to show instead; nil where the program is left.
  private var next: ListedRun?

  package init(opening next: ListedRun? = nil) {
    self.next = next
  }

  private static let choices: [(title: String, sentence: String, leave: Leave?)] = [
    ("stop with a checkpoint", "the run ends; --resume goes on from there", .stopWithCheckpoint),
    ("detach", "checkpoint; the run goes on without a screen", .detach),
    ("stay", "nothing changes", nil),
  ]

  package var chosenIndex: Int? { list.index }

  package mutating func handle(_ key: Key, in state: DashboardState) -> LayerAnswer {
    if list.handle(key, count: Self.choices.count) { return .consumed }
    switch key {
    case .character("1"): return answer(0)
    case .character("2"): return answer(1)
    case .character("3"), .escape, .character("n"): return .closed
    case .character("j"): return move(.down)
    case .character("k"): return move(.up)
    case .enter: return answer(list.index)
    // A second ctrl-c means it.
    case .control("c"): return answer(0)
    case .control: return .ignored
    default: return .consumed
    }
  }

  private mutating func move(_ key: Key) -> LayerAnswer {
    _ = list.handle(key, count: Self.choices.count)
    return .consumed
  }

  private func answer(_ index: Int) -> LayerAnswer {
    guard let leave = Self.choices[index].leave else { return .closed }
    return .closed(.effect(next.map { .openRun($0, leave) } ?? .quit(leave)))
  }

  package mutating func choose(_ index: Int, in state: DashboardState) -> LayerAnswer {
    list.index = index
    return .consumed
  }

  private func title(_ state: DashboardState) -> String {
    "leave \(state.source.name)\(next.map { " for \($0.name)" } ?? "")?"
  }

  package func draw(on grid: inout CellGrid, _ state: DashboardState) -> Box? {
    let theme = state.appearance.theme
    let isRoomy = grid.size.rows >= 14
    var box = Box(
      on: &grid, state, columns: 72, rows: isRoomy ? 7 : 5, title: title(state),
      keys: [
        .init("⏎", "choose", .enter), .init("1–3", "directly"), .init("esc", "stay", .escape),
      ])
    let rows = box.inside.droppingTop(isRoomy ? 1 : 0).top(Self.choices.count)
    box.drawList(list, of: Self.choices.count, on: &grid, in: rows, theme: theme) {
      grid, index, line, surface in
      let title = TextWidth.padded(Self.choices[index].title, to: 22)
      let spans = Line([
        Span(" \(index + 1) ", .key), Span(" \(title)", index == list.index ? .title : .text),
        Span("  \(Self.choices[index].sentence)", .faint),
      ])
      spans.fitted(to: line.columns).draw(
        on: &grid, at: line.origin, theme: theme, surface: surface)
    }
    drawNote(on: &grid, in: box.inside, from: rows.endRow + (isRoomy ? 1 : 0), state)
    return box
  }

  private func drawNote(
    on grid: inout CellGrid, in inside: Rect, from row: Int, _ state: DashboardState
  ) {
    // Where the sentences have no room beside the choices, the chosen one stands below.
    let note =
      inside.columns < 60
      ? Self.choices[list.index].sentence
      : "the session is kept either way: \(state.source.path ?? state.source.name)"
    let style = state.appearance.theme.style(.faint)
    for (line, row) in zip(
      TextWidth.wrapped(note, to: inside.columns), row..<max(row, inside.endRow))
    {
      grid.write(line, at: Point(column: inside.column, row: row), style: style)
    }
  }
}
