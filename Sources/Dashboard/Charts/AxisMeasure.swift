import Foundation
import Signals
import Telemetry

/// What an axis counts at a step, and where that lies.
struct AxisMeasure: Sendable {
  struct Tick {
    var place: Double
    var text: String
  }

  let kind: AxisKind
  let isLog: Bool
  let tokens: TokenCount?
  let times: Series
  /// Of an axis that a metric counts.
  private let counts: Series
  let start: Double
  let secondsPerStep: Double
  private let clock: ClockText
  private var bounds: (Double, Double)

  init(_ context: PaneContext, steps: Range<Int>) {
    let times = context.history.wallTimes
    tokens = context.axis == .tokens ? TokenCount(context.history) : nil
    let first = times.isEmpty ? 0 : times.value(atIndex: 0)
    let duration = (times.lastValue ?? 0) - first
    let count = (times.lastStep ?? 0) - (times.firstStep ?? 0)
    secondsPerStep = count > 0 ? duration / Double(count) : 0
    start = first
    isLog = context.isLogX
    self.times = context.axis == .time || context.axis == .clock ? times : Series()
    var counts = Series()
    if case .metric(let name) = context.axis { counts = context.history[name] ?? Series() }
    self.counts = counts
    clock = ClockText(origin: first + Double(context.secondsFromGMT))
    switch context.axis {
    case .tokens where tokens != nil: kind = .tokens
    case .time where secondsPerStep > 0: kind = .time
    case .clock where secondsPerStep > 0: kind = .clock
    case .metric where !counts.isEmpty: kind = context.axis
    case .step, .tokens, .time, .clock, .metric: kind = .step
    }
    bounds = (0, 0)
    bounds = (amount(of: steps.lowerBound), amount(of: steps.upperBound - 1))
  }

  var unit: String { kind.words }

  private var grain: Double {
    switch kind {
    case .step: 1
    case .tokens: tokens?.firstStep ?? 1
    case .time, .clock: secondsPerStep
    case .metric: 1
    }
  }

  func amount(of step: Int) -> Double {
    switch kind {
    case .step: return Double(step)
    case .tokens: return tokens?.tokens(before: step) ?? Double(step)
    case .time, .clock:
      if let last = times.lastStep, step > last {
        return (times.lastValue ?? 0) - start + Double(step - last) * secondsPerStep
      }
      return (times.value(atOrBefore: step) ?? start) - start
    case .metric:
      let value = counts.value(atOrBefore: step) ?? counts.value(atIndex: 0)
      return value.isFinite ? value : 0
    }
  }

  /// Where on an axis that is even in steps such a share of it lies; nil on others.
  func step(atShare share: Double, of steps: Range<Int>) -> Int? {
    guard kind == .step, !isLog, share.isFinite else { return nil }
    return steps.lowerBound + Int(share * Double(steps.count - 1))
  }

  func place(of step: Int) -> Double { place(ofAmount: amount(of: step)) }

  private func place(ofAmount amount: Double) -> Double {
    isLog ? log(1 + max(0, amount) / grain) : amount
  }

  /// What stands at the right end, exact.
  func text(of step: Int) -> String { text(ofAmount: amount(of: step), isExact: true) }

  private func text(ofAmount amount: Double, isExact: Bool) -> String {
    switch kind {
    case .step: NumberText.grouped(amount)
    case .tokens: amount < 1000 ? NumberText.grouped(amount) : NumberText.compact(amount)
    case .time: NumberText.duration(seconds: amount)
    case .clock: clock.text(after: amount, span: bounds.1 - bounds.0, isExact: isExact)
    case .metric: NumberText.compact(amount, digits: isExact ? 4 : 3)
    }
  }

  func ticks(atMost limit: Int) -> [Tick] {
    amounts(atMost: limit).map {
      Tick(place: place(ofAmount: $0), text: text(ofAmount: $0, isExact: false))
    }
  }

  private func amounts(atMost limit: Int) -> [Double] {
    let (low, high) = bounds
    guard high > low else { return [low] }
    if isLog {
      let top = Int(log10(max(high, 1)).rounded(.down))
      return [0] + (0...max(0, top)).map { pow(10, Double($0)) }.filter { $0 >= low && $0 <= high }
    }
    let step = tickStep(atLeast: (high - low) / Double(limit))
    // Round times of day, not round times since the run began.
    let origin = kind == .clock ? clock.origin.truncatingRemainder(dividingBy: 86_400) : 0
    let (first, last) = RoundNumber.factors(of: step, from: low + origin, to: high + origin)
    let count = Int(last - first)
    return count < 0 ? [] : (0...count).map { (first + Double($0)) * step - origin }
  }

  private func tickStep(atLeast value: Double) -> Double {
    guard kind == .time || kind == .clock else {
      return max(kind == .step ? 1 : 0, RoundNumber.step(atLeast: value))
    }
    let rounds: [Double] = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400]
    if kind == .clock, value > 14_400 {
      return [21_600, 43_200].first { $0 >= value } ?? 86_400
        * RoundNumber.step(atLeast: value / 86_400)
    }
    return rounds.first { $0 >= value } ?? 21_600 * RoundNumber.step(atLeast: value / 21_600)
  }
}

/// Times of day as an axis shows them.
private struct ClockText: Sendable {
  /// What amount 0 is: seconds since 1970 by the clock of the person's place.
  let origin: Double

  private static let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]

  /// `14:05:20`; without seconds where the axis spans hours, with the day where it spans days.
  func text(after amount: Double, span: Double, isExact: Bool) -> String {
    let local = origin + amount
    guard local.isFinite, abs(local) < 1e14 else { return "–" }
    let seconds = Int(local.rounded(.down))
    let day = Int((Double(seconds) / 86_400).rounded(.down))
    let rest = seconds - day * 86_400
    let minutes = String(format: "%02d:%02d", rest / 3600, rest / 60 % 60)
    if span < 3600 { return minutes + String(format: ":%02d", rest % 60) }
    guard span >= 86_400 else { return minutes }
    let date = date(ofDay: day)
    return isExact ? "\(date) \(minutes)" : rest == 0 ? date : minutes
  }

  /// Of a day since 1970, after the proleptic Gregorian calendar.
  private func date(ofDay day: Int) -> String {
    let shifted = day + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let ofEra = shifted - era * 146_097
    let year = (ofEra - ofEra / 1460 + ofEra / 36_524 - ofEra / 146_096) / 365
    let ofYear = ofEra - (365 * year + year / 4 - year / 100)
    let month = (5 * ofYear + 2) / 153
    return "\(ofYear - (153 * month + 2) / 5 + 1) \(Self.months[(month + 2) % 12])"
  }
}
