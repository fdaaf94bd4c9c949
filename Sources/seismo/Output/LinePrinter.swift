import Foundation
import Signals
import Telemetry

/// Tells of a run in plain lines, for pipes, logs and terminals without a screen.
struct LinePrinter {
  private let interval: Int
  private let total: String

  init(totalSteps: Int) {
    interval = min(max(1, totalSteps / 50), 100)
    total = NumberText.grouped(totalSteps)
  }

  /// The line that `record` is worth, if any.
  func line(_ record: RunRecord) -> String? {
    switch record {
    case .samples(let samples): line(samples)
    case .event(let event): Self.line(event)
    case .console(_, let line): line
    case .damage(let damage, _): damage.line
    default: nil
    }
  }

  private func line(_ samples: StepSamples) -> String? {
    guard samples.step % interval == 0 else { return nil }
    var parts = ["step \(NumberText.grouped(samples.step))/\(total)"]
    for (label, name) in Self.columns {
      guard let value = samples[name] else { continue }
      parts.append("\(label) \(NumberText.compact(value))")
    }
    return parts.joined(separator: "  ")
  }

  private static let columns: [(label: String, name: MetricName)] = [
    ("loss", MetricCatalog.loss), ("held-out", MetricCatalog.evalLoss),
    ("lr", MetricCatalog.learningRate), ("logits", MetricCatalog.attentionLogitMax),
    ("grad", MetricCatalog.gradNorm), ("imbalance", MetricCatalog.expertMaxViolation(layer: 0)),
    ("tokens/s", MetricCatalog.tokensPerSecond),
  ]

  private static func line(_ event: RunEvent) -> String {
    let isPlain = event.by == "run" || event.by == event.kind.rawValue
    let author = isPlain ? "" : "\(event.by): "
    let hint = event.hint.map { "  (\($0))" } ?? ""
    let step = NumberText.grouped(event.step)
    return "step \(step)  \(event.kind.rawValue)  \(author)\(event.text)\(hint)"
  }
}
