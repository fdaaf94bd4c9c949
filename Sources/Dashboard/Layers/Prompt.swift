import Screen
import Signals
import Telemetry

/// A question answered by one line of text, asked in the bottom row.
package struct Prompt: Sendable, Hashable {
  package enum Subject: Sendable, Hashable {
    case note, filter, branch
  }

  private let subject: Subject
  private let original: String
  var field: TextField

  package init(_ subject: Subject, text: String = "") {
    self.subject = subject
    original = text
    field = TextField(text)
  }

  mutating func handle(_ key: Key, in state: DashboardState) -> LayerAnswer {
    switch key {
    case .escape:
      let original = original
      return .closed { [subject] in $0.give(original, to: subject, isDone: false) }
    case .enter:
      let text = field.text
      return .closed { [subject] in $0.give(text, to: subject, isDone: true) }
    default:
      guard field.handle(key) else { return .ignored }
      let text = field.text
      guard subject == .filter else { return .consumed }
      return .stays { $0.give(text, to: .filter, isDone: false) }
    }
  }

  private var verbs: (done: String, dropped: String) {
    switch subject {
    case .note: ("write", "drop")
    case .filter: ("keep", "as before")
    case .branch: ("go on there", "stay")
    }
  }

  func draw(on grid: inout CellGrid, _ state: DashboardState) {
    let theme = state.appearance.theme
    let row = grid.bounds.bottom(1)
    grid.fill(row, style: theme.style(.text))
    let used = grid.write(title(state), at: row.origin, style: theme.style(.person, .bold))
    let places = hints(in: row, state)
    for (rect, hint) in places {
      Line([Span(hint.sign, .key), Span(" \(hint.label)", .faint)])
        .draw(on: &grid, at: rect.origin, theme: theme)
    }
    var end = places.first.map { $0.rect.column - 2 } ?? row.endColumn
    if let (text, role) = preview(state),
      row.columns >= used + text.count + 20 + row.endColumn - end
    {
      end -= TextWidth.columns(of: text)
      grid.write(text, at: Point(column: end, row: row.row), style: theme.style(role))
      end -= 2
    }
    field.draw(
      on: &grid, in: row.droppingLeft(used).droppingRight(row.endColumn - end), theme: theme)
  }

  /// What a filter finds as it stands.
  private func preview(_ state: DashboardState) -> (text: String, role: Role)? {
    guard subject == .filter, !field.isEmpty else { return nil }
    let pattern = TextPattern(field.text)
    guard !pattern.isBroken else { return ("no regular expression yet", .warning) }
    let events = state.history.events(upTo: state.playhead).count { $0.matches(pattern) }
    let metrics = state.history.names.count { pattern.matches($0.path) }
    func words(_ count: Int, _ noun: String) -> String {
      "\(NumberText.grouped(count)) \(noun)\(count == 1 ? "" : "s")"
    }
    let text = words(events, "event") + " · " + words(metrics, "metric")
    return (text, events + metrics == 0 ? .warning : .faint)
  }

  private func title(_ state: DashboardState) -> String {
    switch subject {
    case .note: "note at step \(NumberText.grouped(state.playhead)): "
    case .filter: "filter: "
    case .branch: "branch at step \(NumberText.grouped(state.stepsDone)), name: "
    }
  }

  /// Where the keys stand at the end of the row, where there is room for them.
  private func hints(in row: Rect, _ state: DashboardState) -> [(rect: Rect, hint: KeyHint)] {
    let hints = [
      KeyHint("⏎", verbs.done, .enter).spelled(with: state.appearance.symbols),
      KeyHint("esc", verbs.dropped, .escape),
    ]
    let widths = hints.map { TextWidth.columns(of: $0.text) }
    let total = widths.reduce(0) { $0 + $1 + 2 }
    guard row.columns >= title(state).count + total + 16 else { return [] }
    var column = row.endColumn - total
    return zip(hints, widths).map { hint, width in
      column += 2 + width
      let rect = Rect(column: column - width, row: row.row, columns: width, rows: 1)
      return (rect, hint)
    }
  }

  /// The key that a click there is for.
  func key(at point: Point, in size: Size, _ state: DashboardState) -> Key? {
    let row = Rect(column: 0, row: size.rows - 1, columns: size.columns, rows: 1)
    return hints(in: row, state).first { $0.rect.contains(point) }?.hint.keys.first
  }
}

extension DashboardState {
  mutating func give(_ text: String, to subject: Prompt.Subject, isDone: Bool) -> [Effect] {
    switch subject {
    case .filter:
      viewport.filter = text.isEmpty ? nil : text
      viewport.scroll[.events] = nil
      viewport.scroll[.metrics] = nil
      return []
    case .note:
      let trimmed = text.drop { $0 == " " }
      return isDone && !trimmed.isEmpty ? ask(.note(String(trimmed))) : []
    case .branch:
      return isDone && !text.isEmpty ? branch(to: text) : []
    }
  }

  private mutating func branch(to name: String) -> [Effect] {
    do throws(CommandError) {
      return ask(try Command(words: "branch \(name)"))
    } catch {
      say(error.description, .warning, seconds: 6)
      return [.bell]
    }
  }
}
