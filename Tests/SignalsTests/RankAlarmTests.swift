import Telemetry
import Testing

@testable import Signals

@Suite(.timeLimit(.minutes(15)))
struct RankAlarmTests {
  private func step(_ number: Int, work: [Double]) -> StepSamples {
    let longest = work.max() ?? 0
    return StepSamples(
      step: number, wallTime: 0,
      names: work.indices.flatMap {
        [MetricCatalog.rankSeconds($0), MetricCatalog.rankWaiting($0)]
      }, values: work.flatMap { [longest, longest - $0] })
  }

  @Test func `the rank that works while the others wait is named, until it is as fast as they`() {
    var alarms = RankAlarms()
    let events = (0..<300).flatMap { number in
      alarms.take(
        step(number, work: [1, 1.1, (50..<150).contains(number) ? 1.8 : 1, 1]), ranks: 4)
    }
    #expect(
      events.map(\.text) == [
        "rank 2 holds the others up: its steps take 1.8 times the median rank's work",
        "rank 2 is as fast as the others again",
      ])
    #expect(events.map(\.step) == [100, 200])
  }

  @Test func `no rank is named where another one is the slowest every few steps`() {
    var alarms = RankAlarms()
    let events = (0..<400).flatMap { number in
      alarms.take(
        step(number, work: (0..<4).map { number / 30 % 4 == $0 ? 2 : 1 }), ranks: 4)
    }
    #expect(events.isEmpty)
  }

  @Test func `of two ranks the slower one is named`() {
    var alarms = RankAlarms()
    let events = (0..<80).flatMap { alarms.take(step($0, work: [0.5, 1]), ranks: 2) }
    #expect(events.map(\.name) == ["slow-rank"])
    #expect(events.first?.text.hasPrefix("rank 1 ") == true)
  }
}
