package import Screen
import Signals
package import Telemetry

/// A question answered by one line of text, asked in the bottom row; it stays until esc or an answer
/// that is taken.
package struct Prompt: Layer {
  package enum Subject: Sendable, Hashable {
    /// Beside the step at which its typing began.
    case note(step: Int)
    case filter, branch
    /// Which step to look at.
    case step
  }

  private let subject: Subject
  private let original: String
  var field: TextField
  /// Why what was typed is no answer.
  private var complaint: String?
  /// What the run has been asked for and has not answered yet.
  private(set) var awaited: Command?

  package init(_ subject: Subject, text: String = "", awaited: Command? = nil) {
    self.subject = subject
    self.awaited = awaited
    original = text
    field = TextField(present: text)
  }

  package var takesText: Bool { true }

  package mutating func handle(_ key: Key, in state: DashboardState) -> LayerAnswer {
    switch key {
    case .escape:
      return subject == .filter ? .closed(.filter(original)) : .closed
    case .control where awaited != nil: return .ignored
    case _ where awaited != nil: return .consumed
    case .enter: return answer(in: state)
    default:
      guard field.handle(key) else { return .ignored }
      complaint = nil
      return subject == .filter ? .stays(.filter(field.text)) : .consumed
    }
  }

  private mutating func answer(in state: DashboardState) -> LayerAnswer {
    let text = field.text
    let words = String(text.drop { $0 == " " })
    switch subject {
    case .filter:
      guard !TextPattern(text).isBroken else {
        return complain("no regular expression yet: close what is open, or write \\ before a sign")
      }
      return .closed(.filter(text))
    case _ where words.isEmpty: return .closed
    case .note(let step):
      let command = Command.note(words, at: step == state.history.lastStep ? nil : step)
      if let refusal = state.refusal(of: command) { return complain(refusal) }
      return .closed(.ask(command))
    case .branch: return branch(to: text, in: state)
    case .step:
      do throws(StepFlaw) {
        return .closed(.go(toStep: try state.step(named: words)))
      } catch {
        return complain(error.description)
      }
    }
  }

  /// The run may refuse the name yet: the prompt waits for its word.
  private mutating func branch(to name: String, in state: DashboardState) -> LayerAnswer {
    do throws(CommandError) {
      let command = try Command(words: "branch \(name)")
      if let refusal = state.refusal(of: command) { return complain(refusal) }
      awaited = command
      return .stays(.ask(command))
    } catch {
      return complain(error.description)
    }
  }

  private mutating func complain(_ reason: String) -> LayerAnswer {
    complaint = reason
    return .stays(.effect(.bell))
  }

  /// What the run made of what was asked for; false where that is still open.
  mutating func take(_ event: RunEvent) -> Bool {
    guard let awaited else { return false }
    if event.kind == .branch, awaited == .branch(name: event.name ?? "") { return true }
    guard event.kind == .refused, event.name == awaited.words else { return false }
    giveUp(because: event.reason)
    return false
  }

  /// No answer will come.
  mutating func giveUp(because reason: String) {
    guard awaited != nil else { return }
    (awaited, complaint) = (nil, reason)
  }

  private var verbs: (done: String, dropped: String) {
    switch subject {
    case .note: ("write", "drop")
    case .filter: ("keep", "as before")
    case .branch: ("go on there", "stay")
    case .step: ("go", "stay")
    }
  }

  package func draw(on grid: inout CellGrid, _ state: DashboardState) -> Box? {
    let theme = state.appearance.theme
    let row = grid.bounds.bottom(1)
    grid.fill(row, style: theme.style(.text))
    drawWord(on: &grid, above: row, theme: theme)
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
    return nil
  }

  /// What is wrong with the answer, or that the run has yet to take it, above the line.
  private func drawWord(on grid: inout CellGrid, above row: Rect, theme: Theme) {
    let waiting = awaited.map { _ in Span("asked: the run answers between two steps", .faint) }
    guard let word = complaint.map({ Span($0, .warning) }) ?? waiting, row.row > 0 else { return }
    let line = Rect(column: 0, row: row.row - 1, columns: row.columns, rows: 1)
    grid.fill(line, style: theme.style(.text))
    grid.write(
      TextWidth.truncated(word.text, to: line.columns), at: line.origin,
      style: theme.style(word.role, .bold))
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
    case .note(let step): "note at step \(NumberText.grouped(step)): "
    case .filter: "filter: "
    case .branch: "branch at step \(NumberText.grouped(state.stepsDone)), name: "
    case .step: "go to step: "
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

  package func target(at point: Point, in state: DashboardState) -> Box.Target {
    let row = Rect(column: 0, row: state.size.rows - 1, columns: state.size.columns, rows: 1)
    let hint = hints(in: row, state).first { $0.rect.contains(point) }?.hint
    return hint?.keys.first.map { .key($0) } ?? .nothing
  }
}

extension DashboardState {
  mutating func filter(by text: String) {
    viewport.filter = text.isEmpty ? nil : text
    viewport.scroll[.events] = nil
  }

  /// Lets a prompt that waits for the run take its answer.
  mutating func answerPrompt(with event: RunEvent) {
    for (index, layer) in layers.enumerated().reversed() {
      guard var prompt = layer as? Prompt, prompt.awaited != nil else { continue }
      let isDone = prompt.take(event)
      layers[index] = prompt
      if isDone { layers.remove(at: index) }
    }
  }

  /// Lets a prompt that waits for a run that is over be mended or left.
  mutating func endPrompts() {
    for (index, layer) in layers.enumerated() {
      guard var prompt = layer as? Prompt else { continue }
      prompt.giveUp(because: "the run is over")
      layers[index] = prompt
    }
  }
}
