import Dashboard
import Foundation
import Screen
import Signals
import Telemetry
import Testing

@Suite(.timeLimit(.minutes(15))) struct UpdateTests {
  /// A live run at step 1,400 of 4,000.
  static func live(
    _ columns: Int = 120, _ rows: Int = 40, history: RunHistory = SampleRun.rescue
  ) -> DashboardState {
    var state = DashboardState(
      source: RunSource(kind: .live, name: "rescue", path: "sessions/rescue.seismo"),
      size: Size(columns: columns, rows: rows), now: 1000)
    state.history = history
    return state
  }

  private func press(_ state: inout DashboardState, _ keys: Key...) -> [Effect] {
    keys.flatMap { update(&state, .keyPressed($0)) }
  }

  private func type(_ state: inout DashboardState, _ text: String) -> [Effect] {
    text.flatMap { update(&state, .keyPressed(.character($0))) }
  }

  @Test func `space pauses, and a second space resumes before the run has answered`() {
    var state = Self.live()
    #expect(press(&state, .character(" ")) == [.send(.pause, by: "you")])
    #expect(state.isPaused)
    #expect(press(&state, .character(" ")) == [.send(.resume, by: "you")])
  }

  @Test func `the axis ends where the header counts, also while the run goes on`() {
    var state = Self.live()
    #expect(state.stepsDone == 1_401 && state.steps.upperBound == 1_402)
    #expect(view(state).lines.contains { $0.contains("step 1,401") })
    #expect(!view(state).lines.contains { $0.contains("step 1,400") })
    _ = press(&state, .character("f"))
    state.history = SampleRun(steps: 1_405).history
    #expect(state.stepsDone == 1_400 && state.steps.upperBound == 1_401)
  }

  @Test func `a share of the peak above one is not shown`() {
    for (share, isShown) in [(0.4, true), (200, false)] {
      var state = Self.live(200, 60)
      state.history.append(
        .samples(
          StepSamples(
            step: 1_401, wallTime: SampleRun.time(of: 1_401),
            names: [MetricCatalog.tokensPerSecond, MetricCatalog.flopsFraction],
            values: [9_000, share])))
      _ = press(&state, .character("6"))
      #expect(view(state).lines.contains { $0.contains("of peak") } == isShown)
    }
  }

  @Test func `the run's own word on pausing overrules what was asked`() {
    var state = Self.live()
    _ = press(&state, .character(" "))
    _ = update(&state, .recordsArrived([.state(.running)]))
    #expect(!state.isPaused)
    _ = update(&state, .recordsArrived([.state(.paused)]))
    #expect(press(&state, .character(" ")) == [.send(.resume, by: "you")])
  }

  @Test(arguments: [
    ("sessions/rescue.seismo", "sessions/other.seismo"), ("rescue.seismo", "other.seismo"),
    ("'my run.seismo'", "other.seismo"), ("'my runs/a.seismo'", "'my runs/other.seismo'"),
    ("'it'\\''s/a.seismo'", "'it'\\''s/other.seismo'"),
  ])
  func `a run that branches off is shown at its new place, as a shell takes it`(
    path: String, expected: String
  ) {
    var state = Self.live()
    state.source.path = path
    let description = RunDescription(name: "other", created: 0)
    _ = update(&state, .recordsArrived([.description(description)]))
    #expect(state.source.path == expected)
  }

  @Test func `two presses of the rate key halve it twice`() {
    var state = Self.live()
    #expect(
      press(&state, .character("{"), .character("{")) == [
        .send(.set(name: "lr.multiplier", value: .number(0.5)), by: "you"),
        .send(.set(name: "lr.multiplier", value: .number(0.25)), by: "you"),
      ])
  }

  @Test func `a recording obeys no command and says why`() {
    var state = DashboardState(
      source: RunSource(
        kind: .watch, name: "rescue", refusal: "this source takes no commands"),
      size: Size(columns: 80, rows: 24))
    state.history = SampleRun.rescue
    #expect(press(&state, .character("c")) == [.bell])
    #expect(state.toast?.text == "checkpoint: this source takes no commands")
  }

  @Test func `undo is refused while nothing has been changed`() {
    var state = Self.live(history: RunHistory())
    #expect(press(&state, .character("u")) == [.bell])
    #expect(state.toast?.text == "undo: no setting has been changed yet")
  }

  @Test func `a refusal by the run is said and takes the request back`() {
    var state = Self.live()
    _ = press(&state, .character("}"))
    #expect(state.setting("lr.multiplier") == .number(2))
    let refused = RunEvent(
      step: 1400, wallTime: 0, kind: .refused, by: "you", name: "lr.multiplier",
      text: "lr.multiplier: too large")
    #expect(update(&state, .recordsArrived([.event(refused)])) == [.bell])
    #expect(state.setting("lr.multiplier") == .number(1))
    #expect(state.toast?.text == "refused: lr.multiplier: too large")
  }

  @Test func `an unknown key names the way to the known ones, and is gone in time`() {
    var state = Self.live()
    #expect(press(&state, .character("Q")).isEmpty)
    #expect(state.toast?.text == "no action on 'Q': ? lists the keys")
    _ = update(&state, .ticked(now: 1001))
    #expect(state.toast != nil)
    _ = update(&state, .ticked(now: 1003))
    #expect(state.toast == nil)
  }

  @Test func `q asks of a live run, and enter takes the first answer`() {
    var state = Self.live()
    #expect(press(&state, .character("q")).isEmpty)
    #expect(press(&state, .enter) == [.quit(.stopWithCheckpoint)])
  }

  @Test func `q then 2 detaches, q then esc stays`() {
    var state = Self.live()
    #expect(press(&state, .character("q"), .character("2")) == [.quit(.detach)])
    #expect(press(&state, .character("q"), .escape).isEmpty)
    #expect(state.layers.isEmpty)
  }

  @Test func `ctrl-c asks, a second one stops`() {
    var state = Self.live()
    #expect(press(&state, .control("c")).isEmpty)
    #expect(press(&state, .control("c")) == [.quit(.stopWithCheckpoint)])
  }

  @Test func `ctrl-c gets through a box that is open`() {
    var state = Self.live()
    #expect(press(&state, .character("?"), .control("c")).isEmpty)
    #expect(press(&state, .control("c")) == [.quit(.stopWithCheckpoint)])
  }

  @Test func `a finished run is left by q or enter at once and browsed by other keys`() {
    for key in [Key.character("q"), .enter, .escape] {
      var state = Self.live()
      _ = update(&state, .recordsArrived([.state(.finished)]))
      #expect(press(&state, .tab, .character("s")).isEmpty)
      #expect(press(&state, key) == [.quit(.leave)])
    }
  }

  @Test func `an end by a signal stops a live run and just leaves one that is over`() {
    var state = Self.live()
    #expect(update(&state, .endRequested) == [.quit(.stopWithCheckpoint)])
    _ = update(&state, .recordsArrived([.state(.stopped)]))
    #expect(update(&state, .endRequested) == [.quit(.leave)])
  }

  @Test func `a note is typed and sent, an empty one is not`() {
    var state = Self.live()
    _ = press(&state, .character("N"))
    _ = type(&state, "odd q dip")
    #expect(press(&state, .enter) == [.send(.note("odd q dip"), by: "you")])
    _ = press(&state, .character("N"))
    #expect(press(&state, .enter).isEmpty)
  }

  @Test func `the filter applies as it is typed, and esc takes it back`() {
    var state = Self.live()
    _ = press(&state, .character("/"))
    _ = type(&state, "alarm")
    #expect(state.viewport.filter == "alarm")
    _ = press(&state, .escape)
    #expect(state.viewport.filter == nil)
  }

  @Test func `n puts the cursor on the next event that matches the filter`() {
    var state = Self.live()
    _ = press(&state, .character("/"))
    _ = type(&state, "qk_layernorm")
    _ = press(&state, .enter, .character("n"))
    #expect(state.viewport.cursor == SampleRun.switchStep)
  }

  @Test func `brackets go from event to event`() {
    var state = Self.live()
    let steps = Set(state.history.events.map(\.step)).sorted()
    _ = press(&state, .character("]"))
    #expect(state.viewport.cursor == steps.first { $0 > -1 })
    _ = press(&state, .character("]"))
    #expect(state.viewport.cursor == steps[1])
    _ = press(&state, .character("["))
    #expect(state.viewport.cursor == steps[0])
  }

  @Test func `the cursor moves by a hundredth of what is seen and stays on the run`() {
    var state = Self.live()
    _ = press(&state, .character("x"))
    #expect(state.viewport.cursor == state.history.lastStep)
    _ = press(&state, .character("h"))
    #expect(state.viewport.cursor == state.playhead - state.steps.count / 100)
    _ = press(&state, .character("l"), .right, .right)
    #expect(state.viewport.cursor == state.playhead)
    _ = press(&state, .character("g"))
    #expect(state.viewport.cursor == 0)
  }

  @Test func `zooming in shows the last half and follows the run, zooming out shows all again`() {
    var state = Self.live()
    let all = state.steps
    _ = press(&state, .character("+"))
    let half = state.viewport.window(in: all)
    #expect(half.steps.upperBound == all.upperBound && !half.isAll)
    #expect(half.steps.count == Int((Double(all.count) / 2).rounded()))
    let later = all.lowerBound..<all.upperBound + 500
    #expect(state.viewport.window(in: later).steps.upperBound == later.upperBound)
    _ = press(&state, .character("-"))
    #expect(state.viewport.zoom == .all)
  }

  @Test func `zooming in keeps the cursor in sight`() {
    var state = Self.live()
    _ = press(&state, .character("x"), .character("g"), .character("l"), .character("l"))
    for _ in 0..<20 {
      _ = press(&state, .character("+"))
      let cursor = state.viewport.cursor ?? -1
      #expect(state.viewport.window(in: state.steps).steps.contains(cursor))
    }
  }

  @Test func `a window that was panned to stays there while the run goes on`() {
    var state = Self.live()
    _ = press(&state, .character("+"), .character("+"), .left)
    let before = state.viewport.window(in: state.steps)
    #expect(before.steps.upperBound < state.steps.upperBound)
    let later = state.steps.lowerBound..<state.steps.upperBound + 500
    #expect(state.viewport.window(in: later) == before)
  }

  @Test func `the checkpoint at the end, one step after the last measured one, is seen`() {
    var state = Self.live()
    let written = RunEvent(
      step: state.playhead + 1, wallTime: 0, kind: .checkpoint, by: "run",
      name: "step-000001401", text: "checkpoint step-000001401")
    _ = update(&state, .recordsArrived([.event(written), .state(.stopped)]))
    #expect(state.context(for: .events).events.last == written)
    #expect(view(state).line(1).contains("last checkpoint step-000001401"))
    state.frozenAt = 900
    #expect(state.context(for: .events).events.allSatisfy { $0.step <= 900 })
  }

  @Test func `freezing holds what is seen while records come`() {
    var state = Self.live()
    let last = state.playhead
    _ = press(&state, .character("f"))
    let more = StepSamples(step: last + 1, wallTime: 1, names: ["loss"], values: [1])
    _ = update(&state, .recordsArrived([.samples(more)]))
    #expect(state.playhead == last)
    _ = press(&state, .character("f"))
    #expect(state.playhead == last + 1)
  }

  @Test func `enter zooms the focused pane and esc goes out one step at a time`() {
    var state = Self.live()
    _ = press(&state, .character("x"), .tab, .enter)
    #expect(state.arrangement.zoomed == state.arrangement.focus)
    _ = press(&state, .escape)
    #expect(state.arrangement.zoomed == nil && state.viewport.cursor != nil)
    _ = press(&state, .escape)
    #expect(state.viewport.cursor == nil)
  }

  @Test func `tab visits every pane on screen and comes back`() {
    var state = Self.live()
    let start = state.arrangement.focus
    var visited: Set<PaneID> = [start]
    for _ in 1..<state.layout.panes.count {
      _ = press(&state, .tab)
      visited.insert(state.arrangement.focus)
    }
    #expect(visited == Set(state.layout.panes.keys))
    _ = press(&state, .tab)
    #expect(state.arrangement.focus == start)
  }

  @Test func `arrows go to the pane that lies there`() {
    var state = Self.live()
    _ = press(&state, .right)
    #expect(state.arrangement.focus == .attentionLogits)
    _ = press(&state, .down)
    #expect(state.arrangement.focus == .gradients)
    _ = press(&state, .left)
    #expect(state.arrangement.focus == .learningRate)
    _ = press(&state, .up)
    #expect(state.arrangement.focus == .loss)
  }

  @Test func `a digit hides a pane, shows it again, and the last one stays`() {
    var state = Self.live()
    _ = press(&state, .character("2"))
    #expect(state.layout.panes[.attentionLogits] == nil)
    _ = press(&state, .character("2"))
    #expect(state.layout.panes[.attentionLogits] != nil)
    for _ in 0..<40 {
      guard let pane = state.layout.panes.keys.first(where: { $0 != .loss }) else { break }
      state.arrangement.hide(pane)
    }
    _ = press(&state, .character("1"))
    #expect(Array(state.layout.panes.keys) == [.loss])
  }

  @Test func `a digit shows a pane that had no room`() {
    var state = Self.live(80, 24)
    #expect(state.layout.panes[.throughput] == nil)
    _ = press(&state, .character("6"))
    #expect(state.layout.panes[.throughput] != nil)
    #expect(state.arrangement.focus == .throughput)
  }

  @Test func `a step that goes backwards keeps the cursor on the run`() {
    var state = Self.live()
    _ = press(&state, .character("x"))
    let names: [MetricName] = ["loss"]
    _ = update(
      &state,
      .recordsArrived([
        .generation(startingAt: 700),
        .samples(StepSamples(step: 700, wallTime: 9, names: names, values: [2])),
      ]))
    #expect(state.viewport.cursor == 700)
  }

  @Test func `suspending, repainting and writing the screen are the shell's to do`() {
    var state = Self.live()
    #expect(
      press(&state, .control("z"), .control("l"), .character("w")) == [
        .suspend, .repaint, .writeScreen(),
      ])
  }

  @Test func `a click focuses a pane, the wheel zooms at the pointer`() throws {
    var state = Self.live()
    let rect = try #require(state.layout.panes[.attentionLogits])
    let point = Point(column: rect.column + 3, row: rect.row + 3)
    _ = update(&state, .mouseMoved(MouseEvent(kind: .pressed, button: .left, point: point)))
    #expect(state.arrangement.focus == .attentionLogits)
    _ = update(&state, .mouseMoved(MouseEvent(kind: .wheelUp, button: .none, point: point)))
    let shown = state.viewport.window(in: state.steps)
    #expect(!shown.isAll && shown.steps.lowerBound < 100)
  }

  @Test func `a click on the bottom bar does what it says`() throws {
    var state = Self.live()
    let row = state.size.rows - 1
    let line = view(state).line(row)
    let column = try #require(line.range(of: "pause")).lowerBound
    let point = Point(column: line.distance(from: line.startIndex, to: column), row: row)
    let effects = update(
      &state, .mouseMoved(MouseEvent(kind: .pressed, button: .left, point: point)))
    #expect(effects == [.send(.pause, by: "you")])
  }

  @Test func `the clock alone moves the screen only where it shows`() {
    var state = Self.live()
    _ = update(&state, .recordsArrived([.state(.running)]))
    _ = update(&state, .ticked(now: 1001))
    let still = state.clockFace
    let shown = view(state)
    _ = update(&state, .ticked(now: 1005))
    #expect(state.clockFace == still && view(state) == shown)
    _ = update(&state, .ticked(now: 1011))
    let silent = state.clockFace
    #expect(silent != still && view(state) != shown)
    _ = update(&state, .ticked(now: 1012))
    #expect(state.clockFace != silent)
    _ = press(&state, .character("a"))
    let told = state.clockFace
    _ = update(&state, .ticked(now: 1012.2))
    #expect(state.clockFace == told)
    _ = update(&state, .ticked(now: 1019))
    #expect(state.clockFace != told)
  }
}
