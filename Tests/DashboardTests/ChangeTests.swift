import Foundation
import Screen
import Signals
import Telemetry
import Testing

@testable import Dashboard

/// Values that a person changes by hand: what a key does to them, what is asked first.
@Suite(.timeLimit(.minutes(15))) struct ChangeTests {
  private let rate = SettingCatalog.learningRateMultiplier

  private func press(_ state: inout DashboardState, _ keys: Key...) -> [Effect] {
    keys.flatMap { update(&state, .keyPressed($0)) }.filter {
      if case .rememberCommand = $0 { false } else { true }
    }
  }

  private func type(_ text: String, _ state: inout DashboardState) -> [Effect] {
    text.flatMap { press(&state, .character($0)) }
  }

  private func text(_ state: DashboardState) -> String {
    view(state).lines.joined(separator: "\n")
  }

  private func set(_ value: Double) -> [Effect] {
    [.send(.set(name: rate, value: .number(value)), by: "you")]
  }

  /// The rate's row of the menu, with its value in the field.
  private func editing() -> DashboardState {
    var state = UpdateTests.live()
    _ = press(&state, .character("m"), .down, .enter)
    return state
  }

  @Test func `the first key typed on a value replaces it`() {
    var state = editing()
    _ = type("0.5", &state)
    #expect(text(state).contains("1 → 0.5 · rate 0.030 → 0.015"))
    #expect(press(&state, .enter) == set(0.5))
    #expect(state.layers.isEmpty)
    #expect(state.toast?.text.contains("1 → 0.5 · rate 0.030 → 0.015") == true)
  }

  @Test(arguments: [[Key.left, .right], [.end], [.home, .end]])
  func `a key that moves edits the value in place`(keys: [Key]) {
    var state = editing()
    for key in keys { _ = press(&state, key) }
    _ = type(".5", &state)
    #expect(press(&state, .enter) == set(1.5))
  }

  @Test func `backspace takes a letter of the value, not all of it`() {
    var state = editing()
    _ = type("1.25", &state)
    #expect(press(&state, .backspace, .enter) == set(1.2))
  }

  @Test(arguments: [10.5, 0.1, 0])
  func `the menu asks before the rate changes more than fourfold`(value: Double) {
    var state = editing()
    #expect(type("\(SettingValue.number(value))", &state).isEmpty)
    #expect(press(&state, .enter).isEmpty)
    #expect(text(state).contains("enter again applies,"))
    var other = state
    #expect(press(&state, .enter) == set(value))
    #expect(press(&other, .escape).isEmpty && other.layers.count == 1)
    #expect(press(&other, .escape).isEmpty && !other.requests.hasChanges)
  }

  @Test func `a value that is edited after the question is asked about anew`() {
    var state = editing()
    _ = type("10", &state)
    _ = press(&state, .enter)
    _ = type("0", &state)
    #expect(press(&state, .enter).isEmpty)
    #expect(press(&state, .enter) == set(100))
  }

  @Test func `the palette asks before a value outside the usual range, a script's words do not`() {
    var state = UpdateTests.live()
    _ = type(":set z_loss 5", &state)
    #expect(press(&state, .enter).isEmpty)
    #expect(text(state).contains("usual is 1e-06 to 0.01"))
    #expect(
      press(&state, .enter) == [.send(.set(name: "z_loss", value: .number(5)), by: "you")])
    _ = type(":set z_loss 1e-3", &state)
    #expect(press(&state, .enter).count == 1)
    #expect((try? Command(words: "set z_loss 5")) != nil)
  }

  @Test func `a key pressed twice for the menu neither pauses nor zooms`() {
    for key in [Key.character(" "), .enter] {
      var state = UpdateTests.live()
      _ = press(&state, .character("m"), .end, .home)
      #expect(press(&state, key).count == 1 && state.layers.isEmpty)
      #expect(press(&state, key).isEmpty)
      #expect(!state.isPaused && state.arrangement.zoomed == nil)
      #expect(state.toast?.text.contains("once more is") == true)
      _ = press(&state, key)
      #expect(state.isPaused || state.arrangement.zoomed != nil)
    }
  }

  @Test func `another key, the mouse or the end of the word ends the guard`() {
    var state = UpdateTests.live()
    _ = press(&state, .character("m"), .character(" "), .character("x"))
    #expect(press(&state, .character(" ")) == [.send(.pause, by: "you")])
    state = UpdateTests.live()
    _ = press(&state, .character("m"), .character(" "))
    _ = update(&state, .ticked(now: state.now + 9))
    #expect(press(&state, .character(" ")) == [.send(.pause, by: "you")])
    state = UpdateTests.live()
    _ = press(&state, .character("m"), .escape)
    #expect(press(&state, .character(" ")) == [.send(.pause, by: "you")])
  }

  @Test func `doubling stops at sixteenfold, where it asks`() {
    var state = UpdateTests.live()
    #expect(type("}}}}", &state).last == set(16).last)
    #expect(type("}}}", &state).isEmpty)
    #expect(text(state).contains("enter again applies,"))
    #expect(press(&state, .escape).isEmpty && state.layers.isEmpty)
    #expect(state.setting(rate) == .number(16))
    #expect(type("}", &state).isEmpty && press(&state, .enter) == set(32))
    #expect(type("{", &state) == set(16))
  }

  @Test func `halving stops at a sixteenth, where it asks`() {
    var state = UpdateTests.live()
    #expect(type("{{{{", &state).last == set(1.0 / 16).last)
    #expect(type("{", &state).isEmpty && state.layers.count == 1)
  }

  @Test(arguments: SettingCatalog.entries.map(\.name))
  func `a setting's usual value, off and its own range are not asked about`(name: String) throws {
    let entry = try #require(SettingCatalog.entry(name))
    #expect(entry.isUsual(entry.usual) && entry.isUsual(.number(0)))
    guard case .number(let lowest, let highest) = entry.kind else { return }
    let usual = try #require(entry.usualRange)
    #expect(usual.lowerBound >= lowest && usual.upperBound <= highest)
    #expect(!entry.isUsual(.number(highest)) || usual.upperBound == highest)
  }
}

/// What the menu of settings puts first.
@Suite(.timeLimit(.minutes(15))) struct MitigationOrderTests {
  private func alarm(_ name: String, _ text: String, hint: String) -> RunEvent {
    RunEvent(
      step: 1_350, wallTime: 0, kind: .alarm, by: "alarm", name: name, text: text, hint: hint)
  }

  @Test func `what helps against the alarms that are raised is on top, marked with why`() throws {
    var sample = SampleRun(experts: 8)
    sample.extraEvents = [
      alarm("dead-expert", "L2 E7 dead: 0.2% of 12.5%", hint: "m: raise moe.aux_loss"),
      alarm("log-z-drift", "log Z drifts (9 nats): logits run off", hint: "m: switch z-loss on"),
    ]
    var state = UpdateTests.live(history: sample.history)
    _ = update(&state, .keyPressed(.character("m")))
    let rows = view(state).lines.drop { !$0.contains("mitigations ─") }.dropFirst()
    let top = Array(rows.prefix(3))
    #expect(top[0].contains(" z_loss ") && top[0].contains("helps: log Z drifts  "))
    #expect(top[1].contains(" moe.aux_loss ") && top[1].contains("helps: L2 E7 dead  "))
    #expect(top[2].contains(" qk_layernorm "))
    let effects = update(&state, .keyPressed(.character(" ")))
    #expect(effects == [.send(.set(name: "z_loss", value: .number(1e-4)), by: "you")])
  }

  @Test(arguments: [60, 80, 120])
  func `a reason that is longer than its room is cut between words, not left out`(columns: Int) {
    var sample = SampleRun(experts: 8)
    sample.extraEvents = [
      alarm(
        "log-z-drift",
        "log Z drifts by nine nats over the last hundred steps so that output logits run off",
        hint: "m: switch z-loss on")
    ]
    var state = UpdateTests.live(history: sample.history)
    _ = update(&state, .resized(Size(columns: columns, rows: 24)))
    _ = update(&state, .keyPressed(.character("m")))
    let row = view(state).lines.first { $0.contains(" z_loss ") } ?? ""
    #expect(row.contains("helps: log Z"))
  }
}

/// What enter does to words that are not whole.
@Suite(.timeLimit(.minutes(15))) struct UnfinishedCommandTests {
  private func press(_ state: inout DashboardState, _ keys: Key...) -> [Effect] {
    keys.flatMap { update(&state, .keyPressed($0)) }.filter {
      if case .rememberCommand = $0 { false } else { true }
    }
  }

  private func type(_ text: String, _ state: inout DashboardState) {
    for character in text { _ = press(&state, .character(character)) }
  }

  @Test(arguments: [
    "", "s", "set", "set ", "set q", "set qk_layernorm", "set qk_layernorm ", "set z_loss",
    "z_loss ",
    "qk_layernorm", "und", "rewind ", "rewind ste", "eva", "loss", "halve", "pan", "ski", "branch ",
    "theme li", "write fast", "99999",
  ])
  func `what is not whole is not run`(words: String) {
    for history in [SampleRun.rescue, SampleRun.mixture] {
      var state = UpdateTests.live(history: history)
      let before = state.arrangement
      type(":" + words, &state)
      #expect(press(&state, .enter).isEmpty)
      #expect(state.layers.count == 1 && state.arrangement == before)
      #expect(!state.requests.hasChanges)
      #expect(view(state).lines.joined().contains(words.isEmpty ? "nothing is typed" : words))
    }
  }

  @Test func `one meaning alone is completed, and run by a second enter`() {
    var state = UpdateTests.live()
    type(":checkp", &state)
    #expect(press(&state, .enter).isEmpty)
    #expect(press(&state, .enter) == [.send(.checkpoint, by: "you")])
  }

  @Test func `what is chosen by arrow or tab runs`() {
    var state = UpdateTests.live()
    type(":set qk", &state)
    #expect(press(&state, .down, .enter).count == 1)
    type(":set qk", &state)
    #expect(press(&state, .tab, .enter).count == 1)
    type(":set qk", &state)
    #expect(press(&state, .down, .up, .enter).isEmpty, "up from the first leaves the list")
  }

  @Test func `a command that is refused stays to be read`() {
    var state = UpdateTests.live()
    _ = update(&state, .recordsArrived([.state(.finished)]))
    for words in ["checkpoint", "step 3", "set z_loss 1e-4", "z_loss 1e-4"] {
      type(":" + words, &state)
      #expect(press(&state, .enter).isEmpty)
      #expect(view(state).lines.joined().contains("the run is over (finished)"))
      _ = press(&state, .escape)
      #expect(state.layers.isEmpty)
    }
  }
}

/// Words of the palette that take an argument.
@Suite(.timeLimit(.minutes(15))) struct WordCommandTests {
  private func run(_ words: String, _ state: inout DashboardState) -> [Effect] {
    for character in ":" + words { _ = update(&state, .keyPressed(.character(character))) }
    return update(&state, .keyPressed(.enter)).filter {
      if case .rememberCommand = $0 { false } else { true }
    }
  }

  @Test func `a theme is chosen by its name`() {
    var state = UpdateTests.live()
    #expect(run("theme light", &state) == [.changeTheme(name: "light")])
    #expect(state.appearance.theme.name == "light" && state.layers.isEmpty)
    #expect(run("theme nothere", &state).isEmpty)
    #expect(view(state).lines.joined().contains("no theme 'nothere': give one of dark, light"))
  }

  @Test(arguments: ["850", "go 850", " go 850 "])
  func `a number is the step to go to`(words: String) {
    var live = UpdateTests.live()
    #expect(run(words, &live).isEmpty)
    #expect(live.viewport.cursor == 850 && live.layers.isEmpty)
    var replay = UpdateTests.live()
    replay.source.kind = .replay
    replay.playback = Playback(step: 3, isPlaying: true)
    #expect(run(words, &replay).isEmpty)
    #expect(replay.playhead == 850 && replay.playback?.isPlaying == false)
  }

  @Test func `a step that is not recorded is said, and go alone asks for one`() {
    var state = UpdateTests.live()
    _ = run("1401", &state)
    #expect(
      view(state).lines.joined().contains("step 1,401 is not recorded: give one from 0 to 1,400"))
    _ = update(&state, .keyPressed(.escape))
    _ = run("go", &state)
    for key in [Key.character("7"), .character("x"), .enter] {
      _ = update(&state, .keyPressed(key))
    }
    #expect(view(state).lines[38].hasPrefix("'7x' is no step"))
    _ = update(&state, .keyPressed(.backspace))
    _ = update(&state, .keyPressed(.enter))
    #expect(state.viewport.cursor == 7 && state.layers.isEmpty)
  }

  @Test(arguments: ["set lr 2e-2", "lr 0.02"])
  func `a rate is set as a factor of the schedule's`(words: String) throws {
    var state = UpdateTests.live()
    let rate = try #require(state.scheduledRate)
    let effects = run(words, &state)
    guard case .send(.set(SettingCatalog.learningRateMultiplier, let factor), _)? = effects.first
    else {
      Issue.record("\(effects)")
      return
    }
    #expect(abs(factor.number * rate / 2e-2 - 1) < 1e-3)
    #expect(state.toast?.text.contains("→ 0.020") == true)
  }

  @Test(arguments: ["set lr", "set lr ", "set lr fast", "set lr 1e9", "lr -1"])
  func `a rate that is none is said`(words: String) {
    var state = UpdateTests.live()
    #expect(run(words, &state).isEmpty)
    #expect(state.layers.count == 1 && !state.requests.hasChanges)
    let far = run("", &state)
    #expect(far.isEmpty)
  }
}
