import Foundation
import Signals

/// The vertical axis of a chart: from values to shares of its height.
///
/// Its ends are rounded outwards to round numbers by the values alone, so that an axis stands still
/// until a value leaves it and looks the same whenever the same values are shown.
struct ValueScale: Sendable, Equatable {
  enum Kind: Sendable, Equatable {
    case linear, logarithmic
  }

  let kind: Kind
  let low: Double
  let high: Double
  /// The distance of the round values that lie in the middle of rows, in decades on a logarithmic
  /// axis; nil where an axis knows of no rows.
  let step: Double?

  /// An axis that holds all from `low` to `high`. What is not finite or, on a logarithmic axis, not
  /// positive does not count.
  init(fitting low: Double, _ high: Double, kind: Kind = .linear) {
    self.kind = kind
    step = nil
    let isUsable = low.isFinite && high.isFinite && low <= high
    let (low, high) = (Self.bounded(low), Self.bounded(high))
    switch kind {
    case .linear:
      (self.low, self.high) = isUsable ? Self.linearEnds(low, high) : (0, 1)
    case .logarithmic:
      (self.low, self.high) = isUsable && high > 0 ? Self.logarithmicEnds(low, high) : (1, 10)
    }
  }

  /// An axis with these very ends.
  init(from low: Double, to high: Double, kind: Kind = .linear, step: Double? = nil) {
    self.kind = kind
    self.step = step
    self.low = low
    self.high = high
  }

  /// 0 at the lower end, 1 at the upper; beyond them, and infinite for what a logarithmic axis
  /// cannot hold.
  func share(of value: Double) -> Double {
    switch kind {
    case .linear: (value - low) / (high - low)
    case .logarithmic: value > 0 ? log(value / low) / log(high / low) : -.infinity
    }
  }

  /// The row of dots that holds `value`, from the top; beyond the rows for what is off the axis.
  func dotRow(of value: Double, dotRows: Int) -> Int {
    let share = min(max(share(of: value), -1e3), 1e3)
    guard !share.isNaN else { return -1 }
    return Int(((1 - share) * Double(dotRows - 1)).rounded())
  }

  /// Within what can be divided and multiplied without leaving the numbers.
  private static func bounded(_ value: Double) -> Double {
    min(max(value, -1e150), 1e150)
  }

  private static func linearEnds(_ low: Double, _ high: Double) -> (Double, Double) {
    let margin = max(abs(low), abs(high)) < 1e-150 ? 1 : max(abs(low), abs(high)) / 4
    guard high > low else { return linearEnds(low - margin, high + margin) }
    let quantum = RoundNumber.step(atLeast: (high - low) / 4) / 2
    let ends = ((low / quantum).rounded(.down) * quantum, (high / quantum).rounded(.up) * quantum)
    let isUsable = ends.0 < ends.1 && ends.0.isFinite && ends.1.isFinite
    return isUsable ? ends : (low - margin, high + margin)
  }

  private static func logarithmicEnds(_ low: Double, _ high: Double) -> (Double, Double) {
    let high = max(high, 1e-150)
    let least = low > 0 ? max(low, 1e-150) : min(high / 1e3, 1)
    let isWide = high / least >= 30
    let bottom = isWide ? RoundNumber.power(atMost: least) : RoundNumber.oneTwoFive(atMost: least)
    let top = isWide ? RoundNumber.power(atLeast: high) : RoundNumber.oneTwoFive(atLeast: high)
    return bottom < top ? (bottom, top) : (bottom / 2, bottom * 2)
  }
}

extension ValueScale {
  /// Round values on the axis, ascending, as many as `limit` allows.
  func ticks(atMost limit: Int) -> [Double] {
    guard limit > 0 else { return [] }
    if let step { return ticks(every: step) }
    switch kind {
    case .linear: return linearTicks(limit)
    case .logarithmic: return logarithmicTicks(limit)
    }
  }

  private func linearTicks(_ limit: Int) -> [Double] {
    var step = RoundNumber.step(atLeast: (high - low) / Double(limit + 1))
    while true {
      let (first, last) = RoundNumber.factors(of: step, from: low, to: high)
      let count = Int(last - first) + 1
      if count < 2 { return limit > 1 ? [low, high] : [high] }
      if count <= limit { return (0..<count).map { (first + Double($0)) * step } }
      step = RoundNumber.step(atLeast: step * 1.5)
    }
  }

  private func logarithmicTicks(_ limit: Int) -> [Double] {
    let (first, last) = RoundNumber.exponents(from: low, to: high)
    if last - first >= 1 {
      let stride = max(1, (last - first + limit) / limit)
      let from = last - (last - first) / stride * stride
      return Swift.stride(from: from, through: last, by: stride).map { pow(10, Double($0)) }
    }
    return limit > 1 ? [low, high] : [high]
  }

  /// What stands beside a tick.
  func label(_ value: Double) -> String {
    switch kind {
    case .logarithmic: return RoundNumber.exponentText(value)
    case .linear:
      if value == 0 { return "0" }
      let reach = max(abs(low), abs(high))
      if reach < 0.095 || reach >= 1e6 { return RoundNumber.shortest(value) }
      if abs(value) >= 1000 { return NumberText.grouped(value) }
      return RoundNumber.plain(value)
    }
  }

  /// What stands beside ticks, all with as many decimals as one of them needs.
  func labels(_ ticks: [Double]) -> [String] {
    let labels = ticks.map(label)
    let isPlain =
      kind == .linear
      && labels.allSatisfy {
        !$0.utf8.contains(UInt8(ascii: "e")) && !$0.utf8.contains(UInt8(ascii: ","))
      }
    guard isPlain else { return labels }
    func decimals(_ text: String) -> Int {
      text.firstIndex(of: ".").map { text.distance(from: $0, to: text.endIndex) - 1 } ?? 0
    }
    let most = labels.map(decimals).max() ?? 0
    return labels.map { text in
      guard text != "0", decimals(text) < most else { return text }
      let dotted = decimals(text) == 0 ? text + "." : text
      return dotted + String(repeating: "0", count: most - decimals(text))
    }
  }
}
