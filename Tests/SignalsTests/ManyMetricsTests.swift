import Telemetry
import Testing

@testable import Signals

/// Work that grows with the square of the number of metrics would take longer than these tests may.
@Suite(.timeLimit(.minutes(15)))
struct ManyMetricsTests {
  private static let count = 20_000

  /// Names of families and others, in no order.
  private static let names: [MetricName] = (0..<count).map { index in
    let number = index * 7919 % count
    return MetricName(
      number % 4 == 0 ? "grad_rms/L\(number)" : "probe/\(number % 97)/value \(number)")
  }

  private func expectAll(in history: RunHistory, last: Int) {
    #expect(history.names == Self.names.sorted())
    let tensors = Self.names.filter { MetricCatalog.family(of: $0) != nil }.sorted()
    #expect(tensors.count == Self.count / 4 && history.names(ofFamily: "grad_rms") == tensors)
    #expect(history.lastStep == last)
  }

  @Test func `columns of many metrics add up`() {
    let columns = Self.names.map { name in
      RunRecord.column(MetricColumn(name: name, steps: [0, 1, 2], values: [1, 2, 3]))
    }
    let times = MetricColumn(name: MetricColumn.wallTime, steps: [0, 1, 2], values: [0, 1, 2])
    let history = RunHistory([.column(times)] + columns)
    expectAll(in: history, last: 2)
    #expect(Self.names.allSatisfy { history[$0]?.values == [1, 2, 3] })
  }

  @Test func `many metrics that begin one by one add up`() {
    var history = RunHistory()
    for (step, name) in Self.names.enumerated() {
      history.append(.samples(StepSamples(step: step, wallTime: 0, names: [name], values: [1])))
    }
    expectAll(in: history, last: Self.count - 1)
  }

  @Test func `many metrics that go back, each by itself, leave the last step that one still has`() {
    let values = Self.names.map { _ in 1.0 }
    var history = RunHistory()
    for step in 0..<3 {
      let all = StepSamples(step: step, wallTime: 0, names: Self.names, values: values)
      history.append(.samples(all))
    }
    for (index, name) in Self.names.enumerated() {
      #expect(history.lastStep == 2)
      let back = StepSamples(step: index == 0 ? 0 : 1, wallTime: 0, names: [name], values: [5])
      history.append(.samples(back))
    }
    expectAll(in: history, last: 1)
    #expect(history[Self.names[0]]?.values == [5] && history[Self.names[1]]?.values == [1, 5])
    #expect(history.superseded.count == Self.count)
  }

  @Test func `a column that goes back twice ends where its last stretch does`() {
    let steps = Array(0..<10) + Array(5..<8) + Array(6..<7)
    let history = RunHistory([
      .column(MetricColumn(name: "lr", steps: [0, 3], values: [1, 1])),
      .column(MetricColumn(name: "loss", steps: steps, values: steps.map(Double.init))),
    ])
    #expect(history.lastStep == 6 && history["loss"]?.steps == Array(0..<7))
    #expect(history.superseded["loss"]?.map(\.steps) == [[5, 6, 7, 8, 9], [6, 7]])
  }

  @Test func `what a metric or the run goes back over is no longer the last step`() {
    var history = RunHistory([
      .samples(StepSamples(step: 7, wallTime: 0, names: ["loss"], values: [1]))
    ])
    history.append(.samples(StepSamples(step: 9, wallTime: 1, names: ["lr"], values: [1])))
    history.append(.samples(StepSamples(step: 3, wallTime: 2, names: ["lr"], values: [1])))
    #expect(history.lastStep == 7)
    history.append(.generation(startingAt: 5))
    #expect(history.lastStep == 3)
  }
}
