import Screen
import Telemetry
import Testing

@testable import Dashboard

/// Lines typed in the bottom row: a note, a filter, a branch's name.
@Suite struct PromptTests {
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
    #expect(state.viewport.filter == "qkx", "the line begins with what is in force")
    _ = press(&state, .escape)
    #expect(state.viewport.filter == "qk")
    type("/", &state)
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

  @Test func `a branch is given its name, and one that is none is said`() {
    var state = UpdateTests.live()
    type("blow-rate", &state)
    #expect(press(&state, .enter) == [.send(.branch(name: "low-rate"), by: "you")])
    type("bno/good", &state)
    #expect(press(&state, .enter) == [.bell])
    #expect(state.toast?.role == .warning)
    type("b", &state)
    #expect(press(&state, .enter).isEmpty)
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
