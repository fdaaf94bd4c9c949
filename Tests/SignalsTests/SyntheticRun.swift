import Foundation
import Telemetry

@testable import Signals

/// Runs made up step by step, healthy but for what a test adds.
struct SyntheticRun {
  var generator: SeededGenerator
  var settings: [String: SettingValue] = [
    SettingCatalog.qkLayerNorm: .flag(false), SettingCatalog.zLoss: .number(0),
    SettingCatalog.balanceLoss: .number(0.01),
  ]
  var layers = 4
  var experts = 8

  init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

  /// A healthy step: the loss falls with batch noise, logits grow from 5 to 50, loads wobble.
  mutating func step(_ step: Int, of total: Int = 4000) -> [MetricName: Double] {
    let progress = Double(step) / Double(total)
    let loss = 2.2 + 3.8 * exp(-Double(step) / 150) - 0.3 * progress
    var values: [MetricName: Double] = [
      "loss": loss + 0.05 * generator.normal(),
      "grad_norm": 0.6 + 2 * exp(-Double(step) / 100) + 0.05 * abs(generator.normal()),
      "log_z": 6.05 * exp(-Double(step) / 400) + 0.1 * generator.normal(),
      "lr_sensitivity/loss/16": .infinity,
      "tokens_per_s": .nan,
    ]
    if step % 100 == 0 { values["loss/eval"] = loss + 0.02 * generator.normal() }
    for layer in 0..<layers {
      let logit = 5 + 45 * (1 - exp(-Double(step) / 600)) - Double(layer)
      values[MetricCatalog.attentionLogitMax(layer: layer)] =
        logit * exp(0.08 * generator.normal())
      let weights = (0..<experts).map { _ in
        exp((step < 200 ? 2 : 0.3) * generator.normal())
      }
      let total = weights.reduce(0, +)
      for expert in 0..<experts {
        values[MetricCatalog.expertLoad(layer: layer, expert: expert)] = weights[expert] / total
      }
    }
    return values
  }

  /// Feeds steps `range` to `monitor`, each changed by `trouble`, and returns what was said.
  mutating func feed(
    _ monitor: inout AlarmMonitor, _ range: Range<Int>, total: Int = 4000,
    trouble: (Int, inout [MetricName: Double]) -> Void = { _, _ in }
  ) -> [RunEvent] {
    range.flatMap { step in
      var values = self.step(step, of: total)
      trouble(step, &values)
      let names = values.keys.sorted()
      let samples = StepSamples(
        step: step, wallTime: Double(step), names: names, values: names.map { values[$0] ?? .nan })
      return monitor.observe(samples, settings: settings, remainingSteps: total - step - 1)
    }
  }
}
