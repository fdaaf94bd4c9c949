import Signals
import Telemetry
import Testing

@testable import Sessions

/// A run as its trainer would tell it, and as RunHistory makes of it.
struct TestRun {
  static let names: [MetricName] = ["loss", "attention_logit_max/0", "lr", "expert_load/1/7"]

  static func samples(_ steps: Range<Int>, seed: UInt64 = 1) -> [RunRecord] {
    var random = RandomBits(seed: seed)
    return steps.map { step in
      let loss = 5 / (1 + Double(step)) + Double.random(in: 0...0.1, using: &random)
      let logit = Double(Float.random(in: 1...50, using: &random))
      return .samples(
        StepSamples(
          step: step, wallTime: 1.7e9 + Double(step) * 0.01, names: names,
          values: [loss, logit, 1e-3, Double(step % 9) / 2048]))
    }
  }

  static let description = RunDescription(
    name: "test", created: 1.7e9, totalSteps: 100, initialLoss: .nan, options: ["lr": "0.01"])

  static let settings = [
    SettingDeclaration(
      name: "qk_layernorm", kind: .flag, value: .flag(false), purpose: "attention"),
    SettingDeclaration(
      name: "z_loss", kind: .number(lowest: 0, highest: 10), value: .number(1e-4), purpose: "log Z",
      refusal: "not now"),
  ]

  static func event(_ step: Int, _ kind: RunEvent.Kind = .note) -> RunEvent {
    RunEvent(
      step: step, wallTime: 1.7e9, kind: kind, by: "you", name: "z_loss", before: .number(0),
      after: .flag(true), text: "“quoted” \\ \n line", hint: "m",
      values: ["a": .nan, "b": -.infinity, "c": 0.1])
  }

  /// Records a run into a new session and ends it in order.
  static func record(_ records: [RunRecord], at path: String, pageSize: Int = 2048) throws {
    let recorder = Recorder(store: try SessionStore(creating: path, pageSize: pageSize))
    for record in records { recorder.record(record) }
    try recorder.close()
  }

  static func history(_ records: [RunRecord]) -> RunHistory {
    RunHistory(records)
  }
}

/// Expects two runs to be the same to the last bit.
func expectEqual(
  _ left: RunHistory, _ right: RunHistory, sourceLocation: SourceLocation = #_sourceLocation
) {
  func bits(_ series: Series) -> [UInt64] { series.values.map(\.bitPattern) }
  #expect(left.names == right.names, sourceLocation: sourceLocation)
  for name in left.names {
    guard let one = left[name], let other = right[name] else {
      Issue.record("one of them has no \(name)", sourceLocation: sourceLocation)
      continue
    }
    #expect(one.steps == other.steps, "\(name)", sourceLocation: sourceLocation)
    #expect(bits(one) == bits(other), "\(name)", sourceLocation: sourceLocation)
    #expect(
      left.superseded[name, default: []].map(bits) == right.superseded[name, default: []].map(bits),
      sourceLocation: sourceLocation)
  }
  #expect(left.wallTimes.steps == right.wallTimes.steps, sourceLocation: sourceLocation)
  #expect(bits(left.wallTimes) == bits(right.wallTimes), sourceLocation: sourceLocation)
  #expect(left.settings == right.settings, sourceLocation: sourceLocation)
  #expect(left.state == right.state, sourceLocation: sourceLocation)
  #expect(
    left.events.map { try? JSONText.encode($0) } == right.events.map { try? JSONText.encode($0) },
    sourceLocation: sourceLocation)
  #expect(left.console == right.console, sourceLocation: sourceLocation)
  #expect(left.generationStarts == right.generationStarts, sourceLocation: sourceLocation)
}
