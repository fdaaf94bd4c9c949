import Telemetry
import Testing

@testable import Dashboard

@Suite(.timeLimit(.minutes(15))) struct ScheduleTests {
  private func schedule(_ options: [String: String]) -> Schedule? {
    Schedule(
      RunDescription(
        name: "run", created: 0, totalSteps: 1_000, warmup: 100, peakLearningRate: 1,
        minimumLearningRate: 0.2, options: options))
  }

  @Test(arguments: [
    ([:], 550, 0.6), ([:], 1_000, 0.2), (["schedule": "linear"], 325, 0.8),
    (["schedule": "constant"], 999, 1), (["schedule": "wsd"], 799, 1),
    (["schedule": "wsd"], 900, 0.6), (["schedule": "wsd", "decay-steps": "100"], 900, 1),
    (["schedule": "wsd", "decay-steps": "100"], 950, 0.6), (["schedule": "wsd"], 49, 0.5),
  ])
  func `the rate to come has the shape that the run was started with`(
    options: [String: String], step: Int, rate: Double
  ) throws {
    let found = try #require(schedule(options)).rate(at: step)
    #expect(abs(found - rate) < 1e-9)
  }

  @Test func `of a shape that is not known none is drawn`() {
    #expect(schedule(["schedule": "staircase"]) == nil)
  }
}
