import Dashboard
import Screen
import Signals
import Telemetry
import Testing

/// What a person has asked for, until the run has answered.
@Suite(.timeLimit(.minutes(15))) struct RequestTests {
  private let name = SettingCatalog.learningRateMultiplier

  private func press(_ state: inout DashboardState, _ text: String) {
    for character in text { _ = update(&state, .keyPressed(.character(character))) }
  }

  private func event(
    _ kind: RunEvent.Kind, step: Int = 1_401, name: String, after: SettingValue? = nil,
    text: String = ""
  ) -> RunRecord {
    .event(
      RunEvent(
        step: step, wallTime: 0, kind: kind, by: "you", name: name, after: after, text: text))
  }

  private func declared(_ state: DashboardState, _ value: SettingValue) -> RunRecord {
    var settings = state.history.settings
    for index in settings.indices where settings[index].name == name {
      settings[index].value = value
    }
    return .settings(settings)
  }

  @Test func `a change given while paused is in force though its step is yet to come`() {
    var state = UpdateTests.live()
    _ = update(&state, .recordsArrived([.state(.paused)]))
    press(&state, "{")
    _ = update(
      &state,
      .recordsArrived([
        event(.set, name: name, after: .number(0.5)), declared(state, .number(0.5)),
      ]))
    #expect(state.requests.value(of: name) == nil)
    #expect(state.setting(name) == .number(0.5))
    press(&state, "u")
    _ = update(
      &state,
      .recordsArrived([event(.set, name: name, after: .number(1)), declared(state, .number(1))]))
    #expect(state.setting(name) == .number(1))
  }

  @Test func `the last of two quick requests stays until its own answer`() {
    var state = UpdateTests.live()
    press(&state, "{{")
    _ = update(
      &state,
      .recordsArrived([
        event(.set, name: name, after: .number(0.5)), declared(state, .number(0.5)),
      ]))
    #expect(state.setting(name) == .number(0.25))
    #expect(state.requests.value(of: name) != nil)
    _ = update(&state, .recordsArrived([event(.set, name: name, after: .number(0.25))]))
    #expect(state.requests.value(of: name) == nil)
  }

  @Test func `a refusal named by its command's words takes only that request back`() {
    var state = UpdateTests.live()
    press(&state, "}")
    _ = update(&state, .recordsArrived([event(.refused, name: "set z_loss 1")]))
    #expect(state.setting(name) == .number(2))
    _ = update(&state, .recordsArrived([event(.refused, name: "set \(name) 2")]))
    #expect(state.setting(name) == .number(1))
  }

  @Test func `a source that declares another value than the one asked for has answered`() {
    var state = UpdateTests.live()
    press(&state, "}")
    _ = update(&state, .recordsArrived([declared(state, .number(1.5))]))
    #expect(state.setting(name) == .number(1.5))
  }

  @Test func `a refused pause is no pause`() {
    var state = UpdateTests.live()
    press(&state, " ")
    #expect(state.isPaused)
    _ = update(&state, .recordsArrived([event(.refused, name: "pause")]))
    #expect(!state.isPaused)
  }
}
