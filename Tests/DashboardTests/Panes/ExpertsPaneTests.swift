import Screen
import Signals
import Telemetry
import Testing

@testable import Dashboard

/// Dead and overloaded experts are what the alarms call so.
@Suite(.timeLimit(.minutes(15))) struct ExpertsPaneTests {
  private func run(_ steps: Int, _ loads: (Int) -> [Double]) -> PaneScreen {
    var history = RunHistory()
    for step in 0..<steps {
      let values = loads(step)
      let names = values.indices.map { MetricCatalog.expertLoad(layer: 0, expert: $0) }
      history.append(
        .samples(StepSamples(step: step, wallTime: 0, names: names, values: values)))
    }
    return PaneScreen(history: history)
  }

  private static let even = [Double](repeating: 0.125, count: 8)
  private static let starved: [Double] = [0.001] + [Double](repeating: 0.999 / 7, count: 7)

  @Test func `an expert that gets nothing for a few steps is not called dead`() {
    let screen = run(400) { $0 < 370 ? Self.even : Self.starved }
    #expect(!screen.headline(ExpertsPane.pane).contains("dead"))
    #expect(screen.grid(ExpertsPane.pane, columns: 100, rows: 20).text().contains("none dead"))
  }

  @Test func `an expert below an eighth of an even share over 100 steps is dead`() {
    let screen = run(400) { $0 < 250 ? Self.even : Self.starved }
    #expect(screen.headline(ExpertsPane.pane).hasPrefix("L0 E0 dead"))
    #expect(screen.grid(ExpertsPane.pane, columns: 100, rows: 20).text().contains("dead L0 E0"))
  }

  @Test func `nobody is called dead before so many steps are known`() {
    #expect(!run(60) { _ in Self.starved }.headline(ExpertsPane.pane).contains("dead"))
  }

  @Test func `an expert with two and a half even shares is named, as the alarm does`() {
    let busy: [Double] = [0.33] + [Double](repeating: 0.67 / 7, count: 7)
    #expect(run(300) { _ in busy }.headline(ExpertsPane.pane).hasPrefix("L0 E0 takes 33%"))
    #expect(AlarmRule.overloadedExpert.threshold.usual == ExpertBalance.overloadedAbove)
    #expect(AlarmRule.deadExpert.threshold.usual == ExpertBalance.deadBelow)
  }

  @Test(arguments: [
    ([0.12, 0.13, 0.12, 0.13, 0.12, 0.13, 0.12, 0.13], "cv 0.040 · balanced · L0 12–13%"),
    ([0.05, 0.20, 0.05, 0.15, 0.10, 0.15, 0.10, 0.20], "cv 0.45 · uneven · L0 5–20%"),
    ([0.02, 0.28, 0.02, 0.28, 0.02, 0.28, 0.02, 0.08], "cv 0.97 · very uneven · L0 2–28%"),
  ])
  func `a spread is called what it is`(loads: [Double], words: String) {
    #expect(run(300) { _ in loads }.headline(ExpertsPane.pane) == words)
  }

  @Test func `a whole screen has the layers' names at their lines' ends`() {
    var screen = PaneScreen(history: SampleRun.mixture)
    screen.change = { $0.isZoomed = true }
    for pane in [ExpertsPane.pane, ActivationsPane.pane] {
      let grid = screen.grid(pane, columns: 112, rows: 34)
      let ends = grid.lines.map { String($0.suffix(2)) }.filter { $0.hasPrefix("L") }
      #expect(Set(ends) == ["L0", "L1", "L2", "L3"], "\(pane.id)")
    }
  }

  @Test func `words at the ends of lines are never in the dark twin of a hue`() {
    var screen = PaneScreen(history: SampleRun.mixture)
    screen.change = { $0.isZoomed = true }
    for pane in [ExpertsPane.pane, ActivationsPane.pane, OutputsPane.pane] {
      let grid = screen.grid(pane, columns: 112, rows: 34)
      for column in 0..<112 {
        for row in 0..<34 where (0x61...0x7A).contains(grid[column, row].scalar) {
          let role = Role(rawValue: grid[column, row].style.role)
          #expect(role?.isRaw == false, "\(pane.id) \(column) \(row)")
        }
      }
    }
  }

  @Test func `the numbers of a column end below each other`() {
    let lines = run(300) { _ in [0.04, 0.96] }
      .grid(ExpertsPane.pane, columns: 60, rows: 12).lines
    #expect(lines.contains { $0.contains(" 4") && $0.contains("96") }, "\(lines)")
    #expect(lines[0].contains("cv 0.92"))
  }
}
