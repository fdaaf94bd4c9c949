import Screen
import Telemetry

/// Moving along the steps of a run.
enum TimeCommands {
  static let table: [DashboardCommand] = [
    command(
      "left", [.left, .character("h")], bar: .init("scrub", rank: 3, keys: "← →", second: "right"),
      "Move left: the cursor, the window, the replay, or to the pane there."
    ) { $0.move(by: -1) },
    command(
      "right", [.right, .character("l")],
      "Move right: the cursor, the window, the replay, or to the pane there."
    ) { $0.move(by: 1) },
    command("up", [.up, .character("k")], "Scroll a list up, or go to the pane above.") {
      $0.moveVertically(by: -1)
    },
    command("down", [.down, .character("j")], "Scroll a list down, or go to the pane below.") {
      $0.moveVertically(by: 1)
    },
    command(
      "previous event", [.character("[")],
      bar: .init("event", rank: 9, keys: "[ ]", second: "next event"),
      "Go to the event before: the cursor, or a replay."
    ) { $0.goToEvent(forward: false) { $0.isLandmark } },
    command("next event", [.character("]")], "Go to the next event: the cursor, or a replay.") {
      $0.goToEvent(forward: true) { $0.isLandmark }
    },
    command("first", [.character("g"), .home], "Go to the first step.") { $0.goToEnd(first: true) },
    command("last", [.character("G"), .end], "Go to the last step.") { $0.goToEnd(first: false) },
    command("go", [], "Go to a step, whose number is typed; :850 goes there at once.") { state in
      state.layers.append(Prompt(.step))
    },
    command(
      "zoom in", [.character("+"), .character("=")],
      "Show half as many steps, around the cursor or at the end."
    ) { state in state.viewport.scale(by: 0.5, in: state.steps, around: nil) },
    command("zoom out", [.character("-")], "Show twice as many steps.") { state in
      state.viewport.scale(by: 2, in: state.steps, around: nil)
    },
    command("all steps", [.character("0")], "Show all steps.") { $0.viewport.zoom = .all },
  ]

  private static func command(
    _ name: String, _ keys: [Key], bar: DashboardCommand.BarItem? = nil, _ sentence: String,
    _ change: @escaping @Sendable (inout DashboardState) -> Void
  ) -> DashboardCommand {
    DashboardCommand(name, keys: keys, group: .time, bar: bar, sentence) { state in
      change(&state)
      return []
    }
  }
}
