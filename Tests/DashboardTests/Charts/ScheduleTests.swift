import Signals
import Telemetry
import Testing

@testable import Dashboard

@Suite(.timeLimit(.minutes(15))) struct ScheduleTests {
  private func history(_ options: [String: String], _ events: [RunEvent] = []) -> RunHistory {
    var history = RunHistory()
    history.append(
      .description(
        RunDescription(
          name: "run", created: 0, totalSteps: 1_000, warmup: 100, peakLearningRate: 1,
          minimumLearningRate: 0.2, options: options)))
    for event in events { history.append(.event(event)) }
    return history
  }

  private func schedule(_ options: [String: String]) -> Schedule? {
    Schedule(history(options), at: 0)
  }

  private func set(_ name: String, _ steps: Double, at step: Int) -> RunEvent {
    RunEvent(
      step: step, wallTime: 0, kind: .set, by: "you", name: name, before: .number(0),
      after: .number(steps), text: "set")
  }

  @Test(arguments: ["\(Int.min)", "-5", "\(Int.max)"])
  func `a decay of any number of steps is one of the run's`(steps: String) throws {
    let found = try #require(schedule(["schedule": "wsd", "decay-steps": steps]))
    #expect(found.decaySteps == (steps == "\(Int.max)" ? 1_000 : 0))
    #expect((0.2...1).contains(found.rate(at: 999)))
  }

  @Test func `a decay that was asked for goes straight from there to where the schedule ends`()
    throws
  {
    let events = [set("lr.decay_now", 100, at: 300), set("lr.decay_now", 0, at: 350)]
    let linear = history(["schedule": "linear"], events)
    let rate = { (step: Int, playhead: Int) -> Double in
      try #require(Schedule(linear, at: playhead)).rate(at: step)
    }
    let before = 1 - 0.8 * 199.0 / 900
    #expect(abs(try rate(349, 320) - (before + 0.2) / 2) < 1e-9)
    #expect(try rate(399, 320) == 0.2 && rate(900, 320) == 0.2)
    // Neither before it was asked for nor after it was taken back.
    #expect(abs(try rate(550, 299) - 0.6) < 1e-9)
    #expect(abs(try rate(550, 350) - 0.6) < 1e-9)
  }

  @Test func `a warm-up that was asked for scales what is there, until the run goes back`() throws {
    var constant = history(["schedule": "constant"], [set("lr.warmup_again", 10, at: 300)])
    let rate = { (step: Int) -> Double in
      try #require(Schedule(constant, at: 305)).rate(at: step)
    }
    #expect(abs(try rate(305) - 0.6) < 1e-9)
    #expect(try rate(309) == 1 && rate(600) == 1)
    constant.append(.generation(startingAt: 290))
    #expect(try #require(Schedule(constant, at: 305)).rate(at: 305) == 1)
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
