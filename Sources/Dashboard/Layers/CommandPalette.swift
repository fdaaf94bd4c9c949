package import Screen
import Signals
import Telemetry

/// A command typed by its words: completed as one types, run by enter where it is whole or chosen.
package struct CommandPalette: Layer {
  var field = TextField()
  private(set) var list = ListCursor()
  /// Whether an entry of the list was chosen, by arrow or click: until then enter runs only what is
  /// typed whole.
  private var hasChosen = false
  private var complaint: String?
  /// The change that enter applies when it is pressed again.
  private var doubted: Command?
  /// How far up in what was run before the line comes from; nil for a line of one's own.
  private var recalled: Int?

  package init() {}

  package var takesText: Bool { true }
  package var chosenIndex: Int? { hasChosen ? list.index : nil }

  package mutating func handle(_ key: Key, in state: DashboardState) -> LayerAnswer {
    let candidates = Candidate.all(for: field.text, in: state)
    if recall(key, in: state) || move(key, among: candidates) { return .consumed }
    switch key {
    case .escape: return .closed
    case .backspace where field.isEmpty: return .closed
    case .tab:
      guard candidates.indices.contains(list.index) else { return .consumed }
      complete(candidates[list.index])
      return .consumed
    case .enter: return execute(candidates, in: state)
    default:
      guard field.handle(key) else { return .ignored }
      recalled = nil
      forgetChoice()
      return .consumed
    }
  }

  /// Up from an empty line goes back through what was run before, down forward again.
  private mutating func recall(_ key: Key, in state: DashboardState) -> Bool {
    let history = state.commandHistory
    guard !history.isEmpty, !hasChosen, recalled != nil || field.isEmpty else { return false }
    switch (key, recalled) {
    case (.up, let place): recalled = max(0, (place ?? history.count) - 1)
    case (.down, let place?): recalled = place + 1 < history.count ? place + 1 : nil
    default: return false
    }
    field.replace(with: recalled.map { history[$0] } ?? "")
    forgetChoice()
    return true
  }

  /// The first arrow chooses the first entry; up from there leaves the list.
  private mutating func move(_ key: Key, among candidates: [Candidate]) -> Bool {
    let before = list.index
    guard list.handle(key, count: candidates.count, hasText: true) else { return false }
    if !hasChosen { list.index = 0 }
    let leaves = hasChosen && before == 0 && list.index == 0 && key == .up
    hasChosen = !leaves && !candidates.isEmpty
    doubted = nil
    return true
  }

  private mutating func complete(_ candidate: Candidate) {
    field.replace(with: candidate.completion)
    forgetChoice()
  }

  private mutating func forgetChoice() {
    (list.index, hasChosen) = (0, false)
    (complaint, doubted) = (nil, nil)
  }

  /// What was typed where it is a command as it stands; else what is chosen in the list.
  private mutating func execute(
    _ candidates: [Candidate], in state: DashboardState
  ) -> LayerAnswer {
    let words = field.text
    if !hasChosen, let command = try? state.command(words) { return run(command, words, state) }
    guard let candidate = Self.meant(candidates, chosen: chosenIndex) else {
      return stay(among: candidates, in: state)
    }
    switch candidate.kind {
    case .command(let command): return run(command, command.words, state)
    case .action(let name):
      if let refusal = candidate.line.refusal { return complain("\(name): \(refusal)") }
      return .closed(.remember(name), .run(name))
    case .picture(let request):
      return .closed(.remember(words), .effect(.writeScreen(request)))
    case .place(let path):
      return .closed(.remember(words), .browse(path))
    case .deeds(let deeds):
      return LayerAnswer(closes: true, deeds: [.remember(candidate.completion)] + deeds)
    case .incomplete:
      complete(candidate)
      return complain(Self.complaint(about: field.text, in: state))
    }
  }

  private static func meant(_ candidates: [Candidate], chosen: Int?) -> Candidate? {
    guard let chosen else { return candidates.first { $0.isTyped } }
    return candidates.indices.contains(chosen) ? candidates[chosen] : nil
  }

  /// Runs a command unless it is refused here already, or is a change to be asked about first.
  private mutating func run(
    _ command: Command, _ words: String, _ state: DashboardState
  ) -> LayerAnswer {
    if let refusal = state.refusal(of: command) { return complain("\(words): \(refusal)") }
    if case .set(let name, let value) = command, doubted != command,
      let question = SettingChange(name, to: value, in: state)?.question
    {
      doubted = command
      return complain(question)
    }
    return .closed(.remember(words), .obey(command))
  }

  /// Nothing is run: what was typed is completed where it can mean one thing only, and what is
  /// missing is said.
  private mutating func stay(
    among candidates: [Candidate], in state: DashboardState
  ) -> LayerAnswer {
    let typed = field.text.lowercased().drop { $0 == " " }
    let meant = candidates.filter { $0.completion.lowercased().hasPrefix(typed) }
    if let only = meant.first, meant.count == 1, !typed.isEmpty, !only.isChange {
      complete(only)
      if case .action = only.kind { return complain("enter runs '\(only.completion)'") }
    }
    return complain(Self.complaint(about: field.text, among: candidates, in: state))
  }

  private mutating func complain(_ words: String?) -> LayerAnswer {
    complaint = words
    return .consumed
  }

  private static func complaint(
    about words: String, among candidates: [Candidate] = [], in state: DashboardState
  ) -> String? {
    if let flaw = WordCommands.flaw(of: words, in: state) { return flaw }
    do {
      if try PictureRequest(words: words) == nil { _ = try state.command(words) }
      return nil
    } catch CommandError.empty {
      return "nothing is typed: ↓ chooses from the list"
    } catch CommandError.unknown(let word, _) where !candidates.isEmpty {
      return "'\(word)' is no whole command: ↓ chooses from the list, tab completes"
    } catch {
      return "\(error)"
    }
  }

  /// A click chooses; what is chosen already, or typed whole, it takes.
  package mutating func choose(_ index: Int, in state: DashboardState) -> LayerAnswer {
    let candidates = Candidate.all(for: field.text, in: state)
    let isTyped = candidates.indices.contains(index) && candidates[index].isTyped
    (list.index, hasChosen) = (index, true)
    return isTyped ? execute(candidates, in: state) : .consumed
  }

  private func keys(in state: DashboardState) -> [KeyHint] {
    let isRecalling = recalled != nil || field.isEmpty && !hasChosen
    return [
      KeyHint("⏎", "run", .enter), KeyHint("⇥", "complete", .tab),
      isRecalling && !state.commandHistory.isEmpty
        ? KeyHint("↑↓", "earlier", .up, .down) : KeyHint("↑↓", "choose", .up, .down),
      KeyHint("esc", "close", .escape),
    ]
  }

  package func draw(on grid: inout CellGrid, _ state: DashboardState) -> Box? {
    let theme = state.appearance.theme
    let candidates = Candidate.all(for: field.text, in: state)
    var box = Box(
      on: &grid, state, columns: 104,
      rows: min(14, max(4, grid.size.rows - (grid.size.rows < 20 ? 3 : 6))), title: "command",
      keys: keys(in: state))
    let line = box.inside.top(1)
    grid.write(":", at: line.origin, style: theme.style(.key))
    field.draw(on: &grid, in: line.droppingLeft(1), theme: theme)
    var rows = box.inside.droppingTop(1)
    if let complaint {
      let lines = TextWidth.wrapped(complaint, to: rows.columns).prefix(max(1, rows.rows / 2))
      for line in lines {
        grid.write(line, at: rows.origin, style: theme.style(.warning), maxColumns: rows.columns)
        rows = rows.droppingTop(1)
      }
    }
    let isWide = rows.columns >= 50
    box.drawList(list, of: candidates.count, on: &grid, in: rows, theme: theme) {
      grid, index, line, _ in
      candidates[index].line.draw(
        on: &grid, in: line, keyColumns: isWide ? 9 : 0, nameColumns: isWide ? 24 : 20,
        isChosen: hasChosen ? index == list.index : candidates[index].isTyped, state)
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
    case .branch(let name) where commandRefusal == nil:
      layers.append(Prompt(.branch, text: name, awaited: command))
    default:
      break
    }
    return ask(command)
  }
}
