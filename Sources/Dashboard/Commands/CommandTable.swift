package import Screen

/// The one table of actions.
package enum CommandTable {
  private static let mixture = commands(isMixture: true)
  private static let dense = commands(isMixture: false)

  package static func all(isMixture: Bool) -> [DashboardCommand] {
    isMixture ? mixture : dense
  }

  private static func commands(isMixture: Bool) -> [DashboardCommand] {
    ReplayCommands.table + RunCommands.table + TimeCommands.table + ChartCommands.table
      + PaneCommands.table(isMixture: isMixture) + WallCommands.table + ProgramCommands.table
  }

  /// Words that fingers know from elsewhere, by the action that they stand for.
  package static let aliases: [String: [String]] = [
    "quit": ["q", "qa", "exit", "wq"],
    "write screen": ["w", "write", "svg", "screenshot", "print"],
    "help": ["h", "keys"], "overlay": ["compare", "diff"], "theme": ["colors", "colorscheme"],
    "filter": ["search", "find", "grep"], "checkpoint": ["save"], "evaluate": ["eval"],
    "mitigations": ["settings", "menu"], "note": ["mark", "comment"], "pause": ["hold"],
    "resume": ["continue", "cont"], "rewind": ["restore"], "freeze": ["lock"],
    "all steps": ["reset"], "repaint": ["redraw", "clear"], "layouts": ["layout", "preset"],
    "play": ["run"], "undo": ["revert"], "open": ["runs", "sessions", "browse", "edit"],
  ]

  /// What can be asked for here, allowed at this moment or not.
  package static func applicable(to state: DashboardState) -> [DashboardCommand] {
    all(isMixture: state.isMixture).filter { $0.applies(state) }
  }

  package static func command(for key: Key, in state: DashboardState) -> DashboardCommand? {
    all(isMixture: state.isMixture).first { $0.keys.contains(key) && $0.applies(state) }
  }

  package static func command(named name: String, in state: DashboardState) -> DashboardCommand? {
    applicable(to: state).first { $0.name == name }
  }

  /// The keys as the README shows them.
  package static var markdown: String {
    var lines = ["| key | what it does |", "|---|---|"]
    for group in DashboardCommand.Group.allCases {
      for command in all(isMixture: true) where command.group == group && !command.keys.isEmpty {
        let keys = command.keys.map { "`\($0.words)`" }.joined(separator: " ")
        lines.append("| \(keys) | **\(command.name)**: \(command.sentence) |")
      }
    }
    lines += ["", "In the list of runs (`O`):", "", "| key | what it does |", "|---|---|"]
    return (lines + BrowserCommand.markdown).joined(separator: "\n") + "\n"
  }
}

extension Key {
  /// The key in plain words, as help and documents name it.
  package var words: String {
    switch self {
    case .character(" "): "space"
    case .character(let character): String(character)
    case .control(let character): "ctrl-\(character)"
    case .backtab: "shift-tab"
    case .pageUp: "page up"
    case .pageDown: "page down"
    case .escape: "esc"
    case .function(let number): "f\(number)"
    default: "\(self)"
    }
  }

  /// The key in as few columns as the bottom bar has.
  func glyph(_ symbols: Symbols) -> String {
    guard symbols.graph == .braille else { return words }
    return switch self {
    case .character(" "): "␣"
    case .enter: "⏎"
    case .tab: "⇥"
    case .left: "←"
    case .right: "→"
    case .up: "↑"
    case .down: "↓"
    default: words
    }
  }
}
