import Foundation
import Telemetry
import Testing

@testable import Signals

/// Alarms of machines, of gradient norms of other programs, and of rules of a person's own.
@Suite(.timeLimit(.minutes(15))) struct MachineAlarmTests {
  private func said(_ time: Int, _ values: [MetricName: Double], step: Int = 3) -> StepSamples {
    let names = values.keys.sorted()
    return StepSamples(
      step: step, wallTime: 1.7e9 + Double(time), names: names,
      values: names.map { values[$0] ?? .nan })
  }

  private func words(_ events: [RunEvent]) -> [String] {
    events.map { "\($0.kind) \($0.name ?? "")" }
  }

  @Test func `an accelerator that was at work and is idle for a minute is told, another is not`() {
    var alarms = MachineAlarms()
    var events: [(time: Int, RunEvent)] = []
    for time in 0..<400 {
      let util = time < 100 || time >= 300 ? 90.0 : 1.0
      let now = said(time, ["system/gpu.0.util": util, "system/gpu.1.util": 0])
      events += alarms.take(now).map { (time, $0) }
    }
    #expect(words(events.map(\.1)) == ["alarm accelerator-idle", "calm accelerator-idle"])
    #expect(events.first?.time == 160)
    #expect(events.first?.1.step == 3)
  }

  @Test func `an accelerator between two batches is not idle`() {
    var alarms = MachineAlarms()
    for time in 0..<600 {
      let util = time % 50 < 40 && time > 60 ? 0.0 : 90
      #expect(alarms.take(said(time, ["system/gpu.0.util": util])).isEmpty)
    }
  }

  @Test func `a memory near its end is told until there is room again`() {
    var alarms = MachineAlarms()
    var events: [RunEvent] = []
    for time in 0..<60 {
      let use = time >= 20 && time < 40 ? 98.0 : 50.0
      events += alarms.take(said(time, ["system/memory": use, "system/gpu.3.memory": 60]))
    }
    #expect(words(events) == ["alarm memory-near-end", "calm memory-near-end"])
    #expect(events.first?.text == "memory is near its end: 98.0% in use")
    var off = AlarmThresholds()
    #expect(off.set(.memoryNearEnd, words: "off") == nil)
    alarms = MachineAlarms(thresholds: off)
    for time in 0..<60 { #expect(alarms.take(said(time, ["system/memory": 99])).isEmpty) }
  }

  @Test func `a gradient norm of another program that jumps is told`() {
    var alarms = ForeignAlarms(thresholds: AlarmThresholds())
    var events: [RunEvent] = []
    for step in 0..<300 {
      let norm = step == 200 ? 50.0 : 1 + 0.1 * Double(step % 7)
      let row = StepSamples(step: step, wallTime: 0, names: ["grad_norm"], values: [norm])
      events += alarms.take(.samples(row))
    }
    #expect(words(events) == ["alarm gradient-spike", "calm gradient-spike"])
    #expect(events.first?.step == 200)
  }

  @Test func `validation that counts epochs does not make the alarms forget`() {
    var alarms = ForeignAlarms(thresholds: AlarmThresholds())
    var events: [RunEvent] = []
    for step in 0..<400 {
      let loss = step == 300 ? 9.0 : 2 + 0.01 * Double(step % 5)
      let row = StepSamples(step: 10 * step, wallTime: 0, names: ["loss"], values: [loss])
      events += alarms.take(.samples(row))
      guard step % 40 == 0 else { continue }
      let validation = StepSamples(
        step: step / 40, wallTime: 0, names: ["accuracy"], values: [0.5])
      events += alarms.take(.samples(validation))
    }
    #expect(words(events).contains("alarm loss-spike"))
  }
}

@Suite(.timeLimit(.minutes(15))) struct MetricRuleTests {
  private func events(_ rule: MetricRule, _ name: MetricName, _ values: [Double]) -> [String] {
    var thresholds = AlarmThresholds()
    thresholds.rules = [rule]
    var monitor = AlarmMonitor()
    return values.enumerated().flatMap { step, value in
      monitor.observe(
        StepSamples(step: step, wallTime: 0, names: [name], values: [value]),
        thresholds: thresholds)
    }.map { "\($0.step) \($0.kind): \($0.text)" }
  }

  @Test func `so many values on end beyond a bound raise, as many within end it`() throws {
    let rule = try #require(MetricRule(pattern: "val/*", above: 3, below: nil, count: 2))
    #expect(
      events(rule, "val/acc", [4, 2, 4, 5, 2, 6, 1, 1, 1]) == [
        "3 alarm: val/acc 5.00 is above 3.00 for 2 values", "7 calm: val/acc is back at 1.00",
      ])
    #expect(events(rule, "acc", [4, 4, 4]).isEmpty)
    let low = try #require(MetricRule(pattern: "mfu", above: nil, below: 20))
    #expect(events(low, "mfu", [30, 10]) == ["1 alarm: mfu 10.0 is below 20.0"])
  }

  @Test(arguments: [
    "val/* above 3 for 5", "loss below 0.5", "train loss above 1 below -1", "x above 1",
  ])
  func `a rule's words give it back`(words: String) throws {
    let rule = try #require(MetricRule(words: words))
    #expect(rule.words == words)
    var thresholds = AlarmThresholds()
    thresholds.rules = [rule, rule]
    #expect(thresholds.options.count == 2)
    #expect(AlarmThresholds(options: thresholds.options) == thresholds)
  }

  @Test(arguments: ["", "above 3", "loss", "loss above", "loss for 3", "loss above 3 for 0.5"])
  func `what is no rule is none`(words: String) {
    #expect(MetricRule(words: words) == nil)
  }

  @Test func `what the rules have seen comes back from a checkpoint`() throws {
    let rule = try #require(MetricRule(pattern: "loss", above: 3, below: nil, count: 3))
    var thresholds = AlarmThresholds()
    thresholds.rules = [rule]
    var monitor = AlarmMonitor()
    func observe(_ step: Int) -> [String] {
      let row = StepSamples(step: step, wallTime: 0, names: ["x", "loss"], values: [0, 4])
      return monitor.observe(row, thresholds: thresholds).compactMap(\.name)
    }
    #expect(observe(0).isEmpty && observe(1).isEmpty)
    let coded = try JSONEncoder().encode(monitor)
    monitor = try JSONDecoder().decode(AlarmMonitor.self, from: coded)
    #expect(observe(2) == ["rule loss above 3 for 3"])
  }
}
