import Screen
import Signals
import Telemetry
import Testing

@testable import Dashboard

@Suite(.timeLimit(.minutes(15))) struct RunPaneTests {
  private static let defaults = [
    "preset": "moe-tiny", "lr": "0.01", "steps": "2500", "warmup": "100", "seed": "0",
    "grad-clip": "1.0", "weight-decay": "0.0001", "z-loss": "0.0", "qk-layernorm": "off",
    "adam-beta2": "0.95", "adam-eps": "1e-08", "lr-multiplier": "1.0",
  ]

  private func facts(
    options: [String: String] = [:], upTo playhead: Int = 1_400
  ) -> [String: [RunFacts.Fact]] {
    var history = SampleRun.mixture
    if var description = history.description {
      description.options.merge(options) { _, new in new }
      description.options["preset"] = "moe-tiny"
      history.append(.description(description))
    }
    var context = PaneScreen(history: history, playhead: playhead).context(.run)
    context.defaults = Self.defaults
    return Dictionary(
      uniqueKeysWithValues: RunFacts(context).groups.map { ($0.title, $0.facts) })
  }

  @Test func `what was changed is on top, from what to what and when, and nowhere else`() {
    let groups = facts()
    #expect(
      groups["changed"] == [
        RunFacts.Fact(
          name: "qk_layernorm", value: "off → on at step 1,000", standing: .changed)
      ])
    #expect(groups["mitigations"]?.contains { $0.name == "qk_layernorm" } == false)
    #expect(facts(upTo: 900)["changed"] == nil)
    #expect(facts(upTo: 900)["mitigations"]?.first?.name == "qk_layernorm")
  }

  @Test func `each name stands once`() {
    let all = facts(options: ["grad-clip": "1.0", "z-loss": "0.0", "qk-layernorm": "off"])
      .values.flatMap { $0 }
    let names = all.map { $0.name.replacing("_", with: "-") }
    #expect(Set(names).count == names.count)
    #expect(!names.contains("grad-clip") || names.count { $0 == "grad-clip" } == 1)
  }

  @Test func `what the preset has is faint, what the run has of its own is not`() {
    let optimiser = facts()["optimiser"] ?? []
    func standing(_ name: String) -> RunFacts.Standing? {
      optimiser.first { $0.name == name }?.standing
    }
    #expect(standing("lr") == .own && standing("steps") == .own)
    #expect(standing("warmup") == .usual && standing("grad_clip") == .usual)
    #expect(standing("adam_beta2") == .own)
  }

  @Test func `nothing is cut where there is room, a long value takes two lines`() {
    let source = "built-in language, seed 1, 2000001 bytes of which the last part is held out"
    var history = SampleRun.mixture
    if var description = history.description {
      description.options["data"] = source
      history.append(.description(description))
    }
    for columns in [40, 76, 116, 196] {
      let grid = PaneScreen(history: history).grid(RunPane.pane, columns: columns, rows: 60)
      let text = grid.text()
      #expect(!text.contains("…"), "\(columns)")
      for word in source.split(separator: " ") { #expect(text.contains(word), "\(columns)") }
    }
  }

  @Test func `the last line can be scrolled to and no further`() {
    var state = UpdateTests.live(80, 24, history: SampleRun.mixture)
    (state.arrangement.zoomed, state.arrangement.focus) = (.run, .run)
    for _ in 0..<200 { _ = update(&state, .keyPressed(.down)) }
    let scroll = state.viewport.scroll[.run] ?? 0
    let text = view(state).text()
    #expect(text.contains("processor"))
    _ = update(&state, .keyPressed(.up))
    #expect(state.viewport.scroll[.run] == scroll - 1 && view(state).text() != text)
  }
}
