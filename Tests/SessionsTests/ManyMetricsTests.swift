import Signals
import Telemetry
import Testing
import TestSupport

@testable import Formats
@testable import Sessions

/// Work that grows with the square of the number of metrics would take longer than these tests may.
@Suite(.timeLimit(.minutes(15)))
struct ManyMetricsTests {
  private static let names = (0..<12_345).map { MetricName("probe/\($0 % 97)/value \($0)") }

  private func run(_ names: [MetricName], scale: Double = 1) -> RecordedRun {
    var generation = RecordedRun.Generation(startingStep: 0)
    generation.wallTimes = MetricColumn(
      name: MetricColumn.wallTime, steps: [0, 1, 2], values: [0, 1, 2])
    generation.columns = names.enumerated().map { index, name in
      MetricColumn(
        name: name, steps: [0, 1, 2], values: [0, 1, 2].map { scale * ($0 + Double(index)) })
    }
    var run = RecordedRun()
    run.description = RunDescription(name: "many", created: 0)
    run.generations = [generation]
    run.state = .finished
    return run
  }

  @Test func `a run of many metrics is imported, read, compared and drawn`() throws {
    let folder = try TestFolder()
    defer { withExtendedLifetime(folder) {} }
    let path = folder.path("a.seismo")
    #expect(try SessionImport.add(run(Self.names), to: path) == 37_035)
    let history = try SessionReader(path: path).history()
    #expect(history.names == Self.names.sorted())
    let other = RunHistory(run(Self.names, scale: 2).records)
    let comparison = Comparison(
      runs: [history, other].map { Comparison.Run(name: "run", history: $0) })
    let metrics = comparison.metrics(matching: nil)
    #expect(metrics.count == 12_345)
    let lines = comparison.text(metrics: metrics)
    #expect(lines.count(where: { $0.hasPrefix("  probe/") }) == 12_345)
    #expect(comparison.json(metrics: metrics).count > 12_345 * 100)
    #expect(RunCharts(history).charts(Array(Self.names.prefix(500))).count == 500)
  }

  @Test func `what a record does not have is told once`() {
    var comparison = ComparisonWithRecord(run(["loss"]))
    let values = Self.names.map { _ in 1.0 }
    for step in 0..<3 {
      comparison.take(StepSamples(step: step, wallTime: 0, names: Self.names, values: values))
    }
    #expect(comparison.unrecorded == Self.names)
  }
}
