import Screen
import Signals
import Telemetry
import Testing

@testable import Dashboard

/// A cliff at or below the present rate: the red and the guide of ×1 are both to be seen.
@Suite(.timeLimit(.minutes(15))) struct ProbeGuideTests {
  /// Probes whose loss jumps at ×½, so that ×1 is red.
  private static let history: RunHistory = {
    var history = RunHistory()
    for step in 0..<60 {
      var names: [MetricName] = [MetricCatalog.learningRate]
      var values = [1e-2]
      for multiplier in MetricCatalog.probeMultipliers where step % 10 == 0 {
        names.append(MetricCatalog.probeLoss(multiplier: multiplier))
        values.append(multiplier == 0.25 ? 1 : multiplier >= 0.5 ? 9 : 1.5)
      }
      history.append(
        .samples(StepSamples(step: step, wallTime: Double(step), names: names, values: values)))
    }
    return history
  }()

  private func grid(_ rows: Int, _ appearance: Appearance = Appearance()) -> CellGrid {
    var screen = PaneScreen(history: Self.history)
    screen.change = { ($0.theme, $0.symbols) = (appearance.theme, appearance.symbols) }
    return screen.grid(LearningRatePane.pane, columns: 90, rows: rows)
  }

  private func cells(_ grid: CellGrid) -> [Cell] { grid.rows.flatMap { Array($0) } }

  @Test func `in the bars it goes up through the red`() {
    let symbols = Symbols.unicode
    let guides = cells(grid(12)).filter {
      $0.scalar == symbols.verticalDashed.value && $0.style.role == Role.trouble.rawValue
    }
    #expect(guides.count == 10, "as many as the bar has rows")
    let red = Theme.dark.style(.trouble).foreground
    #expect(guides.allSatisfy { $0.style.background == red && $0.style.foreground != red })
  }

  @Test func `on the rungs it goes along through the red`() {
    let guides = cells(grid(24)).filter {
      $0.scalar == Symbols.unicode.horizontalDashed.value
        && $0.style.role == Role.trouble.rawValue
    }
    #expect(guides.count > 20)
    #expect(guides.allSatisfy { $0.style.background != $0.style.foreground })
  }

  @Test func `without colours the two take turns`() {
    let lines = grid(24, Appearance(depth: .none, symbols: .ascii)).lines
    #expect(lines.contains { $0.contains("-#-#-#-#") })
    #expect(lines.contains { $0.contains("#:#") })
  }
}
