import Screen
import Signals
import Telemetry
import TestSupport
import Testing

@testable import Dashboard

/// The header, the banner and the bottom bar without the panes.
@Suite(.timeLimit(.minutes(15))) struct FrameTests {
  static let sizes = [(12, 2), (20, 4), (40, 12), (80, 24), (120, 40), (200, 60)]

  private func frame(_ state: DashboardState) -> CellGrid {
    let banner = Banner(state)
    let bars = Size(columns: state.size.columns, rows: banner == nil ? 2 : 3)
    var grid = CellGrid(size: bars)
    let rows = grid.bounds.splitRows(1, banner == nil ? 0 : 1, 1)
    Header(state).draw(on: &grid, in: rows[0])
    banner?.draw(on: &grid, in: rows[1], state)
    BottomBar(state).draw(on: &grid, in: rows[2], state)
    grid.adapt(to: state.appearance.symbols)
    return grid
  }

  @Test(arguments: sizes)
  func `a run that goes on`(columns: Int, rows: Int) {
    expectScreen(frame(UpdateTests.live(columns, rows)), "frame", "running")
  }

  @Test(arguments: sizes)
  func `a paused run`(columns: Int, rows: Int) {
    var state = UpdateTests.live(columns, rows)
    _ = update(&state, .recordsArrived([.state(.paused)]))
    expectScreen(frame(state), "frame", "paused")
  }

  @Test(arguments: sizes)
  func `a finished run`(columns: Int, rows: Int) {
    var state = UpdateTests.live(columns, rows)
    _ = update(&state, .recordsArrived([.state(.finished)]))
    expectScreen(frame(state), "frame", "finished")
  }

  @Test func `a finished run shows the loss it measured after its last step`() {
    var state = UpdateTests.live()
    let words = RunEvent(
      step: 1_401, wallTime: 0, kind: .run, by: "run", text: "finished",
      values: ["loss": 1.9, "loss/eval": 1.9123])
    _ = update(&state, .recordsArrived([.event(words), .state(.finished)]))
    #expect(state.result == ["loss 1.9000", "held-out 1.9123, its best"])
    #expect(frame(state).line(1).contains("held-out 1.9123"))
    #expect(view(state).line(2).contains("eval 1.9123"))
  }

  @Test(arguments: sizes)
  func `a diverged run`(columns: Int, rows: Int) {
    var state = UpdateTests.live(columns, rows)
    let last = StepSamples(step: 1401, wallTime: 0, names: ["loss"], values: [.nan])
    _ = update(&state, .recordsArrived([.samples(last), .state(.diverged)]))
    expectScreen(frame(state), "frame", "diverged")
  }

  @Test(arguments: [(40, 12), (80, 24), (120, 40)])
  func `records that can't be written`(columns: Int, rows: Int) {
    var state = UpdateTests.live(columns, rows)
    _ = update(&state, .recorderStatusChanged("no space left on device"))
    expectScreen(frame(state), "frame", "disk")
  }

  @Test(arguments: [(40, 12), (80, 24), (120, 40)])
  func `a frozen display and a silent run`(columns: Int, rows: Int) {
    var state = UpdateTests.live(columns, rows)
    _ = update(&state, .recordsArrived([.state(.running)]))
    _ = update(&state, .ticked(now: state.now + 75))
    expectScreen(frame(state), "frame", "silent")
    _ = update(&state, .keyPressed(.character("f")))
    expectScreen(frame(state), "frame", "frozen")
  }

  @Test(arguments: [(40, 12), (80, 24), (120, 40), (200, 60)])
  func `a replay`(columns: Int, rows: Int) {
    var state = DashboardState(
      source: RunSource(kind: .replay, name: "rescue", refusal: "a recording takes no commands"),
      size: Size(columns: columns, rows: rows))
    state.history = SampleRun.rescue
    state.playback = Playback(step: 1100, isPlaying: true, speed: 20)
    expectScreen(frame(state), "frame", "replay")
  }

  @Test(arguments: [(40, 12), (80, 24), (120, 40)])
  func `before the first step`(columns: Int, rows: Int) {
    expectScreen(frame(UpdateTests.live(columns, rows, history: RunHistory())), "frame", "empty")
  }

  @Test(arguments: [(40, 12), (120, 40)])
  func `in ASCII`(columns: Int, rows: Int) {
    var state = UpdateTests.live(columns, rows)
    state.appearance.symbols = .ascii
    expectScreen(frame(state), "frame", "ascii")
  }

  @Test func `the step and the loss are on every screen that has room for a number`() {
    for record in [RunRecord.state(.running), .state(.paused), .state(.finished)] {
      for keys in ["", "2345", "\u{1}", "p", "x", "f"] {
        var state = UpdateTests.live()
        _ = update(&state, .recordsArrived([record]))
        state.arrangement.zoomed = keys == "\u{1}" ? .events : nil
        for key in keys where key != "\u{1}" { _ = update(&state, .keyPressed(.character(key))) }
        checkHeader(of: &state)
      }
    }
  }

  private func checkHeader(of state: inout DashboardState) {
    for columns in 10...220 where columns < 50 || columns % 10 == 0 {
      for rows in [1, 2, 3, 5, 8, 12, 24, 40] {
        state.size = Size(columns: columns, rows: rows)
        var grid = CellGrid(size: state.size)
        Header(state).draw(on: &grid, in: state.layout.header)
        let text = (0..<rows).map { grid.line($0) }.joined(separator: "\n")
        let hasLoss = text.contains("loss 2.00") || text.contains("loss 1.9962")
        let hasStep = text.contains("step 1,401") || text.contains("step 4,000")
        let hasRoomForOne = columns < 20 && state.layout.header.rows == 1
        guard hasLoss, hasStep || hasRoomForOne else {
          Issue.record("\(columns)x\(rows): \(text)")
          return
        }
      }
    }
  }

  @Test(arguments: [24, 40, 12, 8])
  func `a passing word stands above the keys and covers none of them`(rows: Int) {
    for columns in 20...160 {
      var state = UpdateTests.live(columns, rows)
      let keys = view(state).line(rows - 1)
      state.say("asked: set qk_layernorm on")
      #expect(view(state).line(rows - 1) == keys, "\(columns)")
      let said = view(state).line(rows - 2)
      #expect(said.contains("asked: set"), "\(columns): \(said)")
    }
  }

  @Test func `the whole screen can be drawn at any size`() {
    for history in [RunHistory(), SampleRun.rescue, SampleRun.mixture] {
      for columns in [0, 1, 2, 3, 8, 19, 20, 21, 39, 64, 220] {
        for rows in [0, 1, 2, 3, 4, 5, 6, 8, 9, 23, 70] {
          var state = UpdateTests.live(columns, rows, history: history)
          state.toast = Toast(text: "a word", role: .text, until: .infinity)
          #expect(view(state).size == Size(columns: columns, rows: rows))
        }
      }
    }
  }
}
