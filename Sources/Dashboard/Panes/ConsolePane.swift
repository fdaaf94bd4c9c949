import Screen
import Signals
import Telemetry

/// The lines that the run and its libraries printed, the newest first.
enum ConsolePane {
  static let pane = Pane(
    id: .console, title: "console", minimumRows: 1, weight: 1,
    explanation: """
      What the run and its libraries printed, newest first. Healthy is silence. Search with /, \
      scroll with the arrows.
      """,
    headline: { context in
      let count = context.history.console.count
      return [Span("\(NumberText.grouped(count)) line\(count == 1 ? "" : "s")", .faint)]
    }, draw: draw)

  private static func draw(_ grid: inout CellGrid, _ rect: Rect, _ context: PaneContext) {
    let filter = context.filter ?? ""
    let pattern = TextPattern(filter)
    let lines = context.history.console.filter { filter.isEmpty || pattern.matches($0) }
    guard !lines.isEmpty, !rect.isEmpty else {
      return context.drawWaiting(into: &grid, rect, "nothing was printed")
    }
    let shown = lines.reversed().dropFirst(min(context.scroll, lines.count - 1))
      .prefix(rect.rows)
      .flatMap { TextWidth.wrapped($0, to: max(1, rect.columns)) }
      .prefix(rect.rows)
    for (offset, line) in shown.enumerated() {
      grid.write(
        TextWidth.truncated(line, to: rect.columns), at: rect.origin.offset(rows: offset),
        style: context.style(.text))
    }
  }
}

extension PaneID {
  package static let console = PaneID("console")
}
