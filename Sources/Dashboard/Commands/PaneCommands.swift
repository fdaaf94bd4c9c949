import Screen

/// Which panes are seen, and how large.
enum PaneCommands {
  static func table(isMixture: Bool) -> [DashboardCommand] {
    let panes = PaneID.ordered(isMixture: isMixture).map { toggle($0, isMixture: isMixture) }
    return common + panes.sorted { ($0.keys.isEmpty ? 1 : 0) < ($1.keys.isEmpty ? 1 : 0) }
  }

  private static let common: [DashboardCommand] = [
    command("next pane", [.tab], bar: .init("pane", rank: 12), "Focus the next pane.") {
      $0.cycleFocus(by: 1)
    },
    command("previous pane", [.backtab], "Focus the pane before.") { $0.cycleFocus(by: -1) },
    command(
      "zoom", [.enter], bar: .init("zoom", rank: 6),
      "Give the focused pane the whole screen, or all of them their places."
    ) { state in
      state.arrangement.zoomed = state.arrangement.zoomed == nil ? state.arrangement.focus : nil
    },
    command("back", [.escape], "Go out: of a box, the zoom, the cursor, the filter.") { state in
      state.goOut()
    },
    command("layouts", [.character("p")], "Go to the next arrangement of panes.") { state in
      let all = LayoutPreset.allCases
      let index = all.firstIndex(of: state.arrangement.preset) ?? 0
      state.arrangement = Arrangement(
        preset: all[(index + 1) % all.count], focus: state.arrangement.focus)
      state.refocus()
      state.say(state.arrangement.preset.sentence)
    },
  ]

  private static func toggle(_ pane: PaneID, isMixture: Bool) -> DashboardCommand {
    let digit = pane.digit(isMixture: isMixture)
    let keys = digit.map { [Key.character(Character("\($0)"))] } ?? []
    return command("pane \(pane.title)", keys, "Show or hide \(pane.title).") { state in
      state.toggle(pane)
    }
  }

  private static func command(
    _ name: String, _ keys: [Key], bar: DashboardCommand.BarItem? = nil, _ sentence: String,
    _ change: @escaping @Sendable (inout DashboardState) -> Void
  ) -> DashboardCommand {
    DashboardCommand(name, keys: keys, group: .panes, bar: bar, sentence) { state in
      change(&state)
      return []
    }
  }
}

extension DashboardState {
  /// A pane in sight goes; one that is not comes, and others make room.
  mutating func toggle(_ pane: PaneID) {
    if let zoomed = arrangement.zoomed {
      arrangement.zoomed = zoomed == pane ? nil : pane
      arrangement.focus = pane
      arrangement.show(pane)
      return
    }
    if layout.panes[pane] == nil {
      arrangement.show(pane)
      arrangement.focus = pane
    } else if layout.panes.count > 1 {
      arrangement.hide(pane)
    } else {
      say("the last pane stays", .faint)
    }
    refocus()
  }

  /// Leaves whatever is nearest: the zoom, the cursor, the filter, the zoom in time, a freeze.
  mutating func goOut() {
    if arrangement.zoomed != nil {
      arrangement.zoomed = nil
    } else if viewport.cursor != nil {
      viewport.cursor = nil
    } else if viewport.filter != nil {
      viewport.filter = nil
    } else if frozenAt != nil {
      frozenAt = nil
    } else if viewport.zoom != .all {
      viewport.zoom = .all
    }
    refocus()
  }

  /// Keeps the focus on a pane that is in sight.
  mutating func refocus() {
    let placed = layout.panes
    guard placed[arrangement.focus] == nil, !placed.isEmpty else { return }
    arrangement.focus = placed[.loss] != nil ? .loss : visiblePanes[0]
  }
}
