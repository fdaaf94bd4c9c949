import Foundation
import Telemetry
import Testing

@testable import Signals

@Suite(.timeLimit(.minutes(15)))
struct AlarmTests {
  private func events(
    _ range: Range<Int>, seed: UInt64 = 1, settings: [String: SettingValue] = [:],
    trouble: (Int, inout [MetricName: Double]) -> Void
  ) -> [RunEvent] {
    var run = SyntheticRun(seed: seed)
    run.settings.merge(settings) { $1 }
    var monitor = AlarmMonitor()
    return run.feed(&monitor, range, trouble: trouble)
  }

  @Test(arguments: 1...4 as ClosedRange<UInt64>)
  func `a healthy run is silent`(seed: UInt64) {
    #expect(events(0..<4000, seed: seed) { _, _ in }.map(\.text) == [])
  }

  @Test func `a loss spike is told once, with its numbers, and then calm`() throws {
    let events = events(0..<900) { step, values in
      if (700..<710).contains(step) {
        values["loss"] = 6.5
        values["grad_norm"] = 12
      }
    }
    #expect(events.map(\.kind) == [.alarm, .calm])
    let alarm = try #require(events.first)
    #expect(alarm.step == 700 && alarm.name == "loss-spike" && alarm.by == "alarm")
    #expect(alarm.hint == "{: halve the rate")
    #expect(alarm.text.hasPrefix("loss 6.50 is "))
    #expect(alarm.text.contains("× its mean: a bad batch, or the rate is too high"))
    let sigma = try #require(alarm.values["loss.sigma"])
    #expect(sigma >= 7)
    #expect(events[1].step >= 730)
  }

  @Test func `a loss that stood still may tremble`() {
    let events = events(0..<400) { step, values in
      values["loss"] = 2 + (step % 50 == 0 ? 1e-6 : 0)
    }
    #expect(events.isEmpty)
  }

  @Test func `growing logits are forecast with layer and doubling time`() throws {
    let events = events(0..<1300) { step, values in
      values["attention_logit_max/3"] = 40 * pow(2, max(0, Double(step) - 400) / 96)
    }
    let alarm = try #require(events.first)
    #expect(alarm.name == "attention-logits-diverging")
    #expect(alarm.hint == "m: switch qk-layernorm on")
    let crossing = 400 + 96.0 * log2(1e4 / 40.0)
    let told = Double(alarm.step) + (try #require(alarm.values["steps_until_level"]))
    #expect(abs(told - crossing) < 200)
    #expect(Double(alarm.step) < crossing - 300)
    #expect(alarm.values["layer"] == 3)
    #expect(alarm.text.hasPrefix("attention logits pass 1e4 in ~"))
    #expect(alarm.text.contains(" steps (L3, doubling every "))
    #expect(events.filter { $0.name == alarm.name }.count == 1)
  }

  @Test func `growth while the rate warms up is not forecast`() {
    func events(_ rate: (Int) -> Double) -> [RunEvent] {
      self.events(0..<500) { step, values in
        values["lr"] = rate(step)
        values["attention_logit_max/3"] = min(900, 20 * pow(2, Double(step) / 60))
      }
    }
    #expect(events { min(1, Double($0) / 400) }.isEmpty)
    #expect(events { $0 < 200 ? 0.5 : 1 }.map(\.name).first == "attention-logits-diverging")
  }

  @Test func `high logits that do not grow are a warning`() throws {
    let events = events(0..<900) { step, values in
      values["attention_logit_max/1"] = step < 300 ? 40 : (step < 600 ? 2000 : 60)
    }
    #expect(events.map(\.kind) == [.alarm, .calm])
    let alarm = try #require(events.first)
    #expect(alarm.name == "attention-logits-high")
    #expect(
      alarm.text == "attention logits above 1e3 (L1, 2,000): queries and keys grow, "
        + "the loss begins to suffer")
    #expect(alarm.values["attention_logit_max"] == 2000)
  }

  @Test func `logits above 1e4 are told even if they stand still`() {
    let events = events(0..<600) { step, values in
      values["attention_logit_max/2"] = step < 300 ? 40 : 20_000
    }
    #expect(events.map(\.name).contains("attention-logits-diverging"))
  }

  @Test func `qk-layernorm that is being blended in silences the logits`() {
    let events = events(0..<500, settings: [SettingCatalog.qkLayerNorm: .flag(true)]) {
      step, values in
      values["attention_logit_max/2"] = step < 100 ? 12_000 * exp(-Double(step) / 15) : 12
    }
    #expect(events.isEmpty)
  }

  @Test func `where qk-layernorm is on another key helps`() throws {
    let events = events(0..<500, settings: [SettingCatalog.qkLayerNorm: .flag(true)]) {
      _, values in
      values["attention_logit_max/2"] = 20_000
    }
    let alarm = try #require(events.first)
    #expect(alarm.hint == "{: halve the rate")
  }

  @Test(arguments: [Double.nan, .infinity, -.infinity])
  func `a value that is not finite is named with its step`(value: Double) throws {
    let events = events(0..<1300) { step, values in
      if step == 1234 { values["activation_rms/2"] = value }
    }
    #expect(events.map(\.kind) == [.alarm, .calm])
    let alarm = try #require(events.first)
    #expect(
      alarm.text == "activation_rms/2 is \(NumberText.compact(value)) at step 1,234: "
        + "the update was too large for the numbers")
    #expect(alarm.step == 1234)
    #expect(alarm.values.values.allSatisfy { $0.isFinite })
  }

  @Test func `of many values that are not finite the loss is named`() throws {
    let events = events(0..<20) { step, values in
      guard step >= 10 else { return }
      for name in ["grad_norm", "activation_rms/0", "loss"] as [MetricName] { values[name] = .nan }
    }
    #expect(events.count == 1)
    let alarm = try #require(events.first)
    #expect(alarm.text.hasPrefix("loss and 2 more is NaN at step 10"))
  }

  @Test func `log Z that drifts is told while it goes on, and not at its start of 6`() throws {
    let events = events(0..<3000) { step, values in
      if step > 1000 { values["log_z"] = -Double(step - 1000) / 50 }
    }
    #expect(events.count == 1)
    let alarm = try #require(events.first)
    #expect(alarm.name == "log-z-drift" && alarm.hint == "m: switch z-loss on (1e-4)")
    #expect(alarm.step > 1500 && alarm.step < 1800)
    #expect(alarm.text.hasPrefix("log Z drifts: −1"))
  }

  @Test func `a gradient that has come down to Adam's ε is told with its tensor`() throws {
    let epsilon = [SettingCatalog.adamEpsilon: SettingValue.number(1e-8)]
    func run(_ settings: [String: SettingValue]) -> [RunEvent] {
      events(0..<1400, settings: settings) { step, values in
        guard step % 10 == 0 else { return }
        values["grad_rms/L0.up"] = (700..<1000).contains(step) ? 5e-8 : 1e-3
        values["grad_rms/L1.up"] = 2e-3
        // Frozen: it has no gradient at all.
        values["grad_rms/embedding"] = 0
      }
    }
    let told = run(epsilon)
    #expect(told.map(\.kind) == [.alarm, .calm])
    let alarm = try #require(told.first)
    #expect((800...810).contains(alarm.step))
    #expect(alarm.name == "gradient-near-epsilon" && alarm.hint == "m: lower adam_eps")
    #expect(alarm.values == ["grad_rms": 5e-8, "adam_eps": 1e-8])
    #expect(
      alarm.text
        == "the gradient of L0.up has RMS 5.00e-8, Adam's ε is 1.00e-8: its updates fade")
    #expect(run([SettingCatalog.adamEpsilon: .number(1e-10)]).isEmpty)
  }

  @Test func `a dead expert is told after 100 steps and when it is back`() throws {
    let events = events(0..<1200) { step, values in
      guard (300..<900).contains(step) else { return }
      let dead = MetricCatalog.expertLoad(layer: 2, expert: 5)
      let rest = (values[dead] ?? 0) - 0.004
      values[MetricCatalog.expertLoad(layer: 2, expert: 4)]? += rest
      values[dead] = 0.004
    }
    #expect(events.map(\.kind) == [.alarm, .calm])
    let alarm = try #require(events.first)
    #expect(alarm.step == 400 && alarm.name == "dead-expert")
    #expect(alarm.hint == "m: raise moe.aux_loss")
    #expect(
      alarm.text == "L2 E5 dead: 0.4% of 12.5%: the router has stopped choosing it")
  }

  @Test func `a dead expert is no longer one once it gets an eighth of an even share`() {
    let events = events(0..<900) { step, values in
      guard step >= 300 else { return }
      let weak = MetricCatalog.expertLoad(layer: 2, expert: 5)
      let load = step < 600 ? 0.004 : 0.02
      let rest = (values[weak] ?? 0) - load
      values[MetricCatalog.expertLoad(layer: 2, expert: 4)]? += rest
      values[weak] = load
    }
    #expect(events.map(\.kind) == [.alarm, .calm])
    #expect(events.map(\.step) == [400, 700])
  }

  @Test func `an overloaded expert is told after 100 steps`() throws {
    let events = events(0..<700, settings: [SettingCatalog.balanceLoss: .number(0)]) {
      step, values in
      guard step >= 300 else { return }
      for expert in 0..<8 {
        values[MetricCatalog.expertLoad(layer: 1, expert: expert)] = expert == 6 ? 0.4 : 0.6 / 7
      }
    }
    #expect(events.count == 1)
    let alarm = try #require(events.first)
    #expect(alarm.step == 400 && alarm.hint == "m: switch moe.aux_loss on (0.01)")
    #expect(
      alarm.text == "L1 E6 overloaded: 40.0% of 12.5%, MaxVio 2.20: "
        + "the router leans on few experts")
  }

  @Test func `experts are left alone while the router finds its feet`() {
    let events = events(0..<300) { step, values in
      guard step < 200 else { return }
      for expert in 0..<8 {
        values[MetricCatalog.expertLoad(layer: 1, expert: expert)] = expert < 2 ? 0.5 : 0
      }
    }
    #expect(events.isEmpty)
  }

  @Test func `a held-out loss that rises is memorising where the training loss falls`() throws {
    let events = events(0..<2000) { step, values in
      guard step % 100 == 0, step > 1000 else { return }
      values["loss/eval"] = 2.2 + Double(step - 1000) / 2500
    }
    #expect(events.count == 1)
    let alarm = try #require(events.first)
    #expect(alarm.name == "held-out-loss-rising")
    #expect(alarm.step >= 1300 && alarm.step <= 1600)
    #expect(alarm.text.hasSuffix("the model begins to memorise"))
  }

  @Test func `an alarm that is over may come again only after a while`() {
    let spikes = [500, 530, 700]
    let events = events(0..<900) { step, values in
      if spikes.contains(step) { values["loss"] = 9 }
    }
    #expect(events.filter { $0.kind == .alarm }.map(\.step) == [500, 700])
  }

  @Test func `a monitor continues from its coded form as if it had not stopped`() throws {
    func trouble(_ step: Int, _ values: inout [MetricName: Double]) {
      values["attention_logit_max/3"] = 40 * pow(2, max(0, Double(step) - 400) / 96)
      if step == 1000 { values["loss"] = 9 }
    }
    var run = SyntheticRun(seed: 4)
    var monitor = AlarmMonitor()
    _ = run.feed(&monitor, 0..<750, trouble: trouble)
    let coded = try JSONEncoder().encode(monitor)
    var copy = try JSONDecoder().decode(AlarmMonitor.self, from: coded)
    var sameRun = run
    let rest = run.feed(&monitor, 750..<1400, trouble: trouble)
    #expect(rest == sameRun.feed(&copy, 750..<1400, trouble: trouble))
    #expect(rest.count >= 2)
    #expect(monitor.raised == copy.raised)
  }

  @Test func `a step that goes backwards begins with clean windows`() {
    var run = SyntheticRun(seed: 6)
    var monitor = AlarmMonitor()
    _ = run.feed(&monitor, 0..<500) { step, values in
      values["attention_logit_max/0"] = 30_000
    }
    #expect(monitor.raised.contains(.attentionLogitsDiverging))
    #expect(run.feed(&monitor, 100..<700).map(\.text) == [])
    #expect(monitor.raised.isEmpty)
  }

  @Test func `a run that measures nothing known says nothing`() {
    var monitor = AlarmMonitor()
    for step in 0..<300 {
      let sample = StepSamples(
        step: step, wallTime: 0, names: ["train/acc"], values: [Double(step)])
      #expect(monitor.observe(sample).isEmpty)
    }
    #expect(monitor.observe(StepSamples(step: 300, wallTime: 0, names: [], values: [])).isEmpty)
  }

  @Test func `every rule has a name, a sentence and its place in the table`() {
    #expect(Set(AlarmRule.allCases.map(\.name)).count == AlarmRule.allCases.count)
    #expect(AlarmRule.allCases.allSatisfy { $0.sentence.hasSuffix(".") })
  }
}
