import Screen
import Signals
import Telemetry

/// Where the parts of the lines of a list of events stand.
struct EventColumns: Sendable {
  let step: Int
  let number: Int
  /// Who did it is told where there is room.
  let author: Int
  /// From the left edge to the sentence.
  var indent: Int { step + number + author + (author > 0 ? 4 : 3) }

  init(_ entries: [EventLog.Entry], columns: Int) {
    step = entries.map { NumberText.grouped($0.event.step).count }.max() ?? 1
    number = entries.compactMap { $0.number.map { EventMark.raised($0).count } }.max() ?? 0
    let longest = entries.map { EventLine.author(of: $0.event).count }.max() ?? 0
    author = columns >= 90 ? min(max(longest, 8), Self.mostAuthor) + 1 : 0
  }

  /// Names of people may be long; `autopilot` is told whole.
  private static let mostAuthor = 12
}

/// One event: step, sign and number, who, then the sentence, and at the right what to do.
struct EventLine {
  private let entry: EventLog.Entry
  private let columns: EventColumns

  private static let gap = 3

  init(_ entry: EventLog.Entry, _ columns: EventColumns) {
    self.entry = entry
    self.columns = columns
  }

  private var event: RunEvent { entry.event }

  /// An alarm that has ended is no news any more.
  private var look: EventLook {
    var look = EventLook(event.kind)
    if entry.isOver { look.role = .faint }
    return look
  }

  fileprivate static func author(of event: RunEvent) -> String {
    event.kind == .effect ? "effect" : event.by
  }

  private var hint: String { entry.isOver ? "" : event.hint ?? "" }

  private var sentence: String {
    if entry.checkpoints > 1 {
      return "\(entry.checkpoints) checkpoints, last step \(NumberText.grouped(event.step))"
    }
    guard event.kind == .effect, let name = event.name else { return event.text }
    return "of \(name): \(event.text)"
  }

  /// What is said after the sentence, however short that is.
  private var ending: String {
    if let end = entry.end { return ", until step \(NumberText.grouped(end.step))" }
    return entry.others > 0 ? " (+\(entry.others))" : ""
  }

  /// The sentence in so many of its clauses as fit; what a person wrote is cut between words.
  private func text(fitting columns: Int) -> String {
    let room = columns - TextWidth.columns(of: ending)
    let isOurs = event.kind == .alarm || event.kind == .effect || event.kind == .run
    guard isOurs else { return sentence.cutBetweenWords(to: room) + ending }
    if TextWidth.columns(of: sentence) <= room { return sentence + ending }
    let words = EventWords(sentence)
    return words.fitting(room).map { $0 + ending } ?? words.cut(to: columns)
  }

  /// Draws within `rect` and returns the rows taken.
  func draw(into grid: inout CellGrid, _ rect: Rect, _ context: PaneContext) -> Int {
    let look = look
    let isChosen = context.cursorStep == event.step
    let surface: Role = isChosen ? .selection : .background
    func style(_ role: Role) -> Style { context.theme.style(role, on: surface) }
    if isChosen { grid.fill(rect.top(1), " ", style: style(.text)) }
    let step = NumberText.grouped(event.step)
    let first = rect.origin.offset(columns: columns.step)
    grid.writeRight(
      step, endColumn: first.column, row: rect.row, style: style(.faint),
      maxColumns: columns.step)
    grid.write(
      look.sign + (entry.number.map(EventMark.raised) ?? ""), at: first.offset(columns: 1),
      style: style(look.role), maxColumns: max(0, rect.columns - columns.step - 1))
    if columns.author > 0 {
      grid.write(
        Self.author(of: event), at: first.offset(columns: columns.number + 4), style: style(.faint),
        maxColumns: columns.author - 1)
    }
    let body = rect.droppingLeft(columns.indent)
    guard body.columns >= 8 else { return 1 }
    let text: Role = entry.isOver ? .faint : .text
    return drawSentence(into: &grid, body, style(text), style(look.role))
  }

  private func drawSentence(
    into grid: inout CellGrid, _ rect: Rect, _ style: Style, _ hintStyle: Style
  ) -> Int {
    let hintColumns = TextWidth.columns(of: hint)
    let taken = hint.isEmpty ? 0 : Self.gap + hintColumns
    let isBeside = rect.columns - taken >= (rect.rows > 1 ? max(16, hintColumns) : 10)
    let room = rect.columns - (isBeside ? taken : 0)
    guard TextWidth.columns(of: sentence + ending) > room || !isBeside, rect.rows > 1 else {
      // The key that helps is worth more than the end of a sentence.
      grid.write(text(fitting: room), at: rect.origin, style: style)
      if isBeside { drawHint(into: &grid, rect, hintStyle) }
      return 1
    }
    let lines = TextWidth.wrapped(sentence + ending, to: room)
    let hints = hint.isEmpty || isBeside ? [] : TextWidth.wrapped(hint, to: rect.columns)
    for (offset, line) in (lines + hints).prefix(rect.rows).enumerated() {
      let isHint = offset >= lines.count
      grid.write(line, at: rect.origin.offset(rows: offset), style: isHint ? hintStyle : style)
    }
    if isBeside { drawHint(into: &grid, rect, hintStyle) }
    return min(rect.rows, lines.count + hints.count)
  }

  private func drawHint(into grid: inout CellGrid, _ rect: Rect, _ style: Style) {
    grid.writeRight(
      hint, endColumn: rect.endColumn, row: rect.row, style: style, maxColumns: rect.columns)
  }
}
