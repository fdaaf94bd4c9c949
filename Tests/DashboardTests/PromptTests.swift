import Screen
import Telemetry
import Testing

@testable import Dashboard

/// Lines typed in the bottom row: a note, a filter, a branch's name.
@Suite(.timeLimit(.minutes(15))) struct PromptTests {
  private func press(_ state: inout DashboardState, _ keys: Key...) -> [Effect] {
    keys.flatMap { update(&state, .keyPressed($0)) }
  }

  private func type(_ text: String, _ state: inout DashboardState) {
    for character in text { _ = press(&state, .character(character)) }
  }

  @Test func `esc brings the filter back that there was, enter keeps the new one`() {
    var state = UpdateTests.live()
    type("/qk", &state)
    _ = press(&state, .enter)
    #expect(state.viewport.filter == "qk" && state.layers.isEmpty)
    type("/x", &state)
    #expect(state.viewport.filter == "x", "the first letter replaces what is in force")
    _ = press(&state, .escape)
    #expect(state.viewport.filter == "qk")
    type("/", &state)
    _ = press(&state, .end)
    type("x", &state)
    #expect(state.viewport.filter == "qkx", "another key edits it")
    _ = press(&state, .control("u"), .enter)
    #expect(state.viewport.filter == nil, "an empty line is no filter")
  }

  @Test func `a note of nothing but spaces is not written`() {
    var state = UpdateTests.live()
    type("N   ", &state)
    #expect(press(&state, .enter).isEmpty && state.layers.isEmpty)
    type("N  odd ", &state)
    #expect(press(&state, .enter) == [.send(.note("odd "), by: "you")])
    type("Nlost", &state)
    #expect(press(&state, .escape).isEmpty && state.layers.isEmpty)
  }

  @Test func `a branch's name that is none is said, and the prompt stays until it is one`() {
    var state = UpdateTests.live()
    type("bno/good", &state)
    #expect(press(&state, .enter) == [.bell])
    #expect(view(state).lines[38].hasPrefix("'no/good' is no value for branch"))
    type("c", &state)
    #expect(state.layers.count == 1, "a letter is no command")
    #expect(!view(state).lines[38].hasPrefix("'no/good'"), "what is being mended is no fault")
    _ = press(&state, .control("u"))
    type("low-rate", &state)
    #expect(press(&state, .enter) == [.send(.branch(name: "low-rate"), by: "you")])
    _ = press(&state, .escape)
    type("b", &state)
    #expect(press(&state, .enter).isEmpty && state.layers.isEmpty)
  }

  private func answer(_ kind: RunEvent.Kind, name: String, _ text: String) -> Action {
    .recordsArrived([
      .event(RunEvent(step: 1_401, wallTime: 0, kind: kind, by: "you", name: name, text: text))
    ])
  }

  @Test(arguments: ["bold", ":branch old"])
  func `a branch that the run refuses is asked for again`(typed: String) {
    var state = UpdateTests.live()
    type(typed, &state)
    #expect(press(&state, .enter).last == .send(.branch(name: "old"), by: "you"))
    type("cq", &state)
    #expect(state.layers.count == 1, "until the run has answered no letter is a command")
    let refused = answer(
      .refused, name: "branch old", "branch old refused: old.seismo is there already")
    _ = update(&state, refused)
    #expect(view(state).lines[38].hasPrefix("old.seismo is there already"))
    _ = press(&state, .end, .character("2"))
    #expect(press(&state, .enter) == [.send(.branch(name: "old2"), by: "you")])
    _ = update(&state, answer(.branch, name: "old2", "goes on as old2, a branch of rescue"))
    #expect(state.layers.isEmpty)
  }

  @Test func `letters typed before a refusal is read are no commands`() {
    var state = UpdateTests.live()
    type(":rewind 7", &state)
    _ = press(&state, .enter)
    _ = update(&state, answer(.refused, name: "rewind 7", "rewind 7 refused: no such checkpoint"))
    type("cb2", &state)
    #expect(state.layers.isEmpty && state.toast?.text.hasPrefix("refused") == true)
    _ = update(&state, .ticked(now: state.now + 1))
    #expect(press(&state, .character("c")) == [.send(.checkpoint, by: "you")])
  }

  @Test func `a note stands beside the step at which its typing began`() {
    var state = UpdateTests.live()
    type("Nodd", &state)
    let later = (1_401...1_420).map { step in
      RunRecord.samples(StepSamples(step: step, wallTime: 1, names: ["loss"], values: [2]))
    }
    _ = update(&state, .recordsArrived(later))
    #expect(view(state).lines[39].hasPrefix("note at step 1,400: odd"))
    #expect(press(&state, .enter) == [.send(.note("odd", at: 1_400), by: "you")])
  }

  @Test func `a broken filter is not kept`() {
    var state = UpdateTests.live()
    type("/loss[", &state)
    #expect(press(&state, .enter) == [.bell])
    #expect(state.layers.count == 1)
    type("a]", &state)
    #expect(press(&state, .enter).isEmpty && state.viewport.filter == "loss[a]")
  }

  @Test func `a run that ends leaves the prompt to be left`() {
    var state = UpdateTests.live()
    type("bnew", &state)
    _ = press(&state, .enter)
    _ = update(&state, .recordsArrived([.state(.stopped)]))
    #expect(view(state).lines[38].hasPrefix("the run is over"))
    _ = press(&state, .escape)
    #expect(state.layers.isEmpty)
  }

  @Test func `the line is edited where the cursor stands`() {
    var state = UpdateTests.live()
    type("Nne two", &state)
    _ = press(&state, .home, .character("o"), .end, .control("w"))
    type("2", &state)
    _ = press(&state, .left, .character("1"), .delete, .control("a"), .right, .backspace)
    #expect(press(&state, .enter) == [.send(.note("ne 1"), by: "you")])
  }

  @Test func `keys that the line has no use for do nothing behind it`() {
    var state = UpdateTests.live()
    let before = state.arrangement
    type("N", &state)
    #expect(press(&state, .tab, .up, .down, .pageUp).isEmpty)
    #expect(state.arrangement == before && state.layers.count == 1)
  }
}
