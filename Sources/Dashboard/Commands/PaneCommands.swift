import Screen

/// Which panes are seen, and how large.
enum PaneCommands {
  static func table(isMixture: Bool) -> [DashboardCommand] {
    var panes = PaneID.ordered(isMixture: isMixture)
    if !panes.contains(.experts) { panes.append(.experts) }
    return common
      + panes.map(toggle).sorted { ($0.keys.isEmpty ? 1 : 0) < ($1.keys.isEmpty ? 1 : 0) }
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
      if state.isOnWall, state.isBare(.wall) { return state.zoomTile() }
      if state.wall.zoomed != nil { return state.leaveTile() }
      state.arrangement.zoomed = state.arrangement.zoomed == nil ? state.arrangement.focus : nil
    },
    command("back", [.escape], "Go out: of a box, the zoom, the cursor, the filter.") { state in
      state.goOut()
    },
    command("layouts", [.character("p")], "Go to the next arrangement of panes.") { state in
      let all = LayoutPreset.allCases
      let index = all.firstIndex(of: state.arrangement.preset) ?? 0
      state.arrangement = Arrangement(
        preset: all[(index + 1) % all.count], pins: state.arrangement.pins,
        focus: state.arrangement.focus)
      state.refocus()
      state.say(state.layoutWords)
    },
  ]

  private static func toggle(_ pane: PaneID) -> DashboardCommand {
    let keys = pane.digit.map { [Key.character(Character("\($0)"))] } ?? []
    return DashboardCommand(
      "pane \(pane.title)", keys: keys, group: .panes, "Show or hide \(pane.title).",
      refusal: { state in
        switch pane {
        case .experts where !state.isMixture: "this model has no experts"
        case .samples where !state.toldPanes.contains(.samples):
          "nothing is written: train --sample-every 100 writes"
        case .inspection where !state.toldPanes.contains(.inspection):
          "nothing is looked at: train --inspect-every 100 looks"
        default: nil
        }
      }
    ) { state in
      state.toggle(pane)
      return []
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
  /// A pane in sight goes; one that is not comes, and others make room, which is said.
  mutating func toggle(_ pane: PaneID) {
    if silentPanes.contains(pane) {
      return say("\(pane.title): this run logs nothing of it", .faint)
    }
    if let zoomed = arrangement.zoomed {
      arrangement.zoomed = zoomed == pane ? nil : pane
      arrangement.focus = pane
      arrangement.show(pane)
      return
    }
    let before = Set(layout.panes.keys)
    if !before.contains(pane) {
      arrangement.show(pane)
      arrangement.focus = pane
      tell(of: pane, shownBeside: before)
    } else if before.count > 1 {
      arrangement.hide(pane)
      let others = words(for: Set(layout.panes.keys).subtracting(before))
      say("\(pane.title) hidden" + (others.isEmpty ? "" : "; \(others) in its place"), .faint)
    } else {
      say("the last pane stays", .faint)
    }
    refocus()
  }

  /// Shows the metrics that match `pane`'s patterns, in every layout from then on.
  mutating func pin(_ pane: PaneID) -> [Effect] {
    let before = Set(layout.panes.keys)
    arrangement.pin(pane)
    arrangement.focus = pane
    if arrangement.zoomed != nil { arrangement.zoomed = pane }
    tell(of: pane, shownBeside: before)
    refocus()
    return []
  }

  mutating func unpin(_ pane: PaneID) -> [Effect] {
    arrangement.unpin(pane)
    say("\(pane.title) is no longer pinned", .faint)
    refocus()
    return []
  }

  private mutating func tell(of pane: PaneID, shownBeside before: Set<PaneID>) {
    let shown = Set(layout.panes.keys)
    guard shown.contains(pane) else {
      say("no room for \(pane.title) at this size", .warning)
      return
    }
    let gone = words(for: before.subtracting(shown))
    say("\(pane.title) shown" + (gone.isEmpty ? "" : "; \(gone) gave way"))
  }

  private func words(for panes: Set<PaneID>) -> String {
    panes.map(\.title).sorted().joined(separator: ", ")
  }

  /// The layout's name and the panes of it that have room.
  fileprivate var layoutWords: String {
    let placed = layout.panes
    let wanted = rankedPanes
    let shown = wanted.filter { placed[$0] != nil }.map(\.title).joined(separator: ", ")
    let missing = wanted.count { placed[$0] == nil }
    return "\(arrangement.preset.rawValue): \(shown)"
      + (missing > 0 ? " · \(missing) more \(missing == 1 ? "has" : "have") no room here" : "")
  }

  /// Leaves whatever is nearest: the zoom, the cursor, the filter, the zoom in time, a freeze.
  mutating func goOut() {
    if wall.zoomed != nil, arrangement.focus == .wall {
      leaveTile()
    } else if arrangement.zoomed != nil {
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
