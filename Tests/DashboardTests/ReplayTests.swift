import Screen
import Signals
import Telemetry
import Testing

@testable import Dashboard

@Suite(.timeLimit(.minutes(15))) struct ReplayTests {
  private func replay(at step: Int = 0) -> DashboardState {
    var state = DashboardState(
      source: RunSource(kind: .replay, name: "rescue", refusal: "a recording takes no commands"),
      size: Size(columns: 120, rows: 40), now: 100)
    state.history = SampleRun.rescue
    state.playback = Playback(step: step)
    return state
  }

  private func press(_ state: inout DashboardState, _ keys: Key...) {
    for key in keys { _ = update(&state, .keyPressed(key)) }
  }

  @Test func `playing goes as fast as the run did, times the speed`() {
    var state = replay()
    press(&state, .character(" "))
    _ = update(&state, .ticked(now: 101))
    let once = state.playhead
    #expect(abs(Double(once) - 1 / SampleRun.secondsPerStep) <= 2)
    press(&state, .character(">"))
    _ = update(&state, .ticked(now: 102))
    #expect(abs(state.playhead - once - 2 * once) <= 4)
  }

  @Test func `comma and full stop go one recorded step, also where steps were left out`() {
    var state = replay()
    for step in [1410, 1420] {
      state.history.append(
        .samples(StepSamples(step: step, wallTime: 1e9, names: [MetricCatalog.loss], values: [1])))
    }
    state.playback = Playback(step: 1400, isPlaying: true)
    var seen: [Int] = []
    for key in "..,.,,,.." {
      press(&state, .character(key))
      seen.append(state.playhead)
    }
    #expect(seen == [1410, 1420, 1410, 1420, 1410, 1400, 1399, 1400, 1410])
    #expect(state.playback?.isPlaying == false)
    state.playback = Playback(step: 0)
    press(&state, .character(","))
    #expect(state.playhead == 0)
  }

  @Test func `short ticks lose no time`() {
    var state = replay()
    press(&state, .character(" "))
    for tick in 1...1000 { _ = update(&state, .ticked(now: 100 + Double(tick) / 1000)) }
    #expect(abs(Double(state.playhead) - 1 / SampleRun.secondsPerStep) <= 2)
  }

  @Test func `a pause of the run is not sat through`() {
    var times = Series()
    for step in 0..<10 { times.append(step: step, value: Double(step) + (step < 5 ? 0 : 3600)) }
    var playback = Playback(step: 0, isPlaying: true)
    for _ in 0..<7 { playback.advance(seconds: 1, in: times) }
    #expect(playback.step == 7)
  }

  @Test func `a pause is as long as the cap says`() {
    let times = Series(steps: [0, 1, 2], values: [0, 3600, 3601])
    var playback = Playback(step: 0, isPlaying: true, speed: 10, idleCap: 60)
    for _ in 0..<5 { playback.advance(seconds: 1, in: times) }
    #expect(playback.step == 0)
    playback.advance(seconds: 1, in: times)
    #expect(playback.step == 1)
  }

  @Test func `by step it plays so many steps a second whatever they took`() {
    let times = Series(steps: Array(0..<100), values: (0..<100).map { Double($0 * $0) })
    var playback = Playback(step: 0, isPlaying: true, speed: 20, pace: .step)
    playback.advance(seconds: 0.5, in: times)
    #expect(playback.step == 10)
    for _ in 0..<10 { playback.advance(seconds: 0.1, in: times) }
    #expect(playback.step == 30)
    var state = replay()
    state.playback?.pace = .step
    press(&state, .character(">"))
    #expect(state.toast?.text == "speed 2 steps/s")
  }

  /// Every pane is drawn from a history that ends at the playhead, as the live screen was, and from
  /// the whole one: alarms, forecasts, scales and numbers are those of then. The sample run
  /// declares its settings once, as they are in the end, so that their pane is left out.
  @Test(arguments: [50, 300, 777, 1000, 1300])
  func `what a replay shows is what was shown then`(step: Int) {
    let whole = replay(at: step)
    var then = replay(at: step)
    then.history = SampleRun(steps: step + 1).history
    for pane in PaneCatalog.panes where pane.id != .run {
      for size in [Size(columns: 58, rows: 14), Size(columns: 100, rows: 30)] {
        #expect(drawn(pane, whole, size) == drawn(pane, then, size), "\(pane.id) at \(size)")
      }
    }
  }

  private func drawn(_ pane: Pane, _ state: DashboardState, _ size: Size) -> [String] {
    var grid = CellGrid(size: size)
    let rect = Rect(column: 0, row: 0, columns: size.columns, rows: size.rows)
    let context = state.context(for: pane.id)
    pane.draw(&grid, rect, context)
    return grid.lines + pane.headline(context).map(\.text)
  }

  @Test func `a clock that ran backwards or says nothing does not stop a replay`() {
    for values in [[5.0, 4, 3, 2, 1], [.nan, .nan, 1, .infinity, 0]] {
      let times = Series(steps: [0, 1, 2, 3, 4], values: values)
      var playback = Playback(step: 0, isPlaying: true, speed: 10)
      for _ in 0..<4 { playback.advance(seconds: 1, in: times) }
      #expect(playback.step == 4)
      #expect(!playback.isPlaying)
    }
  }

  @Test func `nothing after the playhead is in the header`() {
    let state = replay(at: 300)
    #expect(view(state).line(0).contains("step 300/4,000"))
  }

  @Test func `space at the end plays from the beginning`() {
    var state = replay(at: 1400)
    press(&state, .character(" "))
    #expect(state.playhead == 0)
    #expect(state.playback?.isPlaying == true)
  }

  @Test func `arrows scrub by a hundredth and a dot goes one step`() {
    var state = replay(at: 500)
    press(&state, .character("."))
    #expect(state.playhead == 501)
    press(&state, .right)
    #expect(state.playhead == 501 + state.history.wallTimes.count / 100)
    press(&state, .left)
    #expect(state.playhead == 501)
    press(&state, .character("G"), .right)
    #expect(state.playhead == state.history.lastStep)
    press(&state, .character("g"), .left)
    #expect(state.playhead == state.history.firstStep)
  }

  @Test func `a comma and a dot go exactly one recorded step, back and on`() {
    var state = replay(at: 10)
    state.history = RunHistory()
    // An imported run has no sample at most of its steps.
    for step in [0, 10, 20, 25, 60] {
      state.history.append(
        .samples(
          StepSamples(
            step: step, wallTime: Double(step), names: [MetricCatalog.loss], values: [1])))
    }
    func steps(pressing key: Character, times: Int) -> [Int] {
      (0..<times).map { _ in
        press(&state, .character(key))
        return state.playhead
      }
    }
    #expect(steps(pressing: ".", times: 4) == [20, 25, 60, 60])
    #expect(steps(pressing: ",", times: 5) == [25, 20, 10, 0, 0])
    state.playback?.jump(to: 22)
    #expect(steps(pressing: ",", times: 1) == [20])
    state.playback?.jump(to: 22)
    #expect(steps(pressing: ".", times: 1) == [25])
  }

  @Test(arguments: [",", "."] as [Character])
  func `a step by hand pauses what was playing`(key: Character) {
    var state = replay(at: 500)
    press(&state, .character(" "), .character(key))
    #expect(state.playback?.isPlaying == false)
    _ = update(&state, .ticked(now: 200))
    #expect(state.playhead == (key == "," ? 499 : 501))
  }

  @Test func `the step back is in the bar, in help and in the palette of a replay alone`() throws {
    let back = try #require(
      CommandTable.all(isMixture: false).first { $0.keys == [.character(",")] })
    #expect(back.name == "backward" && back.applies(replay()))
    #expect(view(replay(at: 500)).lines.last?.contains(", . step") == true)
    #expect(!back.applies(UpdateTests.live()))
  }

  @Test func `brackets jump to events`() {
    var state = replay(at: 999)
    press(&state, .character("]"))
    #expect(state.playhead == SampleRun.switchStep)
    press(&state, .character("["))
    #expect(state.playhead < 999)
  }

  @Test func `q leaves a replay at once`() {
    var state = replay()
    #expect(update(&state, .keyPressed(.character("q"))) == [.quit(.leave)])
  }

  @Test func `the speeds end at both ends`() {
    var state = replay()
    for _ in 0..<40 { press(&state, .character(">")) }
    #expect(state.playback?.speed == Playback.speeds.last)
    for _ in 0..<40 { press(&state, .character("<")) }
    #expect(state.playback?.speed == Playback.speeds.first)
  }

  @Test func `an empty recording can be played with`() {
    var state = replay()
    state.history = RunHistory()
    for key in "  .,[]hlgG+-0x<>".map(Key.character) { press(&state, key) }
    _ = update(&state, .ticked(now: 105))
    #expect(view(state).size == state.size)
  }

  /// A run of 100 steps, resumed from step 40 up to step 60.
  private func resumed(_ state: RunState) -> DashboardState {
    var shown = replay()
    shown.history = RunHistory()
    for record in [(0..<100, 40), (40..<60, 0)].flatMap({ steps, next -> [RunRecord] in
      steps.map { step -> RunRecord in
        .samples(
          StepSamples(
            step: step, wallTime: Double(step), names: [MetricCatalog.loss], values: [2]))
      } + (next > 0 ? [.generation(startingAt: next)] : [])
    }) { shown.history.append(record) }
    shown.history.append(.state(state))
    return shown
  }

  @Test func `at a run's end charts reach as far as it had got before it went back`() {
    var state = resumed(.stopped)
    state.playback = Playback(step: 59)
    #expect(state.steps == 0..<100)
    #expect(state.context(for: .loss).older(MetricCatalog.loss).first?.isForecast == true)
    state.playback = Playback(step: 50)
    #expect(state.steps == 0..<51)
  }

  @Test func `steps are counted as updates that are done, here and in lists`() {
    var state = resumed(.stopped)
    state.playback = Playback(step: 59)
    #expect(state.stepsDone == 60)
    #expect(view(state).text().contains("step 60/"))
    state.playback = Playback(step: 50)
    #expect(view(state).text().contains("step 50/"))
    // The held-out loss at the end is of the step that would come next.
    state.history.append(
      .samples(
        StepSamples(step: 60, wallTime: 60, names: [MetricCatalog.evalLoss], values: [1.5])))
    state.playback = Playback(step: 60)
    #expect(view(state).text().contains("step 60/"))
    #expect(resumed(.diverged).history.stepsDone == 59)
  }
}
