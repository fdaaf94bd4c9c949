import Screen
import Signals
import Telemetry
import TestSupport
import Testing

@testable import Dashboard

/// The checkpoints to go back to: step, loss, and what lies between each and the next.
@Suite(.timeLimit(.minutes(15))) struct RewindPickerTests {
  static let sizes = [(40, 12), (80, 24), (120, 40), (200, 60)]

  /// Checkpoints at 300 and 1,300 beside the run's own at 900; two alarms lie after 300.
  static let history: RunHistory = {
    var run = SampleRun(experts: 8)
    run.extraEvents = [
      RunEvent(
        step: 300, wallTime: 0, kind: .checkpoint, by: "run", name: "step-000000300",
        text: "checkpoint step-000000300"),
      RunEvent(
        step: 700, wallTime: 0, kind: .alarm, by: "alarm", name: "loss-spike",
        text: "the loss is 8 standard deviations up"),
      RunEvent(
        step: 1_300, wallTime: 0, kind: .checkpoint, by: "you", name: "step-000001300",
        text: "checkpoint step-000001300"),
    ]
    return run.history
  }()

  private func state(_ columns: Int = 80, _ rows: Int = 24) -> DashboardState {
    UpdateTests.live(columns, rows, history: Self.history)
  }

  private func press(_ state: inout DashboardState, _ keys: Key...) -> [Effect] {
    keys.flatMap { update(&state, .keyPressed($0)) }
  }

  private func box(_ state: DashboardState) -> CellGrid {
    var grid = CellGrid(size: state.size)
    for layer in state.layers { layer.draw(on: &grid, state) }
    return grid
  }

  @Test func `each line has its step, its loss and the events before the next, newest first`()
    throws
  {
    var state = state()
    _ = press(&state, .character("r"))
    let lines = box(state).lines.filter { $0.contains("loss ") }
    let expected = [
      (1_300, "nothing happened after it"), (900, "◆ qk-norm on"),
      (300, "before the trouble: loss "),
    ]
    #expect(lines.count == expected.count)
    for (line, (step, words)) in zip(lines, expected) {
      let loss = try #require(Self.history["loss"]?.value(at: step))
      #expect(line.contains("step \(NumberText.grouped(step)) "), "\(line)")
      #expect(line.contains("loss \(NumberText.compact(loss, digits: 4)) "), "\(line)")
      #expect(line.contains(words), "\(line)")
    }
  }

  @Test(arguments: sizes)
  func `three checkpoints look as recorded`(columns: Int, rows: Int) {
    var state = state(columns, rows)
    _ = press(&state, .character("r"))
    expectScreen(box(state), "rewind", "three")
  }

  @Test func `enter goes back to the chosen one and leaves out what is said`() {
    var state = state()
    _ = press(&state, .character("r"), .up, .right, .right, .left)
    #expect(
      press(&state, .enter) == [
        .send(.rewind(checkpoint: "step-000000900", skip: 10), by: "you")
      ])
    #expect(state.layers.isEmpty)
  }

  @Test func `nothing goes beyond the first and the last`() {
    var state = state()
    _ = press(&state, .character("r"), .home, .up, .left)
    #expect(
      press(&state, .enter) == [
        .send(.rewind(checkpoint: "step-000001300", skip: 0), by: "you")
      ])
    _ = press(&state, .character("r"), .end)
    for _ in 0..<20 { _ = press(&state, .down, .right) }
    #expect(
      press(&state, .enter) == [
        .send(.rewind(checkpoint: "step-000000300", skip: 500), by: "you")
      ])
  }

  @Test func `it opens at the checkpoint from before the trouble`() {
    var state = state()
    _ = press(&state, .character("r"))
    #expect(
      press(&state, .enter) == [
        .send(.rewind(checkpoint: "step-000000300", skip: 0), by: "you")
      ])
    var calm = SampleRun(experts: 8)
    calm.extraEvents = [
      RunEvent(
        step: 1_300, wallTime: 0, kind: .checkpoint, by: "you", name: "step-000001300",
        text: "checkpoint step-000001300")
    ]
    let events = calm.history.lineageEvents
    for alarm in events where alarm.kind == .alarm {
      calm.extraEvents.append(
        RunEvent(
          step: 1_200, wallTime: 0, kind: .calm, by: "alarm", name: alarm.name, text: "over"))
    }
    var later = UpdateTests.live(80, 24, history: calm.history)
    _ = press(&later, .character("r"))
    #expect(!box(later).lines.contains { $0.contains("before the trouble") })
    #expect(
      press(&later, .enter) == [
        .send(.rewind(checkpoint: "step-000001300", skip: 0), by: "you")
      ])
  }

  @Test func `home and end go to the newest and the oldest`() {
    for (keys, step) in [([Key.home], 1_300), ([.home, .end], 300), ([.down, .home, .end], 300)] {
      var state = state()
      _ = press(&state, .character("r"))
      for key in keys { _ = press(&state, key) }
      let name = "step-\(String(repeating: "0", count: step < 1_000 ? 6 : 5))\(step)"
      #expect(press(&state, .enter) == [.send(.rewind(checkpoint: name, skip: 0), by: "you")])
    }
  }

  @Test func `esc stays, and without a checkpoint there is no box`() {
    var state = state()
    #expect(press(&state, .character("r"), .escape).isEmpty && state.layers.isEmpty)
    var early = UpdateTests.live(history: SampleRun(steps: 100).history)
    #expect(press(&early, .character("r")) == [.bell])
    #expect(early.layers.isEmpty)
    #expect(early.toast?.text == "rewind: no checkpoint yet: c writes one")
  }

  @Test func `a run that diverged is taken back from the screen of its end`() {
    for kind in [RunSource.Kind.live, .watch] {
      var state = state(120, 40)
      state.source.kind = kind
      _ = update(&state, .recordsArrived([.state(.diverged)]))
      #expect(state.toast?.text == "diverged: r goes back to a checkpoint, q leaves")
      let banner = view(state).line(1)
      #expect(banner.contains("r goes back to a checkpoint · q leaves"))
      #expect(view(state).line(39).contains(" r rewind "))
      #expect(!view(state).line(39).contains("c checkpoint"))
      #expect(press(&state, .enter, .escape, .escape).isEmpty, "neither leaves")
      #expect(press(&state, .character("c")) == [.bell])
      #expect(
        press(&state, .character("r"), .enter)
          == [.send(.rewind(checkpoint: "step-000000300", skip: 0), by: "you")],
        "from before the first alarm")
      _ = update(&state, .recordsArrived([.generation(startingAt: 300), .state(.running)]))
      #expect(press(&state, .character("c")) == [.send(.checkpoint, by: "you")])
    }
  }

  @Test func `the end of a run that cannot go back promises nothing`() {
    var state = UpdateTests.live(history: RunHistory())
    _ = update(&state, .recordsArrived([.state(.diverged)]))
    #expect(view(state).line(1).contains("DIVERGED at step 0 · no checkpoint"))
    #expect(!view(state).line(1).contains("goes back"))
    #expect(press(&state, .character("r")) == [.bell])
    #expect(press(&state, .enter).isEmpty)
    #expect(press(&state, .character("q")) == [.quit(.leave)])
  }

  @Test func `alarms of a run that is over name no keys that do nothing`() {
    var state = state(200, 60)
    #expect(state.context(for: .events).events.contains { $0.hint?.hasPrefix("m:") == true })
    _ = update(&state, .recordsArrived([.state(.diverged)]))
    #expect(!state.context(for: .events).events.contains { $0.hint?.hasPrefix("m:") == true })
  }
}
