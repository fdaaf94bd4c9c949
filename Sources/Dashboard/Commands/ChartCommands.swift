import Screen
import Signals

/// How charts are looked at.
enum ChartCommands {
  static let table: [DashboardCommand] = [
    command(
      "cursor", "x", bar: .init("cursor", rank: 10),
      "Show a cursor with the exact values on all charts, or hide it."
    ) { state in
      if state.viewport.cursor != nil {
        state.viewport.cursor = nil
      } else {
        let window = state.viewport.window(in: state.steps).steps
        state.place(cursor: window.upperBound - 1)
      }
    },
    command("smoothing", "s", "Smooth lines more, or not at all; the raw line stays, faint.") {
      state in
      state.viewport.cycleSmoothing()
      state.refreshSmoothing()
      for index in state.overlays.indices {
        state.overlays[index].smooth(
          DashboardState.smoothedMetrics, weight: state.viewport.smoothing)
      }
      let weight = state.viewport.smoothing
      state.say(weight.map { "smoothing \($0), debiased" } ?? "no smoothing")
    },
    command("log y", "y", "Switch the focused pane's vertical axis between linear and log.") {
      state in
      let pane = state.arrangement.focus
      if pane == .wall { return state.toggleLogTile() }
      if state.viewport.logY.remove(pane) == nil { state.viewport.logY.insert(pane) }
      let isLog = state.viewport.logY.contains(pane)
      state.say("\(pane.title): \(isLog ? "log" : "linear") vertical axis")
    },
    command(
      "narrow values", ")",
      "Show half the range of the focused pane's values; on the wall, more columns."
    ) { $0.isOnWall ? $0.widenWall(by: 1) : $0.scaleValues(by: 0.5) },
    command(
      "widen values", "(",
      "Show twice the range of values, up to all of them; on the wall, fewer columns."
    ) { $0.isOnWall ? $0.widenWall(by: -1) : $0.scaleValues(by: 2) },
    command("log x", "Y", "Switch the horizontal axis of all charts between linear and log.") {
      state in
      state.viewport.isLogX.toggle()
      state.say("\(state.viewport.isLogX ? "log" : "linear") horizontal axis")
    },
    command(
      "axis", "a",
      "Count steps, tokens, time, the time of day or a growing metric along the axis."
    ) { state in
      state.viewport.cycleAxis(state.growingMetrics, hasDefined: !state.definedAxes.isEmpty)
      state.say("horizontal axis: \(state.viewport.axis?.words ?? "as the run defines it")")
    },
    command(
      "filter", "/", bar: .init("filter", rank: 11),
      "Show only events and metrics that hold what you type."
    ) { state in
      state.layers.append(Prompt(.filter, text: state.viewport.filter ?? ""))
    },
    command("next match", "n", "Go to the next event that matches the filter.") { state in
      guard let filter = state.viewport.filter, !filter.isEmpty else {
        state.say("no filter: / sets one", .faint)
        return
      }
      let pattern = TextPattern(filter)
      state.goToEvent(forward: true) { $0.matches(pattern) }
    },
    DashboardCommand(
      "freeze", keys: [.character("f")], group: .charts,
      "Hold the display while the run goes on, or follow again.", applies: { !$0.isReplay }
    ) { state in
      state.frozenAt = state.frozenAt == nil ? state.history.lastStep : nil
      return []
    },
    DashboardCommand(
      "overlay", keys: [.character("o")], group: .charts, bar: .init("overlay", rank: 14),
      "Draw another run over the charts, or take it away."
    ) { state in
      state.layers.append(RunPicker())
      return [.listRuns]
    },
    command("theme", "t", "Choose a theme; the screen shows it as you go.") { state in
      state.layers.append(ThemePicker(state))
    },
  ]

  private static func command(
    _ name: String, _ key: Character, bar: DashboardCommand.BarItem? = nil, _ sentence: String,
    _ change: @escaping @Sendable (inout DashboardState) -> Void
  ) -> DashboardCommand {
    DashboardCommand(name, keys: [.character(key)], group: .charts, bar: bar, sentence) { state in
      change(&state)
      return []
    }
  }
}
