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
    case .note: (" write", " drop")
    case .filter: (" keep", " as before")
    case .branch: (" go on there", " stay")
    }
  }

  func draw(on grid: inout CellGrid, _ state: DashboardState) {
    let theme = state.appearance.theme
    let row = grid.bounds.bottom(1)
    grid.fill(row, style: theme.style(.text))
    let title =
      switch subject {
      case .note: "note at step \(NumberText.grouped(state.playhead)): "
      case .filter: "filter: "
      case .branch: "branch at step \(NumberText.grouped(state.playhead)), name: "
      }
    let hints = Line([
      Span("  ⏎", .key), Span(verbs.done, .faint), Span("  esc", .key),
      Span(verbs.dropped, .faint),
    ])
    let hasRoom = row.columns >= title.count + hints.columns + 16
    let used = grid.write(title, at: row.origin, style: theme.style(.person, .bold))
    let rest = row.droppingLeft(used)
    if hasRoom {
      let end = rest.right(hints.columns)
      hints.draw(on: &grid, at: end.origin, theme: theme)
    }
    field.draw(
      on: &grid, in: rest.droppingRight(hasRoom ? hints.columns : 0), theme: theme)
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
