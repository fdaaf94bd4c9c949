import Foundation
import Screen
import Signals
import Telemetry
import TestSupport
import Testing

@testable import Dashboard

@Suite(.timeLimit(.minutes(15))) struct RewardPaneTests {
  private static func history(divergence: Bool = true) -> RunHistory {
    var history = RunHistory()
    let model = RunDescription.Model(
      preset: nil, width: 64, layers: 2, heads: 2, context: 64, batch: 8, experts: 0,
      parameters: 40_000)
    history.append(
      .description(RunDescription(name: "r", created: 0, model: model, totalSteps: 200)))
    for step in 0..<200 {
      let rise = 1 - exp(-Double(step) / 60)
      let swing = sin(Double(step) * 1.7)
      var values: [(MetricName, Double)] = [
        (MetricCatalog.loss, 0.9 - 0.2 * rise),
        (MetricCatalog.reward, 0.4 + 0.4 * rise + 0.05 * swing),
        (MetricCatalog.rewardBaseline, 0.6 + 0.3 * rise), (MetricCatalog.rewardLength, 48),
        (MetricCatalog.advantageVariance, 0.02),
      ]
      if divergence { values.append((MetricCatalog.rewardDivergence, 0.08 * rise)) }
      history.append(
        .samples(
          StepSamples(
            step: step, wallTime: 0, names: values.map(\.0), values: values.map(\.1))))
    }
    return history
  }

  @Test func `it tells the reward, the greedy texts', the divergence and the length`() {
    let screen = PaneScreen(history: Self.history())
    let headline = screen.headline(RewardPane.pane)
    #expect(headline == "mean 0.744 · greedy 0.889 · KL 0.0771 · 48 bytes", "\(headline)")
    for (columns, rows) in [(36, 4), (56, 14), (112, 32)] {
      let grid = screen.grid(RewardPane.pane, columns: columns, rows: rows)
      expectScreen(grid, "panes", "reward-rises")
    }
    for size in [(1, 1), (0, 0), (3, 2), (20, 3)] {
      _ = screen.grid(RewardPane.pane, columns: size.0, rows: size.1)
    }
  }

  @Test func `a run that nothing holds near its start has no divergence`() {
    let screen = PaneScreen(history: Self.history(divergence: false))
    #expect(!screen.headline(RewardPane.pane).contains("KL"))
    let lines = screen.grid(RewardPane.pane, columns: 56, rows: 14).lines
    #expect(!lines.joined().contains("KL"))
  }

  @Test func `it stands beside the loss, also where there is little room`() {
    var state = DashboardState(
      source: RunSource(kind: .watch, name: "r"), size: Size(columns: 80, rows: 24))
    #expect(!state.rankedPanes.contains(.reward))
    state.history = Self.history()
    #expect(state.rankedPanes.prefix(2) == [.loss, .reward])
  }
}
