import Screen
import Signals
import Telemetry

/// What happened, newest first, as sentences: who, what, and what came of it.
enum EventsPane {
  static let pane = Pane(
    id: .events, title: "events", minimumRows: 1, weight: 1,
    explanation: """
      Commands with who gave them and what they did, alarms with their numbers and the key that \
      helps and the step at which they ended, checkpoints and notes; newest \
      first. Healthy is a list without ▲ and ✗. Search with /, \
      go from one to the next with [ and ], write your own with N.
      """,
    headline: headline, draw: draw)

  private static func headline(_ context: PaneContext) -> [Span] {
    let all = EventLog(context.events).entries.count
    guard let filter = context.filter, !filter.isEmpty else {
      return [Span(NumberText.grouped(all), .faint)]
    }
    return [Span("\(shown(context).count) of \(all) hold '\(filter)'", .faint)]
  }

  /// The entries that the filter lets through, newest first.
  static func shown(_ context: PaneContext) -> [EventLog.Entry] {
    let entries = Array(EventLog(context.events).entries.reversed())
    guard let filter = context.filter, !filter.isEmpty else { return entries }
    let pattern = TextPattern(filter)
    return entries.filter { $0.matches(pattern) }
  }

  private static func draw(_ grid: inout CellGrid, _ rect: Rect, _ context: PaneContext) {
    guard !rect.isEmpty else { return }
    let entries = shown(context)
    guard !entries.isEmpty else {
      let filter = context.filter ?? ""
      let text = filter.isEmpty ? "nothing happened yet" : "no event holds '\(filter)'"
      return context.drawWaiting(into: &grid, rect, text)
    }
    let digits = entries.map { NumberText.grouped($0.event.step).count }.max() ?? 1
    let first = min(context.scroll, entries.count - 1)
    let lines = entries.dropFirst(first).prefix(rect.rows).map { EventLine($0, digits: digits) }
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
  let entry: EventLog.Entry
  let digits: Int

  init(_ entry: EventLog.Entry, digits: Int) {
    self.entry = entry
    self.digits = digits
  }

  private var event: RunEvent { entry.event }

  /// An alarm that has ended is no news any more.
  private var look: EventLook {
    var look = EventLook(event.kind)
    if entry.isOver { look.role = .faint }
    return look
  }

  private var author: String { event.kind == .effect ? "effect" : event.by }

  private var sentence: String {
    if let end = entry.end { return "\(event.text), until step \(NumberText.grouped(end.step))" }
    guard event.kind == .effect, let name = event.name else { return event.text }
    return "of \(name): \(event.text)"
  }

  /// Draws within `rect` and returns the rows taken.
  func draw(into grid: inout CellGrid, _ rect: Rect, _ context: PaneContext) -> Int {
    let look = look
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
    let text: Role = entry.isOver ? .faint : .text
    return drawSentence(into: &grid, body, style(text), style(look.role))
  }

  /// The sentence up to the last word that has room.
  private func shortened(to columns: Int) -> String {
    guard TextWidth.columns(of: sentence) > columns else { return sentence }
    let line = TextWidth.wrapped(sentence, to: columns - 2).first ?? ""
    return line + " …"
  }

  private func drawSentence(
    into grid: inout CellGrid, _ rect: Rect, _ style: Style, _ hintStyle: Style
  ) -> Int {
    let hint = entry.isOver ? "" : event.hint ?? ""
    let gap = 3
    let width = TextWidth.columns(of: sentence)
    if width + (hint.isEmpty ? 0 : gap + TextWidth.columns(of: hint)) <= rect.columns {
      grid.write(sentence, at: rect.origin, style: style)
      grid.write(hint, at: rect.origin.offset(columns: width + gap), style: hintStyle)
      return 1
    }
    guard rect.rows > 1 else {
      // The key that helps is worth more than the end of a sentence.
      let hinted = rect.columns - (hint.isEmpty ? 0 : gap + TextWidth.columns(of: hint))
      let text = shortened(to: hinted >= 20 ? hinted : rect.columns)
      let used = grid.write(text, at: rect.origin, style: style)
      guard !hint.isEmpty, hinted >= 20 else { return 1 }
      grid.write(hint, at: rect.origin.offset(columns: used + gap), style: hintStyle)
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
