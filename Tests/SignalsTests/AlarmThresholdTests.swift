import Telemetry
import Testing

@testable import Signals

/// What a person settles for a rule is what raises it.
@Suite(.timeLimit(.minutes(15)))
struct AlarmThresholdTests {
  /// A run that lies between two thresholds of a rule.
  struct Case: Sendable, CustomTestStringConvertible {
    let rule: AlarmRule
    let silent: String
    let raising: String
    let trouble: @Sendable (Int, inout [MetricName: Double]) -> Void

    var testDescription: String { rule.name }
  }

  static let cases = [
    Case(rule: .lossSpike, silent: "500", raising: "7") { step, values in
      if step == 900 { values["loss"] = 6 }
    },
    Case(rule: .lossAboveBest, silent: "900", raising: "3") { step, values in
      if step > 600 { values["loss"]? += 0.4 }
    },
    Case(rule: .lossDiverged, silent: "0.9", raising: "0.3") { step, values in
      if step > 600 { values["loss"] = 4 }
    },
    Case(rule: .noProgress, silent: "1100", raising: "500") { _, values in
      values["loss"] = 5
    },
    Case(rule: .attentionLogitsHigh, silent: "1000", raising: "300") { step, values in
      if step > 500 { values["attention_logit_max/1"] = 400 }
    },
    Case(rule: .attentionLogitsDiverging, silent: "1e5", raising: "5000") { step, values in
      values["attention_logit_max/1"] = 6000
    },
    Case(rule: .notFinite, silent: "off", raising: "on") { step, values in
      if step == 400 { values["loss"] = .nan }
    },
    Case(rule: .logZDrift, silent: "20", raising: "5") { step, values in
      if step > 300 { values["log_z"] = 6 + Double(step - 300) / 50 }
    },
    Case(rule: .gradientNearEpsilon, silent: "10", raising: "100") { step, values in
      values["grad_rms/L0.up"] = 5e-7
    },
    Case(rule: .deadExpert, silent: "0.01", raising: "0.2") { step, values in
      for expert in 0..<8 {
        values[MetricCatalog.expertLoad(layer: 0, expert: expert)] = expert == 3 ? 0.015 : 0.985 / 7
      }
    },
    Case(rule: .overloadedExpert, silent: "3", raising: "2") { step, values in
      for expert in 0..<8 {
        values[MetricCatalog.expertLoad(layer: 0, expert: expert)] = expert == 3 ? 0.3 : 0.1
      }
    },
    Case(rule: .heldOutLossRising, silent: "5", raising: "0.02") { step, values in
      if step > 500, values["loss/eval"] != nil { values["loss/eval"] = 4 }
    },
    Case(rule: .functionRunsOff, silent: "20", raising: "4") { step, values in
      guard step % 10 == 0 else { return }
      for group in 0..<8 {
        let name = MetricCatalog.functionDrift(layer: 0, place: 2, group: group)
        values[name] = group == 5 && step > 500 ? 12 : 0.3
      }
    },
    Case(rule: .gradientSpike, silent: "1000", raising: "10") { step, values in
      if step == 900 { values["grad_norm"]? *= 60 }
    },
    Case(rule: .acceleratorIdle, silent: "2", raising: "5") { step, values in
      values["system/gpu.0.util"] = step < 100 ? 90 : 3
    },
    Case(rule: .memoryNearEnd, silent: "99", raising: "97") { step, values in
      values["system/memory"] = step < 100 ? 50 : 98
    },
    Case(rule: .slowRank, silent: "3", raising: "1.5") { step, values in
      for rank in 0..<4 {
        values[MetricCatalog.rankSeconds(rank)] = 2
        values[MetricCatalog.rankWaiting(rank)] = rank == 2 && step > 100 ? 0 : 1
      }
    },
    Case(rule: .strayWeights, silent: "off", raising: "on") { step, values in
      values[MetricCatalog.strayWeights] = step < 500 ? 0 : 1
    },
  ]

  private func samples(of run: Case) -> [StepSamples] {
    var synthetic = SyntheticRun(seed: 5)
    return (0..<1100).map { step in
      var values = synthetic.step(step)
      run.trouble(step, &values)
      let sorted = values.keys.sorted()
      return StepSamples(
        step: step, wallTime: Double(step), names: sorted, values: sorted.map { values[$0] ?? .nan }
      )
    }
  }

  private func names(_ thresholds: AlarmThresholds, of samples: [StepSamples]) -> Set<String> {
    var settings = SyntheticRun(seed: 5).settings
    settings[SettingCatalog.adamEpsilon] = .number(1e-8)
    var monitor = AlarmMonitor()
    var (gradient, machine) = (GradientSpikeRule(), MachineAlarms(thresholds: thresholds))
    var ranks = RankAlarms(thresholds: thresholds)
    var events: [RunEvent] = []
    for step in samples {
      events += monitor.observe(step, settings: settings, thresholds: thresholds)
      events += gradient.take(step, thresholds: thresholds)
      events += machine.take(step)
      events += ranks.take(step, ranks: 4)
    }
    return Set(events.filter { $0.kind == .alarm }.map { $0.name ?? "" })
  }

  @Test(arguments: cases)
  func `a rule raises by the threshold it is given and not when it is off`(run: Case) {
    let samples = samples(of: run)
    for (words, isRaised) in [(run.raising, true), (run.silent, false), ("off", false)] {
      var thresholds = AlarmThresholds()
      #expect(thresholds.set(run.rule, words: words) == nil)
      #expect(names(thresholds, of: samples).contains(run.rule.name) == isRaised, "\(words)")
    }
  }

  @Test func `every rule is among the cases`() {
    #expect(Set(Self.cases.map(\.rule)) == Set(AlarmRule.allCases))
  }

  @Test(arguments: AlarmRule.allCases)
  func `its own words give a threshold back, and others are refused`(rule: AlarmRule) {
    var thresholds = AlarmThresholds()
    #expect(thresholds.options.isEmpty && thresholds.isOn(rule))
    #expect(thresholds.set(rule, words: thresholds.words(rule)) == nil)
    #expect(thresholds.options.isEmpty)
    for words in ["", "nan", "inf", "-1", "1e30", "many"] {
      #expect(thresholds.set(rule, words: words) == rule.threshold.allowed)
    }
    #expect(thresholds.options.isEmpty)
    #expect(thresholds.set(rule, words: "off") == nil)
    #expect(!thresholds.isOn(rule) && thresholds.options.count == 1)
    #expect(AlarmThresholds(options: thresholds.options) == thresholds)
    #expect(thresholds.set(rule, words: "on") == nil)
    #expect(thresholds == AlarmThresholds())
  }

  @Test func `an alarm names the level it was given`() throws {
    var thresholds = AlarmThresholds()
    _ = thresholds.set(.attentionLogitsHigh, words: "200")
    var monitor = AlarmMonitor()
    var events: [RunEvent] = []
    for step in 0..<20 {
      let samples = StepSamples(
        step: step, wallTime: 0, names: ["attention_logit_max/2"], values: [300])
      events += monitor.observe(samples, thresholds: thresholds)
    }
    let alarm = try #require(events.first)
    #expect(alarm.text.hasPrefix("attention logits above 200 (L2, 300): "))
    #expect(alarm.values["level"] == 200)
  }
}
