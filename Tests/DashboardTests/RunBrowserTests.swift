import Foundation
import Screen
import Signals
import Telemetry
import Testing

@testable import Dashboard

/// What the keys of the list of runs do.
@Suite(.timeLimit(.minutes(15))) struct RunBrowserTests {
  private func press(_ state: inout DashboardState, _ keys: Key...) -> [Effect] {
    keys.flatMap { update(&state, .keyPressed($0)) }
  }

  private func type(_ state: inout DashboardState, _ text: String) -> [Effect] {
    text.flatMap { update(&state, .keyPressed(.character($0))) }
  }

  private func browser(_ state: DashboardState) -> RunBrowser? {
    state.layers.lazy.compactMap { $0 as? RunBrowser }.first
  }

  private func chosen(_ state: DashboardState) -> String? {
    browser(state)?.chosen(in: state)?.name
  }

  private func replay(_ keys: String = "") -> DashboardState {
    var state = SampleRuns.browsing()
    state.source.kind = .replay
    for key in keys { _ = update(&state, .keyPressed(.character(key))) }
    return state
  }

  @Test func `it asks for the runs, again while it is looked at, and begins at the one on screen`()
  {
    var state = UpdateTests.live()
    #expect(press(&state, .character("O")) == [.listRuns])
    #expect(update(&state, .ticked(now: state.now + 1)) == [])
    #expect(update(&state, .ticked(now: state.now + 1.5)) == [.listRuns])
    _ = update(&state, .runsListed(SampleRuns.all.reversed(), in: ["runs"]))
    #expect(chosen(state) == "gpt-rescue")
    _ = press(&state, .character("q"))
    #expect(state.layers.isEmpty)
    #expect(update(&state, .ticked(now: state.now + 9)) == [])
  }

  @Test func `the chosen run stays chosen while others arrive and the order changes`() {
    var state = SampleRuns.browsing(120, 40, runs: [SampleRuns.rescue, SampleRuns.killed])
    _ = press(&state, .down)
    #expect(chosen(state) == "w2-killed")
    _ = update(&state, .runsListed(SampleRuns.all, in: ["runs"]))
    #expect(chosen(state) == "w2-killed")
    _ = type(&state, "ss")
    #expect(chosen(state) == "w2-killed")
  }

  @Test func `it opens with the marks, the order and the filter with which it was left`() {
    var state = SampleRuns.browsing(120, 40, [.down, .character(" ")])
    _ = type(&state, "s/loss<4")
    _ = press(&state, .enter, .down)
    #expect(type(&state, "o") == [.loadRun(SampleRuns.healthy)])
    #expect(state.layers.isEmpty)
    _ = type(&state, "O")
    let left = browser(state)
    #expect(left?.marked == [SampleRuns.healthy.path])
    #expect(left?.filter == "loss<4" && left?.order == RunOrder.time.next)
    #expect(chosen(state) == "gpt-rescue")
    // On the screen of the run that was opened it is the same list.
    var other = SampleRuns.browsing()
    other.layers = []
    other.browser = state.browser.reopened
    _ = type(&other, "O")
    #expect(browser(other) == left)
  }

  @Test func `a run that is being written can be tagged, but not renamed`() {
    var state = SampleRuns.browsing()
    _ = type(&state, "t night")
    #expect(
      press(&state, .enter) == [
        .editRun(.tag(path: SampleRuns.rescue.path, words: "paper keep night"))
      ])
    // What is typed after a key that is refused does nothing, and the reason is read.
    #expect(type(&state, "Rother") == [.bell])
    #expect(press(&state, .character(" "), .enter) == [])
    #expect(browser(state)?.marked == [] && browser(state)?.question == nil)
    #expect(view(state).lines.last?.contains("open") == true)
  }

  @Test(arguments: [(80, 24), (120, 40), (200, 60)])
  func `a passing word covers no key`(columns: Int, rows: Int) {
    var state = SampleRuns.browsing(columns, rows)
    let keys = view(state).lines.last
    state.say("attention logits are above 1e4 and go on growing · m: switch qk-layernorm on")
    #expect(view(state).lines.last == keys)
    #expect(view(state).lines.contains { $0.contains("attention logits are above 1e4") })
  }

  @Test func `every order puts the runs that have the number first`() {
    let orders = RunOrder.allCases.map { order in order.sorted(SampleRuns.all).map(\.name) }
    #expect(orders[0].first == "gpt-rescue" && orders[0].last == "not-read-yet")
    #expect(orders[1].suffix(3) == ["1.6M-plain-0.1", "broken", "not-read-yet"])
    #expect(orders[3] == orders[3].sorted())
    #expect(orders[4].prefix(2) == ["gpt-rescue", "healthy"])
  }

  @Test func `a finished run comes in place of a recording at once`() {
    var state = replay("j")
    #expect(press(&state, .enter) == [.openRun(SampleRuns.healthy, .leave)])
  }

  @Test func `a live run is asked about before another comes in its place`() {
    for (key, leave) in [("1", Leave.stopWithCheckpoint), ("2", .detach)] {
      var state = SampleRuns.browsing(80, 24, [.down])
      #expect(press(&state, .enter) == [])
      #expect(view(state).lines.contains { $0.contains("for healthy?") })
      #expect(type(&state, key) == [.openRun(SampleRuns.healthy, leave)])
    }
    var state = SampleRuns.browsing(80, 24, [.down, .enter])
    #expect(type(&state, "3") == [])
    #expect(chosen(state) == "healthy")
  }

  @Test func `the run on the screen is gone back to, and one that cannot be read is not opened`() {
    var state = SampleRuns.browsing()
    #expect(press(&state, .enter) == [])
    #expect(state.layers.isEmpty)
    state = replay()
    _ = press(&state, .end, .up)
    #expect(chosen(state) == "broken")
    #expect(press(&state, .enter) == [.bell])
    #expect(state.toast?.text.contains("no session") == true)
  }

  @Test func `marked runs are laid over the charts, or else the chosen one`() {
    var state = SampleRuns.browsing(120, 40, [.down])
    #expect(type(&state, "o") == [.loadRun(SampleRuns.healthy)])
    #expect(state.layers.isEmpty)
    state = SampleRuns.browsing(120, 40, [.down, .character(" "), .end, .up, .up, .up])
    _ = type(&state, " ")
    #expect(browser(state)?.marked.count == 2)
    #expect(type(&state, "o") == [.loadRun(SampleRuns.healthy), .loadRun(SampleRuns.collapse)])
    state = SampleRuns.browsing()
    #expect(type(&state, "o") == [.bell])
  }

  @Test func `the chart shows the marked runs, or the one on screen beside the chosen one`() {
    var state = SampleRuns.browsing(120, 40, [.down])
    #expect(browser(state)?.compared(in: state).map(\.name) == ["healthy", "gpt-rescue"])
    _ = type(&state, " c")
    #expect(browser(state)?.isComparing == true)
    #expect(browser(state)?.compared(in: state).map(\.name) == ["1.6M-plain-0.1", "healthy"])
    _ = press(&state, .escape)
    #expect(browser(state)?.isComparing == false)
    state = SampleRuns.browsing()
    _ = type(&state, "c")
    #expect(browser(state)?.isComparing == false)
    #expect(state.toast?.text == "nothing to compare with: space marks runs")
  }

  @Test func `a line that a run went back from stands below it, and is shown like a run`() {
    var state = replay("jjjjj")
    #expect(chosen(state) == "collapse@1")
    #expect(browser(state)?.compared(in: state).map(\.name) == ["collapse@1", "collapse"])
    #expect(view(state).lines.contains { $0.contains("sessions restore collapse@1") })
    for key in "tNRD" {
      #expect(type(&state, String(key)) == [.bell])
      #expect(press(&state, .escape) == [])
    }
    #expect(press(&state, .enter) == [.openRun(SampleRuns.line, .leave)])
    #expect(type(&state, "o") == [.loadRun(SampleRuns.line)])
    // It goes with its run, wherever that is, and not alone.
    state = replay("sss")
    let names = browser(state)?.found(in: state).map(\.name) ?? []
    #expect(names.firstIndex(of: "collapse@1") == names.firstIndex(of: "collapse").map { $0 + 1 })
    _ = type(&state, "/-collapse")
    #expect(browser(state)?.found(in: state).contains { $0.isLine } == false)
  }

  @Test func `a filter finds as one types, is kept or dropped, and gone out of`() {
    var state = SampleRuns.browsing()
    _ = type(&state, "/cfg.lr>=0.04 state:kill")
    #expect(browser(state)?.found(in: state).map(\.name) == ["w2-killed"])
    _ = press(&state, .enter)
    #expect(view(state).lines.contains { $0.contains("1 of 7") })
    _ = type(&state, "/x")
    _ = press(&state, .escape)
    #expect(browser(state)?.filter == "cfg.lr>=0.04 state:kill")
    _ = press(&state, .escape)
    #expect(browser(state)?.filter == "")
    #expect(browser(state)?.found(in: state).count == 8)
  }

  @Test func `a path in place of a filter is looked in`() {
    var state = SampleRuns.browsing()
    _ = type(&state, "/~/other/runs")
    #expect(browser(state)?.found(in: state).count == 8)
    #expect(press(&state, .enter) == [.lookForRuns(in: "~/other/runs")])
    var run = SampleRuns.killed
    run.path = "/other/a.seismo"
    run.traits.name = "a"
    _ = update(&state, .runsListed(SampleRuns.all + [run], in: ["runs", "~/other/runs"]))
    _ = update(&state, .runsChanged("1 run in ~/other/runs", at: run.path))
    #expect(chosen(state) == "a")
  }

  @Test func `the palette opens a path as it was typed`() {
    var state = UpdateTests.live()
    _ = type(&state, ":open /Data/Runs")
    let effects = press(&state, .enter)
    #expect(effects == [.rememberCommand("open /Data/Runs"), .lookForRuns(in: "/Data/Runs")])
    #expect(browser(state) != nil)
    state = UpdateTests.live()
    _ = type(&state, ":open")
    #expect(press(&state, .enter) == [.rememberCommand("open"), .listRuns])
  }

  @Test func `tags, notes and names are typed and written`() {
    let path = SampleRuns.healthy.path
    var state = SampleRuns.browsing(120, 40, [.down])
    _ = type(&state, "tpaper keep")
    #expect(press(&state, .enter) == [.editRun(.tag(path: path, words: "paper keep"))])
    _ = type(&state, "Nlr is too low")
    #expect(press(&state, .enter) == [.editRun(.note(path: path, text: "lr is too low"))])
    _ = type(&state, "R-2")
    #expect(press(&state, .enter) == [.editRun(.rename(path: path, name: "healthy-2"))])
    _ = type(&state, "Nx")
    #expect(press(&state, .escape) == [])
    #expect(browser(state)?.question == nil)
  }

  @Test func `a name that cannot be one keeps the question open`() {
    var state = SampleRuns.browsing(120, 40, [.down])
    _ = type(&state, "R/x")
    #expect(press(&state, .enter) == [.bell])
    #expect(state.toast?.text.contains("is no name") == true)
    #expect(browser(state)?.question?.field.text == "healthy/x")
    // What is typed next is text, not a command.
    #expect(type(&state, "D") == [])
    #expect(browser(state)?.question?.field.text == "healthy/xD")
  }

  @Test func `a run is removed after a question only, its checkpoints where told`() {
    let path = SampleRuns.killed.path
    for (keys, isTold) in [("Dy", false), ("Da", true)] {
      var state = SampleRuns.browsing(120, 40, [.down, .down, .down])
      #expect(chosen(state) == "w2-killed")
      #expect(type(&state, keys) == [.editRun(.remove(path: path, withCheckpoints: isTold))])
    }
    var state = SampleRuns.browsing(120, 40, [.down])
    // It has no checkpoints: the letter for them is none.
    #expect(type(&state, "Da") == [])
    #expect(press(&state, .enter) == [])
    #expect(browser(state)?.question == nil)
  }

  @Test func `a run that is written, or is on the screen, keeps its files`() {
    var state = SampleRuns.browsing()
    for key in "RD" {
      #expect(type(&state, String(key)) == [.bell])
      #expect(press(&state, .escape) == [])
      #expect(browser(state)?.question == nil)
    }
    // Its own run takes a note itself.
    _ = type(&state, "Nhere")
    #expect(press(&state, .enter) == [.send(.note("here"), by: "you")])
    var ended = SampleRuns.rescue
    ended.details.standing = .finished
    _ = update(&state, .runsListed([ended], in: ["runs"]))
    #expect(type(&state, "D") == [.bell])
    #expect(press(&state, .escape) == [])
    #expect(type(&state, "t") == [])
    #expect(browser(state)?.question != nil)
  }

  @Test func `a click chooses a run, a second one opens it, one on a key presses it`() throws {
    var state = replay()
    func click(_ text: String) throws -> [Effect] {
      let lines = view(state).lines
      let row = try #require(lines.firstIndex { $0.contains(text) })
      let line = lines[row]
      let start = try #require(line.range(of: text)?.lowerBound)
      let place = Point(column: line.distance(from: line.startIndex, to: start), row: row)
      return update(
        &state, .mouseMoved(MouseEvent(kind: .pressed, button: .left, point: place)))
    }
    #expect(try click("healthy") == [])
    #expect(chosen(state) == "healthy")
    #expect(try click("s sort") == [])
    #expect(browser(state)?.order == .heldOut)
  }

  @Test func `the list is written as it is, without what lies over it`() {
    var state = SampleRuns.browsing()
    #expect(type(&state, "w") == [.writeScreen()])
    let lines = view(state).lines
    _ = type(&state, "?")
    #expect(picture(state).lines == lines)
  }

  @Test func `pasted text is typed where a line is asked for and pressed nowhere`() {
    var state = SampleRuns.browsing(120, 40, [.down])
    #expect(update(&state, .textPasted("Dy")) == [])
    #expect(browser(state)?.question == nil)
    _ = type(&state, "N")
    _ = update(&state, .textPasted("as pasted\n"))
    #expect(browser(state)?.question?.field.text == "as pasted")
  }

  @Test func `several happenings of a kind are one sign, and the last ones stay`() {
    var details = RunDetails()
    func events(_ kinds: RunEvent.Kind...) -> [RunEvent] {
      kinds.map { RunEvent(step: 0, wallTime: 0, kind: $0, by: "", text: "") }
    }
    details.events = events(.alarm, .calm, .alarm, .set, .alarm, .calm)
    #expect(details.happenings(fitting: 20).spans.map(\.text).joined() == "▲2 ◆ ▲ ✓")
    details.events = events(.alarm, .set, .alarm, .diverged)
    #expect(details.happenings(fitting: 5).spans.map(\.text).joined() == "… ▲ ✗")
    #expect(details.happenings(fitting: 0).spans.isEmpty)
  }
}
