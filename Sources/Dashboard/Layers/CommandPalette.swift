import Screen
import Signals
import Telemetry

/// A command typed by its words: completed as one types, run by enter.
package struct CommandPalette: Sendable, Hashable {
  var field = TextField()
  private(set) var list = ListCursor()
  private var complaint: String?

  package init() {}

  mutating func handle(_ key: Key, in state: DashboardState) -> LayerAnswer {
    let candidates = Candidate.all(for: field.text, in: state)
    if list.handle(key, count: candidates.count) { return .consumed }
    switch key {
    case .escape: return .closed
    case .backspace where field.isEmpty: return .closed
    case .tab:
      guard candidates.indices.contains(list.index) else { return .consumed }
      field.replace(with: candidates[list.index].completion)
      list.index = 0
      return .consumed
    case .enter: return execute(candidates)
    default:
      guard field.handle(key) else { return .ignored }
      list.index = 0
      complaint = nil
      return .consumed
    }
  }

  /// What was typed where it is a command as it stands; else what is chosen in the list.
  private mutating func execute(_ candidates: [Candidate]) -> LayerAnswer {
    let words = field.text
    if list.index == 0, let command = try? Command(words: words) {
      return .closed { $0.obey(command) }
    }
    guard candidates.indices.contains(list.index) else {
      complaint = Self.complaint(about: words)
      return .consumed
    }
    switch candidates[list.index].kind {
    case .action(let name):
      return .closed { $0.run(named: name) }
    case .command(let command):
      return .closed { $0.obey(command) }
    case .incomplete:
      field.replace(with: candidates[list.index].completion)
      complaint = Self.complaint(about: field.text)
      list.index = 0
      return .consumed
    }
  }

  private static func complaint(about words: String) -> String? {
    do {
      _ = try Command(words: words)
      return nil
    } catch {
      return error.description
    }
  }

  mutating func choose(_ index: Int) -> LayerAnswer {
    list.index = index
    return .consumed
  }

  func draw(on grid: inout CellGrid, _ state: DashboardState) -> Box {
    let theme = state.appearance.theme
    let candidates = Candidate.all(for: field.text, in: state)
    var box = Box(
      on: &grid, state, columns: 84,
      rows: min(14, max(4, grid.size.rows - (grid.size.rows < 20 ? 3 : 6))), title: "command",
      keys: [
        .init("⏎", "run", .enter), .init("⇥", "complete", .tab),
        .init("↑↓", "choose", .up, .down), .init("esc", "close", .escape),
      ])
    let line = box.inside.top(1)
    grid.write(":", at: line.origin, style: theme.style(.key))
    field.draw(on: &grid, in: line.droppingLeft(1), theme: theme)
    var rows = box.inside.droppingTop(1)
    if let complaint {
      grid.write(
        TextWidth.truncated(complaint, to: rows.columns), at: rows.origin,
        style: theme.style(.warning))
      rows = rows.droppingTop(1)
    }
    let isWide = rows.columns >= 50
    let shown = list.visible(count: candidates.count, rows: rows.rows)
    for (row, index) in zip(rows.row..<rows.endRow, shown) {
      let line = Rect(column: rows.column, row: row, columns: rows.columns, rows: 1)
      box.note(index, in: line)
      candidates[index].line.draw(
        on: &grid, in: line, keyColumns: isWide ? 9 : 0, nameColumns: isWide ? 24 : 20,
        isChosen: index == list.index, state)
    }
    return box
  }
}

/// One line that the palette offers.
struct Candidate: Sendable {
  enum Kind: Sendable {
    case action(name: String)
    case command(Command)
    /// Words that still lack something.
    case incomplete
  }

  let kind: Kind
  /// What `tab` makes of the line.
  let completion: String
  let line: CommandLine

  /// All that fits what was typed, the best first.
  static func all(for typed: String, in state: DashboardState) -> [Candidate] {
    let typed = typed.lowercased().drop { $0 == " " }
    let everything = actions(in: state) + words(in: state) + settings(in: state)
    guard !typed.isEmpty else { return everything }
    let ranked = everything.compactMap { candidate in
      candidate.rank(typed: typed).map { (rank: $0, candidate: candidate) }
    }
    return (0...2).flatMap { rank in ranked.filter { $0.rank == rank }.map(\.candidate) }
  }

  private func rank(typed: Substring) -> Int? {
    let name = completion.lowercased()
    if name.hasPrefix(typed) { return 0 }
    if name.contains(typed) { return 1 }
    let words = typed.split(separator: " ")
    let haystack = name + " " + line.sentence.lowercased()
    return words.allSatisfy { haystack.contains($0) } ? 2 : nil
  }

  private static func actions(in state: DashboardState) -> [Candidate] {
    CommandTable.applicable(to: state).map { command in
      Candidate(
        kind: .action(name: command.name), completion: command.name,
        line: CommandLine(command, state))
    }
  }

  /// The run's own words that no key stands for.
  private static func words(in state: DashboardState) -> [Candidate] {
    let covered = Set(CommandTable.applicable(to: state).map(\.name))
    return Command.vocabulary.filter { !covered.contains($0.name) && $0.name != "set" }.map {
      word in
      let command = try? Command(words: word.name)
      return Candidate(
        kind: command.map { .command($0) } ?? .incomplete, completion: word.name,
        line: CommandLine(
          keys: "", name: word.usage, sentence: word.sentence, refusal: state.commandRefusal))
    }
  }

  /// Every live setting with its present value: a flag the other way round, a number to be typed.
  private static func settings(in state: DashboardState) -> [Candidate] {
    state.history.settings.map { setting in
      let value = state.setting(setting.name) ?? setting.value
      let refusal = setting.refusal ?? state.commandRefusal
      let sentence = refusal.map { "not now: \($0)" } ?? "now \(value) · \(setting.purpose)"
      switch setting.kind {
      case .flag:
        let other = SettingValue.flag(!value.isOn)
        let words = "set \(setting.name) \(other)"
        return Candidate(
          kind: .command(.set(name: setting.name, value: other)), completion: words,
          line: CommandLine(keys: "", name: words, sentence: sentence, refusal: refusal))
      case .number:
        let words = "set \(setting.name) "
        return Candidate(
          kind: .incomplete, completion: words,
          line: CommandLine(keys: "", name: words + "…", sentence: sentence, refusal: refusal))
      }
    }
  }
}

extension DashboardState {
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
    default:
      break
    }
    return ask(command)
  }
}
