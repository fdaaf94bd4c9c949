import Screen
import Signals
import Telemetry

/// What happened, newest first, as sentences: who, what, and what came of it.
enum EventsPane {
  static let pane = Pane(
    id: .events, title: "events", minimumRows: 1, weight: 1,
    explanation: """
      Commands with who gave them and what they did, alarms with their numbers and the key that \
      helps, checkpoints and notes; newest first. Healthy is a list without ▲ and ✗. Search with /, \
      go from one to the next with [ and ], write your own with N.
      """,
    headline: headline, draw: draw)

  private static func headline(_ context: PaneContext) -> [Span] {
    let all = context.events.count
    guard let filter = context.filter, !filter.isEmpty else {
      return [Span(NumberText.grouped(all), .faint)]
    }
    return [Span("\(shown(context).count) of \(all) hold '\(filter)'", .faint)]
  }

  /// The events that the filter lets through, newest first.
  static func shown(_ context: PaneContext) -> [RunEvent] {
    let events = Array(context.events.reversed())
    guard let filter = context.filter, !filter.isEmpty else { return events }
    return events.filter { $0.matches(filter) }
  }

  private static func draw(_ grid: inout CellGrid, _ rect: Rect, _ context: PaneContext) {
    guard !rect.isEmpty else { return }
    let events = shown(context)
    guard !events.isEmpty else {
      let filter = context.filter ?? ""
      let text = filter.isEmpty ? "nothing happened yet" : "no event holds '\(filter)'"
      return context.drawWaiting(into: &grid, rect, text)
    }
    let digits = events.map { NumberText.grouped($0.step).count }.max() ?? 1
    let lines = events.dropFirst(min(context.scroll, events.count - 1)).prefix(rect.rows).map {
      EventLine($0, digits: digits)
    }
    let wraps = context.isFocused || context.isZoomed || lines.count < rect.rows
    var row = rect.row
    grid.clipped(to: rect) { grid in
      for line in lines where row < rect.endRow {
        let room = Rect(
          column: rect.column, row: row, columns: rect.columns,
          rows: wraps ? rect.endRow - row : 1)
        row += max(1, line.draw(into: &grid, room, context))
      }
    }
  }
}

/// One event: step, sign, who, then the sentence and its hint.
private struct EventLine {
  let event: RunEvent
  let digits: Int

  init(_ event: RunEvent, digits: Int) {
    self.event = event
    self.digits = digits
  }

  private var author: String { event.kind == .effect ? "effect" : event.by }

  private var sentence: String {
    guard event.kind == .effect, let name = event.name else { return event.text }
    return "of \(name): \(event.text)"
  }

  /// Draws within `rect` and returns the rows taken.
  func draw(into grid: inout CellGrid, _ rect: Rect, _ context: PaneContext) -> Int {
    let look = EventLook(event.kind)
    let isChosen = context.cursorStep == event.step
    let surface: Role = isChosen ? .selection : .background
    func style(_ role: Role) -> Style { context.theme.style(role, on: surface) }
    if isChosen { grid.fill(rect.top(1), " ", style: style(.text)) }
    let step = NumberText.grouped(event.step)
    let first = rect.origin.offset(columns: digits)
    grid.writeRight(
      step, endColumn: first.column, row: rect.row, style: style(.faint), maxColumns: digits)
    grid.write(
      look.sign, at: first.offset(columns: 1), style: style(look.role),
      maxColumns: max(0, rect.columns - digits - 1))
    let hasAuthor = rect.columns >= 56
    let authorColumns = hasAuthor ? 9 : 0
    if hasAuthor {
      grid.write(author, at: first.offset(columns: 4), style: style(.faint), maxColumns: 8)
    }
    let indent = digits + (hasAuthor ? 4 : 3) + authorColumns
    let body = rect.droppingLeft(indent)
    guard body.columns >= 8 else { return 1 }
    return drawSentence(into: &grid, body, style(.text), style(hintRole(look)))
  }

  /// The sentence up to the last word that has room.
  private func shortened(to columns: Int) -> String {
    guard TextWidth.columns(of: sentence) > columns else { return sentence }
    let line = TextWidth.wrapped(sentence, to: columns - 2).first ?? ""
    return line + " …"
  }

  private func hintRole(_ look: EventLook) -> Role {
    look.role == .faint ? .faint : look.role
  }

  private func drawSentence(
    into grid: inout CellGrid, _ rect: Rect, _ style: Style, _ hintStyle: Style
  ) -> Int {
    let hint = event.hint ?? ""
    let gap = 3
    let width = TextWidth.columns(of: sentence)
    if width + (hint.isEmpty ? 0 : gap + TextWidth.columns(of: hint)) <= rect.columns {
      grid.write(sentence, at: rect.origin, style: style)
      grid.write(hint, at: rect.origin.offset(columns: width + gap), style: hintStyle)
      return 1
    }
    guard rect.rows > 1 else {
      grid.write(shortened(to: rect.columns), at: rect.origin, style: style)
      return 1
    }
    let lines = TextWidth.wrapped(sentence, to: rect.columns)
    let hints = hint.isEmpty ? [] : TextWidth.wrapped(hint, to: rect.columns)
    for (offset, line) in (lines + hints).prefix(rect.rows).enumerated() {
      let isHint = offset >= lines.count
      grid.write(line, at: rect.origin.offset(rows: offset), style: isHint ? hintStyle : style)
    }
    return min(rect.rows, lines.count + hints.count)
  }
}
