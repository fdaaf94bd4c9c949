import Signals
import Telemetry
import Testing

@testable import Formats

/// What of a run is gone through for its alarms is enough for all of them.
@Suite(.timeLimit(.minutes(15))) struct WatchedColumnsTests {
  private static func column(
    _ name: MetricName, _ steps: [Int], _ value: (Int) -> Double
  ) -> MetricColumn {
    MetricColumn(name: name, steps: steps, values: steps.map(value))
  }

  private static func generation(_ steps: Range<Int>) -> RecordedRun.Generation {
    var generation = RecordedRun.Generation(startingStep: steps.lowerBound)
    let all = Array(steps)
    let some = all.filter { $0 % 3 == 1 }
    generation.wallTimes = column("wall_time", all) { Double($0) * 2 }
    generation.columns = [
      column("quiet/a", all) { Double($0 % 7) },
      column("loss", all) { $0 == 150 ? 90 : 3 - Double($0) / 200 + Double($0 % 3) / 100 },
      column("quiet/b", some) { Double($0) },
      column("odd", some) { (61...70).contains($0) ? .nan : 1 },
      column("grad_norm", all.filter { $0 % 2 == 0 }) {
        $0 == 180 ? 5_000 : 1 + Double($0 % 5) / 10
      },
      column("system/gpu.0.util", some) { $0 < 90 ? 95 : 2 },
      column("far", all.map { $0 < steps.lowerBound + 20 ? $0 : $0 + 40 }) { Double($0) },
      column("val/x", some) { $0 > 200 ? 9 : 1 },
    ]
    return generation
  }

  @Test func `metrics that can raise no alarm change none`() throws {
    var run = RecordedRun()
    run.generations = [Self.generation(0..<220), Self.generation(200..<400)]
    // One that goes back by itself.
    run.generations[1].columns.append(
      Self.column("loss/eval", [210, 230, 250, 220, 240, 260, 280, 300]) { Double($0) / 100 })
    var thresholds = AlarmThresholds()
    thresholds.rules = [try #require(MetricRule(words: "val/* above 3 for 2"))]
    var alarms = ForeignAlarms(thresholds: thresholds)
    let expected = run.generations.map { generation in
      generation.samples.flatMap { alarms.take(.samples($0)) }
    }
    #expect(Set(expected.joined().compactMap(\.name)).count >= 3)
    run.addAlarms(thresholds: thresholds)
    for (generation, events) in zip(run.generations, expected) {
      let raised = generation.happenings.compactMap { record in
        if case .event(let event) = record { event } else { nil }
      }
      #expect(raised == events)
    }
  }
}
