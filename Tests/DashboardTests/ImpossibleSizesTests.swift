import Screen
import Signals
import Telemetry
import Testing

@testable import Dashboard

/// A log, a wire or a session may say any number: what is drawn follows from the metrics that there are.
@Suite(.timeLimit(.minutes(15))) struct ImpossibleSizesTests {
  /// Layers far beyond those that the description tells of have metrics.
  private static func history(_ size: Int, totalSteps: Int = 40) -> RunHistory {
    let model = RunDescription.Model(
      preset: nil, width: size, layers: size, heads: size, context: size, batch: size,
      experts: size, parameters: size)
    var history = RunHistory()
    history.append(
      .description(
        RunDescription(
          name: "s", created: 0, model: model, totalSteps: totalSteps, warmup: -9,
          peakLearningRate: 1, options: ["schedule": "wsd", "decay-steps": "\(Int.min)"])))
    let values: [MetricName: Double] = [
      MetricCatalog.loss: 3, MetricCatalog.learningRate: 1,
      MetricCatalog.activationRMS(layer: 300): 2, MetricCatalog.attentionLogitMax: 5,
      MetricCatalog.attentionLogitMax(layer: 70_000): 5, MetricCatalog.stateSize(layer: 500): 4,
      MetricCatalog.keptState(layer: 500, group: 9): 0.5,
      MetricCatalog.expertLoad(layer: 900, expert: 0): 0.9,
      MetricCatalog.expertLoad(layer: 900, expert: 5000): 0.1,
      MetricCatalog.expertLoadCV(layer: 900): 0.8,
    ]
    let names = values.keys.sorted()
    for step in 0..<40 {
      history.append(
        .samples(
          StepSamples(step: step, wallTime: 0, names: names, values: names.map { values[$0] ?? 0 }))
      )
    }
    return history
  }

  @Test(arguments: [1, 2_000_000_000, .max, -1])
  func `every pane is drawn`(size: Int) {
    let screen = PaneScreen(history: Self.history(size, totalSteps: size))
    for pane in PaneCatalog.panes {
      _ = screen.grid(pane, columns: 100, rows: 30)
      _ = screen.headline(pane)
    }
    var state = DashboardState(
      source: RunSource(kind: .watch, name: "s"), size: Size(columns: 160, rows: 50))
    state.history = Self.history(size, totalSteps: size)
    _ = view(state)
    #expect(state.rankedPanes.contains(.stateSpaces))
  }

  @Test func `layers and experts are those that have metrics`() {
    let screen = PaneScreen(history: Self.history(1))
    #expect(screen.headline(ActivationsPane.pane).contains("in L300"))
    #expect(screen.headline(StateSpacesPane.pane).hasSuffix("in L500"))
    #expect(screen.headline(ExpertsPane.pane).hasSuffix("L900 10–90%"))
    let states = screen.grid(StateSpacesPane.pane, columns: 60, rows: 12).lines
    #expect(states.contains { $0.contains("L500 G9 keeps") })
  }

  @Test func `another trainer's state spaces are a pane's own in whichever layer they are`() {
    var state = DashboardState(
      source: RunSource(kind: .watch, name: "s"), size: Size(columns: 160, rows: 50))
    state.history.append(.description(RunDescription(name: "s", created: 0)))
    for step in 0..<9 {
      state.history.append(
        .samples(
          StepSamples(
            step: step, wallTime: 0,
            names: [MetricCatalog.loss, MetricCatalog.stateSize(layer: 7)],
            values: [3, 1])))
    }
    #expect(!state.silentPanes.contains(.stateSpaces))
    #expect(state.silentPanes.contains(.activations))
    #expect(state.leadingMetric(of: .stateSpaces) == MetricCatalog.stateSize(layer: 7))
    let drawn = state.metricsOfOtherPanes(silent: state.silentPanes)
    #expect(drawn.contains(MetricCatalog.stateSize(layer: 7)))
  }
}
