import Screen
import Signals
import Telemetry
import Testing

@testable import Dashboard

@Suite struct ProbeLadderTests {
  /// Probes every 10 steps whose best multiplier and cliff are as told.
  private func history(_ probes: [(best: Double, cliff: Double?)]) -> RunHistory {
    var history = RunHistory()
    for step in 0..<(probes.count * 10) {
      var names: [MetricName] = [MetricCatalog.learningRate]
      var values = [1e-2]
      if step % 10 == 0 {
        let (best, cliff) = probes[step / 10]
        for multiplier in MetricCatalog.probeMultipliers {
          names.append(MetricCatalog.probeLoss(multiplier: multiplier))
          let isBeyond = cliff.map { multiplier >= $0 } ?? false
          values.append(multiplier == best ? 1 : isBeyond ? 3 : multiplier == 0 ? 2 : 1.5)
        }
      }
      history.append(
        .samples(
          StepSamples(step: step, wallTime: Double(step), names: names, values: values)))
    }
    return history
  }

  private func context(_ history: RunHistory) -> PaneContext {
    PaneScreen(history: history).context(.learningRate)
  }

  @Test func `each column shows the latest best and the nearest cliff`() throws {
    let probes: [(Double, Double?)] = [(1, nil), (2, 16), (4, 8), (0, 0.125)]
    let context = context(history(probes))
    let ladder = try #require(ProbeLadder(context))
    let wide = ladder.columns(TimeScale(context, columns: 40), count: 40).compactMap(\.self)
    #expect(wide.count == 40)
    let runs = wide.reduce(into: [ProbeLadder.Column]()) { if $0.last != $1 { $0.append($1) } }
    #expect(runs == probes.map { ProbeLadder.Column(best: $0.0, cliff: $0.1) })
    // All probes in one column: the cliff that came nearest is not lost.
    let narrow = ladder.columns(TimeScale(context, columns: 1), count: 1)
    #expect(narrow == [ProbeLadder.Column(best: 0, cliff: 0.125)])
  }

  @Test func `the ladder comes with the second probe and at twenty rows`() {
    #expect(ProbeLadder(context(history([(1, nil)]))) == nil)
    let screen = PaneScreen(history: history([(1, nil), (4, 16), (4, 16)]))
    func text(_ rows: Int) -> String {
      screen.grid(LearningRatePane.pane, columns: 90, rows: rows).text()
    }
    #expect(!text(19).contains("best"))
    for rows in [20, 36] {
      #expect(text(rows).contains("best ×4 · cliff ×16  at step 20"))
      for label in ["×16", "×8", "×4", "×2", "×1", "×½", "×¼", "×⅛", "×0"] {
        #expect(text(rows).contains(label + " "), "\(label)")
      }
    }
  }

  @Test func `the cursor reads the probe that was in force`() {
    var screen = PaneScreen(history: history([(1, nil), (2, 16), (4, 8)]))
    screen.change = { $0.cursorStep = 17 }
    let text = screen.grid(LearningRatePane.pane, columns: 90, rows: 24).text()
    #expect(text.contains("best ×2 · cliff ×16  at step 10"))
  }

  @Test func `a cliff of less than a hundredth of a nat is none`() {
    func probe(_ rise: Double) -> LearningRateSensitivity {
      let losses = MetricCatalog.probeMultipliers.map { $0 == 1 ? 2 : $0 > 4 ? 2 + rise : 2.001 }
      return LearningRateSensitivity(
        multipliers: MetricCatalog.probeMultipliers, losses: losses, initialLoss: 5)
    }
    #expect(probe(0.005).cliff == 8 && probe(0.005).steepCliff == nil)
    #expect(probe(0.5).steepCliff == 8)
    #expect(probe(.nan).steepCliff == 8)
  }
}
