import Screen
import Signals
import Telemetry
import Testing

@testable import Dashboard

/// What can be asked of a run that another program makes: what it has declared, the rest greyed with
/// the reason.
@Suite(.timeLimit(.minutes(15))) struct ForeignRunTests {
  /// A watched run of another program that obeys these commands and declares two settings.
  private func watched(obeying commands: String? = "pause resume set sample") -> DashboardState {
    var state = DashboardState(
      source: RunSource(kind: .watch, name: "gpt"), size: Size(columns: 100, rows: 40))
    var description = RunDescription(name: "gpt", created: 0)
    description.environment[.source] = "c"
    description.environment[.commands] = commands
    let settings = [
      SettingDeclaration(
        name: "lr.multiplier", kind: .number(lowest: 0, highest: 9), value: .number(1), purpose: ""
      ),
      SettingDeclaration(
        name: "mode", kind: .choice(["a", "b"]), value: .word("a"), purpose: "which"),
    ]
    _ = update(
      &state,
      .recordsArrived([
        .description(description), .settings(commands == nil ? [] : settings), .state(.running),
      ]))
    return state
  }

  private func press(_ state: inout DashboardState, _ keys: Key...) -> [Effect] {
    keys.flatMap { update(&state, .keyPressed($0)) }
  }

  @Test func `what the script has not declared is refused with the reason`() {
    var state = watched()
    #expect(press(&state, .character("c")) == [.bell])
    #expect(state.toast?.text == "checkpoint: this script declares no checkpoint")
    #expect(press(&state, .character(" ")) == [.send(.pause, by: "you")])
    #expect(
      state.refusal(of: .set(name: "z_loss", value: .number(0)))
        == "this trainer declares no z_loss")
  }

  @Test func `the keys at the bottom are those that the script obeys`() {
    let labels = BottomBar(watched()).items.map(\.label)
    #expect(labels.contains("pause") && !labels.contains("checkpoint"))
  }

  @Test func `of a long record the share that is read is told`() {
    var state = watched()
    _ = update(&state, .sourceStood(.reading(share: 0.375), refusal: nil))
    #expect(view(state).text().contains("READING: 37.5% so far"))
  }

  @Test func `the menu greys what is not declared, and turns through choices`() throws {
    var state = watched()
    let listed = state.listedSettings
    #expect(listed.prefix(2).map(\.name) == ["lr.multiplier", "mode"])
    let other = try #require(listed.first { $0.name == "qk_layernorm" })
    #expect(other.refusal == "this trainer declares no qk_layernorm")
    #expect(
      press(&state, .character("m"), .down, .enter)
        == [.send(.set(name: "mode", value: .word("b")), by: "you")])
  }

  @Test func `a source without hands greys the whole menu with its reason`() {
    var state = watched(obeying: nil)
    let reason = "this file names no control socket"
    _ = update(&state, .sourceStood(.live, refusal: reason))
    #expect(!state.listedSettings.isEmpty)
    #expect(state.listedSettings.allSatisfy { $0.refusal == reason })
    #expect(press(&state, .character(" ")) == [.bell])
    #expect(state.toast?.text == "pause: \(reason)")
  }

  @Test func `an action of the program's own is offered and sent as it is`() {
    var state = watched()
    #expect(Candidate.all(for: "sam", in: state).first?.completion == "sample")
    let keys: [Key] = ":sample 3".map { .character($0) } + [.enter]
    let effects = keys.flatMap { update(&state, .keyPressed($0)) }
    #expect(effects.contains(.send(.other("sample 3"), by: "you")))
  }

  @Test func `how the source stands is said`() {
    var state = watched()
    state.now = 112
    func banner(_ standing: SourceState) -> [String]? {
      _ = update(&state, .sourceStood(standing, refusal: nil))
      return Banner(state)?.parts
    }
    #expect(banner(.live) == nil)
    #expect(
      banner(.silent(since: 100, remark: "usual is 4 s: slow"))
        == ["LAST DATA 12 s ago", "usual is 4 s: slow"])
    #expect(banner(.gone(remark: "killed?")) == ["GONE: killed?"])
    #expect(banner(.unreachable(reason: "x is not there"))?.first == "x is not there")
    _ = update(&state, .recordsArrived([.state(.finished)]))
    #expect(banner(.gone(remark: "killed?"))?.first == "FINISHED")
  }
}
