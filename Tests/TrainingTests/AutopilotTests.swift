import Foundation
import Telemetry
import Testing

@testable import Training

/// Commands that depend on a metric.
@Suite(.timeLimit(.minutes(15)))
struct AutopilotTests {
  private static func samples(_ step: Int, _ loss: Double) -> StepSamples {
    StepSamples(step: step, wallTime: 0, names: [MetricCatalog.loss], values: [loss])
  }

  /// The steps after which `rule` gives its commands, as the loss goes.
  private static func firings(_ rule: AutopilotRule, _ losses: [Double]) -> [Int] {
    var autopilot = Autopilot([rule])
    return losses.indices.filter { step in
      autopilot.observe(samples(step, losses[step]))
      return !autopilot.takeOrders().isEmpty
    }
  }

  @Test func `a rule fires when the bound is passed, and again once it was back within`() {
    let losses = [1.0, 3, 4, 2, 2, 5, 1, 9]
    let rule = AutopilotRule(
      metric: "loss", bound: .above(2.5), commands: [.checkpoint], limit: 2)
    #expect(Self.firings(rule, losses) == [1, 5])
    let below = AutopilotRule(metric: "loss", bound: .below(1.5), commands: [.pause], limit: 9)
    #expect(Self.firings(below, losses) == [0, 6])
  }

  @Test func `NaN is beyond any bound, infinity beyond one above`() {
    let rule = AutopilotRule(metric: "loss", bound: .above(100), commands: [.checkpoint], limit: 9)
    #expect(Self.firings(rule, [1, .nan, 1, .infinity]) == [1, 3])
  }

  @Test func `what comes before its step does not count, and the bound must be passed for long`() {
    let rule = AutopilotRule(
      metric: "loss", bound: .above(2.5), commands: [.checkpoint], limit: 9, after: 3, steps: 2)
    //            after ↓                  ↓ a break
    let losses = [9.0, 9, 9, 9, 9, 9, 9, 9, 1, 9, 9, 1, 9, 9, 9, 9]
    #expect(Self.firings(rule, losses) == [5, 14])
    let late = AutopilotRule(
      metric: "loss", bound: .above(2.5), commands: [.checkpoint], after: 100)
    #expect(Self.firings(late, losses).isEmpty)
  }

  @Test func `it fires once a stretch, also where the run went back meanwhile`() {
    var autopilot = Autopilot([
      AutopilotRule(metric: "loss", bound: .above(5), commands: [.checkpoint], limit: 9)
    ])
    func fires(_ step: Int, _ loss: Double) -> Bool {
      autopilot.observe(Self.samples(step, loss))
      return !autopilot.takeOrders().isEmpty
    }
    #expect(fires(1, 5.5))
    for _ in 0..<3 {
      autopilot.wentBack()
      #expect(!fires(0, 5.6) && !fires(1, 5.5))
    }
    #expect(!fires(2, 4) && fires(3, 6))
    // Where nothing else could save it, it does so again.
    autopilot.wentBack()
    #expect(fires(0, .nan))
  }

  @Test func `how long the bound has been passed is in its coded form`() throws {
    let rule = AutopilotRule(
      metric: "loss", bound: .above(2), commands: [.checkpoint], limit: 2, after: 5, steps: 10)
    var autopilot = Autopilot([rule])
    for step in 0..<12 { autopilot.observe(Self.samples(step, 3)) }
    var read = try JSONDecoder().decode(Autopilot.self, from: JSONEncoder().encode(autopilot))
    #expect(read == autopilot && read.rules == [rule])
    for step in 12..<16 {
      read.observe(Self.samples(step, 3))
      let order = read.takeOrders().first
      #expect((order != nil) == (step == 15))
      if let order {
        #expect(order.reason == "loss is 3.000, above 2 for 10 steps: checkpoint (1 of 2)")
      }
    }
    let early =
      #"{"watches":[{"rule":{"metric":"loss","above":2,"commands":["checkpoint"],"#
      + #""limit":2},"fired":1,"isBeyond":true}],"pending":[]}"#
    let old = try JSONDecoder().decode(Autopilot.self, from: Data(early.utf8))
    #expect(
      old.rules == [
        AutopilotRule(metric: "loss", bound: .above(2), commands: [.checkpoint], limit: 2)
      ])
  }

  @Test func `a run resumed amid a stretch steers itself as one that was never stopped`()
    async throws
  {
    let rule = AutopilotRule(
      metric: "loss", bound: .below(100), commands: [.set(name: "z_loss", value: .number(1e-4))],
      limit: 3, after: 6, steps: 8)
    let folder = try ScratchFolder()
    let whole = try await TrainedRun(autopilot: [rule], checkpointFolder: folder.url) {
      $0.steps = 24
      $0.checkpointEvery = 10
    }
    #expect(whole.events.filter { $0.kind == .set }.map(\.step) == [15])
    let rest = try await TrainedRun(
      resuming: CheckpointFolder.read(folder.url.appending(path: "step-000000010").path))
    #expect(rest.events.filter { $0.kind == .set }.map(\.step) == [15])
    #expect(rest.numbersByStep[20] == whole.numbersByStep[20])
  }

  @Test func `a metric that is not measured in a step changes nothing`() {
    var autopilot = Autopilot([
      AutopilotRule(metric: "loss/eval", bound: .above(0), commands: [.checkpoint])
    ])
    autopilot.observe(Self.samples(0, 5))
    #expect(autopilot.takeOrders().isEmpty)
  }

  @Test func `what was ordered and not given yet is in its coded form`() throws {
    var autopilot = Autopilot([
      AutopilotRule(
        metric: "loss", bound: .above(2), commands: [.set(name: "z_loss", value: .number(1e-4))],
        limit: 3)
    ])
    autopilot.observe(Self.samples(7, 3))
    var read = try JSONDecoder().decode(
      Autopilot.self, from: JSONEncoder().encode(autopilot))
    #expect(read == autopilot)
    let order = try #require(read.takeOrders().first)
    #expect(order.reason == "loss is 3.000, above 2: set z_loss 0.0001 (1 of 3)")
  }

  @Test func `a run steers itself as a script at the same steps would`() async throws {
    let rule = AutopilotRule(
      metric: "loss", bound: .below(4.5),
      commands: [
        .set(name: "z_loss", value: .number(1e-4)),
        .set(name: "lr.multiplier", value: .number(2)),
      ])
    let steered = try await TrainedRun(autopilot: [rule]) { $0.steps = 30 }
    let sets = steered.events.filter { $0.kind == .set }
    #expect(sets.map(\.by) == ["autopilot", "autopilot"])
    let step = try #require(sets.first?.step)
    #expect(steered.events.contains { $0.kind == .note && $0.by == "autopilot" && $0.step == step })
    let scripted = try await TrainedRun(script: [
      (step, "set z_loss 1e-4"), (step, "set lr.multiplier 2"),
    ]) { $0.steps = 30 }
    #expect(steered.numbersByStep == scripted.numbersByStep)
  }

  @Test func `a run that is not finite any more is taken back as often as the rule allows`()
    async throws
  {
    let folder = try ScratchFolder()
    let rule = AutopilotRule(
      metric: "loss", bound: .above(1e30),
      commands: [.rewind(checkpoint: "10", skip: 3)], limit: 2)
    let run = try await TrainedRun(
      script: [(0, "set lr.multiplier 0"), (12, "set lr.multiplier 1")], autopilot: [rule],
      checkpointFolder: folder.url
    ) {
      $0.steps = 40
      $0.learningRate = 1e12
      $0.gradClip = 0
      $0.checkpointEvery = 10
    }
    let rewinds = run.events.filter { $0.kind == .rewind }
    #expect(rewinds.map(\.by) == ["autopilot", "autopilot"])
    #expect(rewinds.map { $0.values["offset"] } == [3, 6])
    #expect(run.events.filter { $0.kind == .diverged }.count == 1)
  }
}
