import Screen
import Signals
import Telemetry
import TestSupport
import Testing

@testable import Dashboard

@Suite(.timeLimit(.minutes(15))) struct StateSpacesPaneTests {
  /// Of some layers; the gate of one group is shut.
  private static func history(hasAttention: Bool, layers: Range<Int> = 0..<2) -> RunHistory {
    var history = RunHistory()
    let model = RunDescription.Model(
      preset: nil, width: 64, layers: layers.upperBound, heads: 2, context: 64, batch: 8,
      experts: 0, parameters: 40_000)
    history.append(
      .description(RunDescription(name: "s", created: 0, model: model, totalSteps: 40)))
    for step in 0..<40 {
      var found: [(MetricName, Double)] = [(MetricCatalog.loss, 3 - 0.02 * Double(step))]
      if hasAttention { found.append((MetricCatalog.attentionLogitMax, 5)) }
      for layer in layers {
        func add(_ name: String, _ value: Double, _ part: Int? = nil) {
          found.append((MetricCatalog.layerSignal(name, layer: layer, part: part), value))
        }
        add("ssm_state_max", 1 + 0.1 * Double(step * (layer + 1)))
        add("ssm_delta_min", 0.001)
        add("ssm_delta_max", 0.25 + Double(layer))
        for group in 0..<4 {
          add("ssm_decay", 0.2 * Double(group + 1), group)
          add("ssm_modulation", group == 3 ? 0.001 : 0.5, group)
        }
      }
      history.append(
        .samples(
          StepSamples(
            step: step, wallTime: 0, names: found.map(\.0), values: found.map(\.1))))
    }
    return history
  }

  @Test func `it tells the largest state, the range of steps and what each group keeps`() {
    let screen = PaneScreen(history: Self.history(hasAttention: false))
    #expect(screen.headline(StateSpacesPane.pane) == "state 8.8 in L1 · Δ 0.0010 to 1.2")
    let grid = screen.grid(StateSpacesPane.pane, columns: 56, rows: 14)
    let text = grid.lines.joined(separator: "\n")
    for words in ["L0 G0 keeps", "L1 G3 keeps", "20%", "80%"] { #expect(text.contains(words)) }
    expectScreen(grid, "panes", "states-two-layers")
    for size in [(1, 1), (0, 0), (3, 2), (20, 3)] {
      _ = screen.grid(StateSpacesPane.pane, columns: size.0, rows: size.1)
    }
  }

  @Test func `it is there where only the last of many layers have state spaces`() {
    let history = Self.history(hasAttention: true, layers: 5..<7)
    let headline = PaneScreen(history: history).headline(StateSpacesPane.pane)
    #expect(headline.hasPrefix("state 28 in L6"), "\(headline)")
    var state = DashboardState(
      source: RunSource(kind: .watch, name: "s"), size: Size(columns: 160, rows: 50))
    state.history = history
    #expect(state.rankedPanes.contains(.stateSpaces))
  }

  @Test(arguments: [true, false])
  func `it stands in the overview, in the place of attention where there is none`(
    hasAttention: Bool
  ) {
    var state = DashboardState(
      source: RunSource(kind: .watch, name: "s"), size: Size(columns: 160, rows: 50))
    state.history = Self.history(hasAttention: hasAttention)
    #expect(state.rankedPanes.contains(.stateSpaces))
    #expect(state.rankedPanes.contains(.attentionLogits) == hasAttention)
    #expect(!state.rankedPanes.contains(.wall))
  }
}
