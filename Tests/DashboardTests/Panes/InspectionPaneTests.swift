import Screen
import Signals
import Telemetry
import Testing

@testable import Dashboard

@Suite(.timeLimit(.minutes(15))) struct InspectionPaneTests {
  private static let end = SampleRun.rescue.lastStep ?? 0

  private static let history: RunHistory = {
    var history = SampleRun.rescue
    for (step, grown) in [(end + 100, 1.0), (end + 400, 4.0)] {
      let found: [(MetricName, Double)] = [
        (MetricCatalog.roundingRise("int8"), 0.0004 * grown),
        (MetricCatalog.roundingRise("e4m3"), 0.002), (MetricCatalog.roundingRise("int4"), 0.06),
        (MetricCatalog.roundingRise("nf4"), 0.03),
        (MetricCatalog.roundingDecibels(tensor: "model.layers.0.self_attn.dense.weight"), 36.5),
        (
          MetricCatalog.roundingDecibels(tensor: "model.layers.1.mlp.dense_h_to_4h.weight"),
          40 - 6 * grown
        ),
        (MetricCatalog.stableRank(tensor: "lm_head.weight"), 2.25),
        (MetricCatalog.featureMax(layer: 0), 3), (MetricCatalog.featureMax(layer: 1), 14.2),
        (MetricCatalog.outlierFeatures(layer: 1), 2), (MetricCatalog.neuralCollapse("nc1"), 1.5),
        (MetricCatalog.neuralCollapse("nc4"), 0.75),
      ]
      history.append(
        .samples(
          StepSamples(
            step: step, wallTime: 0, names: found.map(\.0), values: found.map(\.1))))
    }
    return history
  }()

  private func text(_ screen: PaneScreen, columns: Int = 44, rows: Int = 12) -> String {
    screen.grid(InspectionPane.pane, columns: columns, rows: rows).lines.joined(separator: "\n")
  }

  @Test func `the tensors that int8 bears worst stand first, then what else was found`() {
    let screen = PaneScreen(history: Self.history)
    #expect(screen.headline(InspectionPane.pane) == "int8 +0.0016 · nf4 +0.030 nats")
    let rows = screen.grid(InspectionPane.pane, columns: 44, rows: 12).lines.map { "\($0)" }
    let table = rows.suffix(5)
    #expect(
      zip(table, ["L1.up", "L0.out", "head", "L1", "nc1 1.5, nc4 75%"]).allSatisfy {
        $0.contains($1)
      }, "\(table)")
    #expect(table.first?.contains("16.0 dB") == true)
    #expect(text(screen).contains("max 14, 2 outliers"))
  }

  @Test func `at an earlier step it is what was found there, and before the first nothing`() {
    var screen = PaneScreen(history: Self.history)
    screen.change = { $0.cursorStep = Self.end + 120 }
    #expect(text(screen).contains("34.0 dB") && !text(screen).contains("16.0 dB"))
    screen.playhead = Self.end + 50
    screen.change = { _ in }
    #expect(text(screen).contains("not looked into yet"))
    #expect(text(.empty).contains("not looked into yet"))
  }

  @Test func `the pane is there where the run is looked into, and nowhere else`() {
    #expect(!Arrangement().ranked(isMixture: false).contains(.inspection))
    let told = Arrangement().ranked(isMixture: false, told: [.inspection])
    #expect(told.contains(.inspection) && !told.contains(.samples))
    for size in [(1, 1), (0, 0), (3, 2), (20, 3)] {
      _ = PaneScreen(history: Self.history)
        .grid(InspectionPane.pane, columns: size.0, rows: size.1)
    }
  }
}
