import Sessions
import Signals
import Telemetry
import Testing

@testable import seismo

@Suite(.timeLimit(.minutes(15)))
struct ComparisonPlotTests {
  private func run(_ name: String, _ value: (Double) -> Double) -> Comparison.Run {
    var history = RunHistory()
    for step in 0..<200 {
      history.append(
        .samples(
          StepSamples(step: step, wallTime: 0, names: ["loss"], values: [value(Double(step))])))
    }
    return Comparison.Run(name: name, history: history)
  }

  @Test func `two runs on one axis, a letter at the end of each`() {
    let comparison = Comparison(runs: [
      run("falls") { 4 - $0 / 100 }, run("stays") { _ in 4 }, run("stays too") { _ in 4 },
    ])
    let lines = ComparisonPlot(
      chart: ComparisonCharts(comparison, columns: ComparisonPlot.columns).chart("loss")
    ).lines
    #expect(lines.first == "loss, nats/token")
    #expect(lines.suffix(3) == ["  a falls", "  b stays", "  c stays too"])
    #expect(lines.contains { $0.hasSuffix("bc") && $0.hasPrefix("     4.0 ┤") })
    #expect(lines[lines.count - 4].hasPrefix("         └ step 0 ─"))
    #expect(lines[lines.count - 4].hasSuffix("─ 199"))
    #expect(lines.allSatisfy { $0.count <= 78 })
  }

  @Test func `a run without numbers draws an empty plot`() {
    let comparison = Comparison(runs: [run("a") { _ in .nan }, run("b") { _ in .infinity }])
    let lines = ComparisonPlot(chart: ComparisonCharts(comparison).chart("loss")).lines
    #expect(lines.count == 18)
  }
}
