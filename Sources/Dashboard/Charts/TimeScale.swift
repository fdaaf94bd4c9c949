import Foundation
import Signals
import Telemetry

/// The horizontal axis of a chart: from steps to columns of dots, by step, tokens or time.
struct TimeScale: Sendable {
  let steps: Range<Int>
  /// Columns of dots, two a cell.
  let dotColumns: Int
  /// Column `i` covers the steps from `edges[i]` up to `edges[i + 1]`.
  let edges: [Int]
  private let axis: AxisMeasure
  private let first: Double
  private let last: Double

  init(_ context: PaneContext, columns: Int) {
    self.init(context, steps: context.window.steps, columns: columns)
  }

  /// An axis over other steps than the window's, such as those to come.
  init(_ context: PaneContext, steps: Range<Int>, columns: Int) {
    self.steps = steps.isEmpty ? steps.lowerBound..<steps.lowerBound + 1 : steps
    dotColumns = max(0, columns) * 2
    axis = AxisMeasure(context, steps: self.steps)
    first = axis.place(of: self.steps.lowerBound)
    last = axis.place(of: self.steps.upperBound - 1)
    edges = Self.edges(self.steps, dotColumns: dotColumns, axis: axis, first: first, last: last)
  }

  /// The column of dots that holds `step`; nil outside the axis.
  func dotColumn(of step: Int) -> Int? {
    guard steps.contains(step), dotColumns > 0 else { return nil }
    return Self.column(axis.place(of: step), dotColumns, first, last)
  }

  /// The cell that holds `step`.
  func column(of step: Int) -> Int? { dotColumn(of: step).map { $0 / 2 } }

  private static func column(
    _ place: Double, _ dotColumns: Int, _ first: Double, _ last: Double
  ) -> Int {
    guard last > first else { return 0 }
    let share = min(max((place - first) / (last - first), 0), 1)
    return Int((share * Double(dotColumns - 1)).rounded())
  }

  /// For each column its first step, by bisection: the axis need not be linear.
  private static func edges(
    _ steps: Range<Int>, dotColumns: Int, axis: AxisMeasure, first: Double, last: Double
  ) -> [Int] {
    guard dotColumns > 0 else { return [] }
    var edges = [steps.lowerBound]
    edges.reserveCapacity(dotColumns + 1)
    for wanted in 1..<max(dotColumns, 2) {
      var low = edges[wanted - 1]
      var high = steps.upperBound
      while low < high {
        let middle = low + (high - low) / 2
        let column = column(axis.place(of: middle), dotColumns, first, last)
        if column < wanted { low = middle + 1 } else { high = middle }
      }
      edges.append(low)
    }
    edges.append(steps.upperBound)
    return Array(edges.suffix(dotColumns + 1))
  }
}

extension TimeScale {
  struct Label: Sendable, Equatable {
    var column: Int
    var text: String
  }

  /// Labels for a row of `columns` cells that neither touch nor are cut: the right end with what
  /// is counted, then round values from the left wherever there is room.
  func labels(columns: Int) -> [Label] {
    let end = endLabel(columns: columns)
    var labels: [Label] = []
    var free = 0
    let limit = end.map { $0.column - 2 } ?? columns
    for tick in axis.ticks(atMost: max(2, columns / 10)) {
      guard last > first, tick.place >= first, tick.place <= last else { continue }
      let column = Self.column(tick.place, dotColumns, first, last) / 2
      let start = max(0, column - tick.text.count / 2)
      guard start >= free, start + tick.text.count <= limit else { continue }
      labels.append(Label(column: start, text: tick.text))
      free = start + tick.text.count + 2
    }
    return labels + [end].compactMap(\.self)
  }

  private func endLabel(columns: Int) -> Label? {
    let text = axis.text(of: steps.upperBound - 1)
    let long = axis.unit + " " + text
    guard text.count <= columns else { return nil }
    let chosen = long.count * 2 <= columns ? long : text
    return Label(column: columns - chosen.count, text: chosen)
  }
}

/// What an axis counts at a step, and where that lies.
private struct AxisMeasure: Sendable {
  struct Tick {
    var place: Double
    var text: String
  }

  let kind: AxisKind
  let isLog: Bool
  let tokensPerStep: Double
  let times: Series
  let start: Double
  let secondsPerStep: Double
  private var bounds: (Double, Double)

  init(_ context: PaneContext, steps: Range<Int>) {
    let model = context.description?.model
    let times = context.history.wallTimes
    tokensPerStep = model.map { Double($0.batch * $0.context) } ?? 0
    let first = times.isEmpty ? 0 : times.value(atIndex: 0)
    let duration = (times.lastValue ?? 0) - first
    let count = (times.lastStep ?? 0) - (times.firstStep ?? 0)
    secondsPerStep = count > 0 ? duration / Double(count) : 0
    start = first
    isLog = context.isLogX
    self.times = context.axis == .time ? times : Series()
    switch context.axis {
    case .tokens where tokensPerStep > 0: kind = .tokens
    case .time where secondsPerStep > 0: kind = .time
    case .step, .tokens, .time: kind = .step
    }
    bounds = (0, 0)
    bounds = (amount(of: steps.lowerBound), amount(of: steps.upperBound - 1))
  }

  var unit: String {
    switch kind {
    case .step: "step"
    case .tokens: "tokens"
    case .time: "time"
    }
  }

  private var grain: Double {
    switch kind {
    case .step: 1
    case .tokens: tokensPerStep
    case .time: secondsPerStep
    }
  }

  func amount(of step: Int) -> Double {
    switch kind {
    case .step: return Double(step)
    case .tokens: return Double(step) * tokensPerStep
    case .time:
      if let last = times.lastStep, step > last {
        return (times.lastValue ?? 0) - start + Double(step - last) * secondsPerStep
      }
      return (times.value(atOrBefore: step) ?? start) - start
    }
  }

  func place(of step: Int) -> Double { place(ofAmount: amount(of: step)) }

  private func place(ofAmount amount: Double) -> Double {
    isLog ? log(1 + max(0, amount) / grain) : amount
  }

  func text(of step: Int) -> String { text(ofAmount: amount(of: step)) }

  private func text(ofAmount amount: Double) -> String {
    switch kind {
    case .step: NumberText.grouped(amount)
    case .tokens: amount < 1000 ? NumberText.grouped(amount) : NumberText.compact(amount)
    case .time: NumberText.duration(seconds: amount)
    }
  }

  func ticks(atMost limit: Int) -> [Tick] {
    amounts(atMost: limit).map { Tick(place: place(ofAmount: $0), text: text(ofAmount: $0)) }
  }

  private func amounts(atMost limit: Int) -> [Double] {
    let (low, high) = bounds
    guard high > low else { return [low] }
    if isLog {
      let top = Int(log10(max(high, 1)).rounded(.down))
      return [0] + (0...max(0, top)).map { pow(10, Double($0)) }.filter { $0 >= low && $0 <= high }
    }
    let step = tickStep(atLeast: (high - low) / Double(limit))
    let first = (low / step - 1e-9).rounded(.up)
    let count = Int((high / step + 1e-9).rounded(.down) - first)
    return count < 0 ? [] : (0...count).map { (first + Double($0)) * step }
  }

  private func tickStep(atLeast value: Double) -> Double {
    guard kind == .time else { return max(kind == .step ? 1 : 0, RoundNumber.step(atLeast: value)) }
    let rounds: [Double] = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400]
    return rounds.first { $0 >= value } ?? 21_600 * RoundNumber.step(atLeast: value / 21_600)
  }
}
