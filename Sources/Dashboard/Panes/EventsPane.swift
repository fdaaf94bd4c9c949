import Screen
import Signals
import Telemetry

/// What happened, newest first, as sentences: who, what, and what came of it.
enum EventsPane {
  static let pane = Pane(
    id: .events, title: "events", minimumRows: 1, weight: 1,
    explanation: """
      Commands with who gave them and what they did, alarms with their numbers and the key that \
      helps and the step at which they ended, checkpoints (those that the run writes by itself are \
      one line) and notes; newest first. The number beside a sign is its mark's on the charts. \
      Healthy is a list without ▲ and ✗. Search with /, go from one to the next with [ and ], \
      write your own with N.
      """,
    headline: headline, draw: draw)

  private static func headline(_ context: PaneContext) -> [Span] {
    let log = EventLog(context.events)
    let all = log.entries.count
    guard let filter = context.filter, !filter.isEmpty else {
      let raised = log.raised.count
      let alarms =
        raised == 0
        ? []
        : [Span("\(raised) alarm\(raised == 1 ? "" : "s") raised", .warning), Span(" · ", .faint)]
      return alarms + [Span(NumberText.grouped(all), .faint)]
    }
    return [Span("\(shown(context).count) of \(context.events.count) hold '\(filter)'", .faint)]
  }

  /// The entries that the filter lets through, newest first. A search wants each checkpoint.
  static func shown(_ context: PaneContext) -> [EventLog.Entry] {
    guard let filter = context.filter, !filter.isEmpty else {
      return EventLog(context.events).entries.reversed()
    }
    let pattern = TextPattern(filter)
    return EventLog(context.events, foldsCheckpoints: false).entries.reversed()
      .filter { $0.matches(pattern) }
  }

  /// What a single line has to say: the newest alarm that is raised while the run goes on, else the
  /// newest of what is no routine.
  private static func pressing(_ entries: [EventLog.Entry], _ context: PaneContext)
    -> EventLog.Entry?
  {
    let isOver =
      context.history.state.isOver && context.playhead >= context.history.lastStep ?? 0
    let raised = entries.filter { $0.event.kind == .alarm && !$0.isOver }
    if !isOver, var newest = raised.first {
      newest.others = raised.count - 1
      return newest
    }
    return entries.first { !$0.event.isRoutine } ?? entries.first
  }

  private static func draw(_ grid: inout CellGrid, _ rect: Rect, _ context: PaneContext) {
    guard !rect.isEmpty else { return }
    var entries = shown(context)
    guard !entries.isEmpty else {
      let filter = context.filter ?? ""
      let text = filter.isEmpty ? "nothing happened yet" : "no event holds '\(filter)'"
      return context.drawWaiting(into: &grid, rect, text)
    }
    let isLookedThrough = context.scroll > 0 || context.filter != nil || context.cursorStep != nil
    if rect.rows == 1, !isLookedThrough {
      entries = [pressing(entries, context)].compactMap(\.self)
    }
    let first = min(context.scroll, entries.count - 1)
    let shown = Array(entries.dropFirst(first).prefix(rect.rows))
    let columns = EventColumns(shown, columns: rect.columns)
    let wraps = context.isFocused || context.isZoomed || shown.count < rect.rows
    var row = rect.row
    grid.clipped(to: rect) { grid in
      for entry in shown where row < rect.endRow {
        let room = Rect(
          column: rect.column, row: row, columns: rect.columns,
          rows: wraps ? rect.endRow - row : 1)
        row += max(1, EventLine(entry, columns).draw(into: &grid, room, context))
      }
    }
  }
}

extension PaneID {
  package static let events = PaneID("events")
}
