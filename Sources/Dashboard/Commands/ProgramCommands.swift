import Screen

/// The program itself.
enum ProgramCommands {
  static let table: [DashboardCommand] = [
    DashboardCommand(
      "command", keys: [.character(":")], group: .program, bar: .init("command", rank: 13),
      "Type a command; it is completed as you go."
    ) { state in
      state.layers.append(CommandPalette())
      return []
    },
    DashboardCommand(
      "help", keys: [.character("?")], group: .program, bar: .init("help", rank: 0),
      "List all keys and what the focused pane shows; search, and run what you find."
    ) { state in
      state.showsHelpHint = false
      state.layers.append(Help())
      return []
    },
    DashboardCommand(
      "words", keys: [.character("W")], group: .program,
      "List the field's words, each in a sentence; search among them."
    ) { state in
      state.layers.append(Help(page: .words))
      return []
    },
    DashboardCommand(
      "write screen", keys: [.character("w")], group: .program,
      "Write the screen as SVG; :\(PictureRequest.usage) chooses file and size."
    ) { _ in [.writeScreen()] },
    DashboardCommand(
      "open", keys: [.character("O")], group: .program, bar: .init("runs", rank: 15),
      "List all runs: to open, compare, tag, rename; :open PATH looks elsewhere too."
    ) { $0.browseRuns() },
    DashboardCommand(
      "repaint", keys: [.control("l")], group: .program, "Draw the whole screen anew."
    ) { _ in [.repaint] },
    DashboardCommand(
      "suspend", keys: [.control("z")], group: .program,
      "Go to the shell; the run goes on when fg brings it back."
    ) { _ in [.suspend] },
    DashboardCommand(
      "quit", keys: [.character("q"), .control("c")], group: .program,
      bar: .init("quit", rank: 0), "Leave; a live run is asked about first."
    ) { $0.askToLeave() },
  ]
}

extension DashboardState {
  /// Leaves at once where nothing would be lost, else asks.
  mutating func askToLeave() -> [Effect] {
    guard isLive else { return [.quit(.leave)] }
    layers.append(QuitDialog())
    return []
  }
}
