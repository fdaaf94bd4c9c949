import Foundation
import Telemetry
import Testing

@testable import Signals

/// Alarms about where the loss stands, and that none of them ends before its cause does.
@Suite(.timeLimit(.minutes(15))) struct LossLevelAlarmTests {
  /// What is said of a run's loss alone, as an import has it.
  private func events(
    _ count: Int, seed: UInt64 = 3, rate: (Int) -> Double? = { _ in nil }, loss: (Int) -> Double
  ) -> [RunEvent] {
    var generator = SeededGenerator(seed: seed)
    var monitor = AlarmMonitor()
    return (0..<count).flatMap { step in
      var names = [MetricCatalog.loss]
      var values = [loss(step) + 0.05 * generator.normal()]
      if let rate = rate(step) {
        names.append(MetricCatalog.learningRate)
        values.append(rate)
      }
      return monitor.observe(
        StepSamples(step: step, wallTime: 0, names: names, values: values))
    }
  }

  /// As a run learns: fast, then ever slower.
  private func learning(_ step: Int) -> Double { 1.5 + 4 / (1 + Double(step) / 60) }

  @Test func `a loss that stays above its own level is told, however slowly it rose`() throws {
    let events = events(3000) { step in
      step < 1000 ? learning(step) : learning(1000) + min(0.4, Double(step - 1000) / 2500)
    }
    let alarm = try #require(events.first { $0.name == "loss-above-best" })
    #expect(!events.contains { $0.kind == .calm && $0.name == alarm.name })
    #expect((1200...1700).contains(alarm.step))
    #expect(alarm.text.hasPrefix("loss 1."))
    #expect(alarm.text.contains("σ above its level 1.7"))
    let since = try #require(alarm.values["since"])
    #expect((900...1300).contains(since))
  }

  @Test func `a loss that diverges and stays finite is alarmed and not called calm`() throws {
    // What a rate of 1.0 does: from 2.4 to 7.4, then to and fro between 3 and 5.6.
    let events = events(1500) { step in
      if step < 300 { return 2.4 + 3.5 * exp(-Double(step) / 20) }
      return step < 320 ? 7.4 : 4.3 + 1.3 * sin(Double(step) / 9)
    }
    #expect(events.contains { $0.name == "loss-spike" && $0.kind == .alarm })
    let diverged = try #require(events.first { $0.name == "loss-diverged" })
    #expect(diverged.kind == .alarm && (300...360).contains(diverged.step))
    #expect(diverged.text.contains("has diverged, though finite"))
    #expect(!events.contains { $0.kind == .calm })
  }

  @Test func `a spike of a loss that has diverged is no news and its end no relief`() {
    let events = events(1200) { step in
      if step < 300 { return 2.4 + 3.5 * exp(-Double(step) / 20) }
      return (600..<605).contains(step) ? 10 : 4.3
    }
    #expect(events.filter { $0.name == "loss-spike" }.map(\.step) == [300])
    #expect(!events.contains { $0.kind == .calm })
  }

  @Test func `a loss above its start that never fell is diverged`() throws {
    let events = events(400) { step in step < 10 ? 5.5 : 9 }
    let alarm = try #require(events.first { $0.name == "loss-diverged" })
    #expect(alarm.step < 100)
    #expect(
      alarm.text.hasSuffix("it stays above its start 5.47") || alarm.text.contains("start 5."))
  }

  @Test func `calm comes once the loss is back at its level of before`() throws {
    let events = events(2000) { step in
      switch step {
      case 600..<900: 4.5
      case 900..<1200: 2.6
      default: learning(step)
      }
    }
    let alarms = Set(events.filter { $0.kind == .alarm }.compactMap(\.name))
    #expect(alarms.isSuperset(of: ["loss-spike", "loss-diverged"]))
    let calms = events.filter { $0.kind == .calm }
    #expect(Set(calms.compactMap(\.name)) == alarms)
    #expect(
      calms.allSatisfy { (1200...1300).contains($0.step) },
      "\(events.map { "\($0.step) \($0.kind) \($0.text)" })")
  }

  @Test func `a short spike that is over is calm`() {
    let events = events(1000) { step in (700..<705).contains(step) ? 5 : learning(step) }
    #expect(events.map(\.name) == ["loss-spike", "loss-spike"])
    #expect(events.map(\.kind) == [.alarm, .calm])
  }

  @Test func `logits that were forecast to diverge are calm once they are back below`() {
    var run = SyntheticRun(seed: 1)
    var monitor = AlarmMonitor()
    let events = run.feed(&monitor, 0..<2400) { step, values in
      let grown = 60 * pow(2, Double(min(step, 1000) - 400) / 110)
      values["attention_logit_max/3"] = step < 400 ? 60 : (step < 1800 ? grown : 60)
    }.filter { $0.name == "attention-logits-diverging" }
    #expect(events.map(\.kind) == [.alarm, .calm])
    // Standing still at 2,600 is no longer on the way, and yet high.
    #expect(events.count == 2 && events[0].step < 1000 && events[1].step >= 1800)
  }

  @Test func `a loss that does not begin to fall is told`() throws {
    let events = events(1200) { _ in 5.5 }
    #expect(events.map(\.name) == ["no-progress"])
    let alarm = try #require(events.first)
    #expect((500...560).contains(alarm.step))
    #expect(alarm.text.hasPrefix("no progress: loss 5."))
  }

  @Test func `a rate that still warms up is waited for`() {
    let events = events(1500, rate: { min(1, Double($0) / 1400) }) { _ in 5.5 }
    #expect(events.isEmpty)
  }

  @Test func `a loss that stops falling at once is told, and when it falls again`() throws {
    let events = events(2400, rate: { _ in 1e-3 }) { step in
      step < 400
        ? 5 - Double(step) / 200 : (step < 1600 ? 3 : 3 - Double(min(step, 2000) - 1600) / 400)
    }
    #expect(events.map(\.name) == ["no-progress", "no-progress"])
    #expect(events.map(\.kind) == [.alarm, .calm])
    #expect((880...1100).contains(events[0].step))
    #expect(events[0].text.hasPrefix("progress has stopped: loss "))
    #expect((1600...1800).contains(events[1].step))
  }

  @Test(arguments: [40.0, 100, 300, 1000])
  func `a run that converges is silent, also at a constant rate`(halfLife: Double) {
    for seed: UInt64 in 1...2 {
      let events = events(3000, seed: seed, rate: { _ in 1e-3 }) { step in
        1 + 2 / (1 + Double(step) / halfLife) + exp2(-Double(step) / halfLife)
      }
      #expect(events.map(\.text) == [])
    }
  }

  @Test func `a rate that its schedule brought down explains standing still`() {
    let events = events(2000, rate: { max(0, 1 - Double($0) / 500) }) { step in
      step < 400 ? 5 - Double(step) / 200 : 3
    }
    #expect(events.isEmpty)
  }

  @Test func `what is remembered does not grow with the run`() throws {
    func size(_ steps: Int) throws -> Int {
      var run = SyntheticRun(seed: 2)
      var monitor = AlarmMonitor()
      _ = run.feed(&monitor, 0..<steps, total: 8000)
      return try JSONEncoder().encode(monitor).count
    }
    #expect(try Double(size(3000)) < 1.05 * Double(size(1500)))
  }

  @Test func `a state from before these rules is read`() throws {
    let coded = try JSONEncoder().encode(AlarmMonitor())
    var object = try #require(
      JSONSerialization.jsonObject(with: coded) as? [String: Any])
    for key in ["lossLevels", "progress", "trouble"] { object[key] = nil }
    let old = try JSONSerialization.data(withJSONObject: object)
    #expect(try JSONDecoder().decode(AlarmMonitor.self, from: old).troubleSince == nil)
  }
}

/// The step before which all was well.
@Suite(.timeLimit(.minutes(15)))
struct TroubleTests {
  private func event(
    _ step: Int, _ kind: RunEvent.Kind, _ rule: AlarmRule, since: Double? = nil
  ) -> RunEvent {
    RunEvent(
      step: step, wallTime: 0, kind: kind, by: "alarm", name: rule.name, text: "",
      values: since.map { ["since": $0] } ?? [:])
  }

  @Test func `a trouble begins with its first alarm's cause and ends with its last alarm`() {
    var trouble = Trouble()
    #expect(trouble.since == nil)
    trouble.note(event(500, .alarm, .attentionLogitsHigh, since: 495))
    trouble.note(event(600, .alarm, .lossSpike, since: 600))
    trouble.note(event(640, .calm, .attentionLogitsHigh))
    #expect(trouble.since == 495)
    trouble.note(event(700, .alarm, .lossDiverged, since: 450))
    #expect(trouble.since == 450)
    trouble.note(event(800, .calm, .lossSpike))
    trouble.note(event(800, .calm, .lossDiverged))
    #expect(trouble.since == nil)
  }

  @Test func `an expert that died long ago does not make checkpoints bad in a spike`() {
    let dead = event(300, .alarm, .deadExpert)
    #expect(Trouble(events: [dead]).since == 300)
    let spike = event(2000, .alarm, .lossSpike, since: 2000)
    #expect(Trouble(events: [dead, dead, spike]).since == 2000)
    let calm = event(2100, .calm, .lossSpike)
    let oneCalm = event(2200, .calm, .deadExpert)
    #expect(Trouble(events: [dead, dead, spike, calm, oneCalm]).since == 300)
    #expect(Trouble(events: [dead, dead, spike, calm, oneCalm, oneCalm]).since == nil)
  }

  @Test func `the good checkpoint of a history is the newest from before the trouble`() {
    var history = RunHistory()
    for step in [100, 200, 300, 400] {
      history.append(
        .event(
          RunEvent(
            step: step, wallTime: 0, kind: .checkpoint, by: "run", name: "step-\(step)", text: "")))
    }
    #expect(history.goodCheckpoint?.step == 400)
    history.append(.event(event(420, .alarm, .lossDiverged, since: 300)))
    #expect(history.goodCheckpoint?.step == 200)
    history.append(.event(event(900, .calm, .lossDiverged)))
    #expect(history.goodCheckpoint?.step == 400)
  }
}
