import Screen
import Signals

/// The probe's scales in words: `×¼`, `×4–8`.
struct ProbeWords: Sendable {
  let symbols: Symbols

  private static let fractions: [Double: String] = [0.125: "⅛", 0.25: "¼", 0.5: "½"]

  /// Without the sign before it.
  func number(_ multiplier: Double) -> String {
    guard let fraction = Self.fractions[multiplier] else { return RoundNumber.plain(multiplier) }
    return symbols.isASCII ? "1/\(Int(1 / multiplier))" : fraction
  }

  func label(_ multiplier: Double) -> String { "×" + number(multiplier) }

  func range(_ range: ClosedRange<Double>) -> String {
    let start = label(range.lowerBound)
    if range.lowerBound == range.upperBound { return start }
    if range.upperBound.isInfinite { return start + " or more" }
    return start + (symbols.isASCII ? "-" : "–") + number(range.upperBound)
  }

  /// The best scale and the cliff, each in its colour.
  func spans(_ trend: ProbeTrend) -> [Span] {
    guard !trend.isFlat else { return [Span("flat: nothing above the noise", .faint)] }
    return [
      trend.best.map { Span("best \(range($0))", .good) }
        ?? Span("no gain above the noise", .faint),
      Span(" · ", .faint),
      trend.cliff.map { Span("cliff \(range($0))", .trouble) } ?? Span("no cliff", .faint),
    ]
  }
}
