import Dashboard
import Screen
import Signals
import Telemetry
import TestSupport
import Testing

/// Keys and records in, the whole screen out.
@Suite(.timeLimit(.minutes(15))) struct WholeScreenTests {
  static let sizes = [(40, 12), (80, 24), (120, 40), (200, 60)]

  private func press(_ state: inout DashboardState, _ keys: Key...) {
    for key in keys { _ = update(&state, .keyPressed(key)) }
  }

  @Test(arguments: sizes)
  func `a dense run that was rescued`(columns: Int, rows: Int) {
    expectScreen(view(UpdateTests.live(columns, rows)), "whole", "dense")
  }

  @Test(arguments: sizes)
  func `a mixture with a dying expert`(columns: Int, rows: Int) {
    let state = UpdateTests.live(columns, rows, history: SampleRun.mixture)
    expectScreen(view(state), "whole", "mixture")
  }

  @Test(arguments: [(40, 12), (80, 24), (120, 40)])
  func `in ASCII`(columns: Int, rows: Int) {
    var state = UpdateTests.live(columns, rows, history: SampleRun.mixture)
    state.appearance = Appearance(depth: .none, symbols: .ascii)
    let grid = view(state)
    let isASCII = grid.rows.allSatisfy { $0.allSatisfy { $0.scalar < 0x7F } }
    #expect(isASCII)
    expectScreen(grid, "whole", "ascii")
  }

  @Test func `a replay half way`() {
    var state = DashboardState(
      source: RunSource(kind: .replay, name: "rescue", refusal: "a recording takes no commands"),
      size: Size(columns: 120, rows: 40))
    _ = update(&state, .recordsArrived([]))
    state.history = SampleRun.rescue
    state.playback = Playback(step: 700, isPlaying: true, speed: 20)
    expectScreen(view(state), "whole", "replay")
  }

  @Test func `zoomed, with a cursor`() {
    var state = UpdateTests.live(80, 24)
    press(&state, .enter, .character("x"), .character("["), .character("+"))
    expectScreen(view(state), "whole", "zoomed")
  }

  @Test(arguments: [(80, 24), (120, 40)])
  func `mitigations over the panes of a paused run`(columns: Int, rows: Int) {
    var state = UpdateTests.live(columns, rows)
    _ = update(&state, .recordsArrived([.state(.paused)]))
    press(&state, .character("m"))
    expectScreen(view(state), "whole", "mitigations")
  }

  @Test func `a model of another family than the usual one has its word before its sizes`() throws {
    var history = SampleRun.rescue
    var description = try #require(history.description)
    description.options["architecture"] = "llama"
    history.append(.description(description))
    let shape = "d64 L4 H2"
    for columns in [140, 200] {
      let usual = view(UpdateTests.live(columns, 40)).lines[0]
      let named = view(UpdateTests.live(columns, 40, history: history)).lines[0]
      #expect(usual.contains(" \(shape)") && !usual.contains("llama"))
      #expect(named.contains(" llama \(shape)"), "\(named)")
    }
    // Where there is no room for it, all else is as it was.
    for columns in [1, 30, 60, 80, 100] {
      let usual = view(UpdateTests.live(columns, 40)).lines[0]
      let named = view(UpdateTests.live(columns, 40, history: history)).lines[0]
      #expect(named == usual || named.contains("llama d"), "\(named)")
    }
  }

  @Test(arguments: [(40, 12), (120, 40)])
  func `before the first step`(columns: Int, rows: Int) {
    let state = UpdateTests.live(columns, rows, history: RunHistory())
    expectScreen(view(state), "whole", "empty")
  }
}
