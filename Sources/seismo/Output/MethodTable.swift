import Formats
import Foundation
import Runs
import Signals

/// What the methods of fine-tuning come to, as lines and as JSON.
struct MethodTable {
  let outcomes: [MethodComparison.Outcome]

  private var methods: [MethodSummary] { MethodSummary.all(outcomes) }

  var lines: [String] {
    guard let first = outcomes.first, let full = methods.first else { return [] }
    let head = [
      "method", "trained", "memory", "seconds", "held-out loss", "against \(full.method)",
    ]
    let rows = methods.map { method in
      [
        method.method, NumberText.grouped(method.parameters),
        NumberText.bytes(Double(method.bytes)), String(format: "%.1f", method.seconds),
        String(format: "%.4f", method.loss)
          + (method.error.map { String(format: " ± %.4f", $0) } ?? ""),
        method == full ? "" : String(format: "%+.4f", method.loss - full.loss),
      ]
    }
    let seeds = full.losses.count
    return TextTable.lines([head] + rows, rightAligned: [1, 2, 3, 5]) + [
      "before any of it \(String(format: "%.4f", first.firstLoss)) nats/token; "
        + (seeds == 1 ? "one seed" : "\(seeds) seeds, ± the standard error of their mean")
    ] + methods.compactMap(Self.phase)
  }

  /// Memory is that of what is left.
  private static func phase(_ method: MethodSummary) -> String? {
    guard let cost = method.estimating else { return nil }
    return "\(method.method): \(String(format: "%.1f", cost.seconds)) of its seconds, in"
      + " \(NumberText.bytes(Double(cost.bytes))), found out what to cut out before"
  }

  var json: String {
    JSONLines.object([
      ("first_loss", JSONLines.number(outcomes.first?.firstLoss ?? .nan)),
      ("methods", "[\(methods.map(Self.json).joined(separator: ","))]"),
    ])
  }

  private static func json(_ method: MethodSummary) -> String {
    let estimating = method.estimating.map {
      [
        ("estimating_seconds", JSONLines.number($0.seconds)), ("estimating_bytes", "\($0.bytes)"),
      ]
    }
    return JSONLines.object(
      [
        ("method", JSONLines.quoted(method.method)), ("parameters", "\(method.parameters)"),
        ("bytes", "\(method.bytes)"), ("seconds", JSONLines.number(method.seconds)),
        ("loss", JSONLines.number(method.loss)),
        ("losses", "[\(method.losses.map { JSONLines.number($0) }.joined(separator: ","))]"),
      ] + (estimating ?? []))
  }
}
