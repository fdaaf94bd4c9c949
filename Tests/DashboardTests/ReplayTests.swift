import Dashboard
import Screen
import Signals
import Telemetry
import Testing

@Suite struct ReplayTests {
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
    for key in "  .[]hlgG+-0x<>".map(Key.character) { press(&state, key) }
    _ = update(&state, .ticked(now: 105))
    #expect(view(state).size == state.size)
  }
}
