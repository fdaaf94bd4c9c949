import Foundation
import Signals
import Telemetry

/// The vertical axis of a drawn chart: round ends, round ticks, values to shares of its height.
package struct AxisScale: Equatable, Sendable {
  package enum Kind: Equatable, Sendable {
    case linear, logarithmic
  }

  package let kind: Kind
  package let low: Double
  package let high: Double

  /// An axis that holds all from `low` to `high`; from 0 to 1 where these are no range.
  package init(fitting low: Double, _ high: Double, kind: Kind) {
    let isUsable = low.isFinite && high.isFinite && low <= high
    let (low, high) =
      isUsable ? (min(max(low, -1e300), 1e300), min(max(high, -1e300), 1e300)) : (0, 1)
    guard kind == .logarithmic, low > 0 else {
      self.kind = .linear
      (self.low, self.high) = Self.linearEnds(low, high)
      return
    }
    self.kind = .logarithmic
    let ends = (Self.roundDown(low), Self.roundUp(high))
    (self.low, self.high) = ends.0 < ends.1 ? ends : (ends.0 / 2, ends.1 * 2)
  }

  /// An axis with these very ends.
  init(from low: Double, to high: Double, kind: Kind) {
    self.kind = kind
    (self.low, self.high) = (max(low, -1e300), min(high, 1e300))
  }

  /// A logarithmic axis where the values span so much that a linear one would show their largest
  /// alone.
  package static func kind(fitting low: Double, _ high: Double, from ratio: Double = 30) -> Kind {
    low > 0 && high / low >= ratio ? .logarithmic : .linear
  }

  /// Rates read as they are; a loss from its start to its end is a ratio sooner than others.
  static func kind(of series: [Series], _ family: MetricFamily?) -> Kind {
    guard family?.reduction != .last else { return .linear }
    let ranges = series.map { $0.summary(of: 0..<Int.max) }
    return kind(
      fitting: ranges.map(\.minimum).min() ?? .nan, ranges.map(\.maximum).max() ?? .nan,
      from: family?.unit == "nats/token" ? 4 : 30)
  }

  /// 0 at the lower end, 1 at the upper; held within them.
  package func share(of value: Double) -> Double {
    let share =
      switch kind {
      case .linear: (value - low) / (high - low)
      case .logarithmic: value > 0 ? log(value / low) / log(high / low) : 0
      }
    return share.isNaN ? 0 : min(max(share, 0), 1)
  }

  private static func linearEnds(_ low: Double, _ high: Double) -> (Double, Double) {
    guard high > low else {
      let margin = low == 0 ? 1 : abs(low) / 4
      return (low - margin, high + margin)
    }
    let quantum = RoundNumber.step(atLeast: (high - low) / 5) / 2
    let ends = ((low / quantum).rounded(.down) * quantum, (high / quantum).rounded(.up) * quantum)
    return ends.0 < ends.1 && ends.0.isFinite && ends.1.isFinite ? ends : (low, high)
  }

  private static let logarithmicEnds = [1, 1.5, 2, 3, 5, 7, 10]

  private static func roundUp(_ value: Double) -> Double {
    let power = RoundNumber.power(atMost: value)
    return logarithmicEnds.map { $0 * power }.first { $0 >= value * (1 - 1e-9) } ?? 10 * power
  }

  private static func roundDown(_ value: Double) -> Double {
    let power = RoundNumber.power(atMost: value)
    return logarithmicEnds.reversed().map { $0 * power }.first { $0 <= value * (1 + 1e-9) } ?? power
  }
}

extension AxisScale {
  /// Round values on the axis with their labels, ascending, about `count` of them.
  package func ticks(about count: Int) -> [(value: Double, label: String)] {
    let values = kind == .linear ? linearTicks(count) : logarithmicTicks(count)
    guard kind == .linear else { return values.map { ($0, Self.powerLabel($0)) } }
    let spacing = values.count > 1 ? values[1] - values[0] : high - low
    return values.map { ($0, Self.label($0, spacing: spacing, reach: max(abs(low), abs(high)))) }
  }

  private func linearTicks(_ count: Int) -> [Double] {
    let step = RoundNumber.step(atLeast: (high - low) / Double(max(1, count)))
    let (first, last) = RoundNumber.factors(of: step, from: low, to: high)
    guard last >= first, last - first < 100 else { return [low, high] }
    return (0...Int(last - first)).map { (first + Double($0)) * step }
  }

  private func logarithmicTicks(_ count: Int) -> [Double] {
    let (first, last) = RoundNumber.exponents(from: low, to: high)
    guard last - first >= 2 else {
      let digits = [1.0, 2, 3, 5]
      let all = (first - 1...max(last, first)).flatMap { power in
        digits.map { $0 * pow(10, Double(power)) }
      }
      return all.filter { $0 >= low * (1 - 1e-9) && $0 <= high * (1 + 1e-9) }
    }
    let stride = max(1, (last - first + count - 1) / max(1, count))
    return Swift.stride(from: first, through: last, by: stride).map { pow(10, Double($0)) }
  }

  private static func label(_ value: Double, spacing: Double, reach: Double) -> String {
    if value == 0 || abs(value) < spacing * 1e-6 { return "0" }
    let sign = value < 0 ? NumberText.minus : ""
    if reach >= 1e6 || reach < 1e-2 { return sign + scientific(abs(value)) }
    if spacing >= 1 { return NumberText.grouped(value) }
    let decimals = max(0, Int(-log10(spacing * 1.000001).rounded(.down)))
    return sign + String(format: "%.\(decimals)f", abs(value))
  }

  private static func powerLabel(_ value: Double) -> String {
    if value >= 0.00999, value < 99_999 {
      return value >= 0.999
        ? NumberText.grouped(value) : trimmed(String(format: "%.3f", value))
    }
    return scientific(value)
  }

  /// `4e-2`, `1.5e6`.
  private static func scientific(_ value: Double) -> String {
    let parts = String(format: "%.2e", value).split(separator: "e")
    guard parts.count == 2, let exponent = Int(parts[1]) else { return NumberText.compact(value) }
    return trimmed(String(parts[0])) + "e\(exponent)"
  }

  private static func trimmed(_ text: String) -> String {
    guard text.contains(".") else { return text }
    let kept = text.reversed().drop { $0 == "0" }
    return String((kept.first == "." ? kept.dropFirst() : kept).reversed())
  }
}
