import Foundation
import Signals
import Telemetry

/// The horizontal axis of a chart: from steps to columns of dots, by step, tokens, the run's time or
/// the clock.
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

  /// Where `step` lies in cells, not rounded: two that are at least so many cells apart here are
  /// drawn no nearer to each other. As a run grows distances only shrink; those of cells flicker.
  func place(of step: Int) -> Double? {
    guard steps.contains(step), dotColumns > 0 else { return nil }
    guard last > first else { return 0 }
    let share = min(max((axis.place(of: step) - first) / (last - first), 0), 1)
    return share * Double(dotColumns - 1) / 2
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
      if let guess = axis.step(atShare: (Double(wanted) - 0.5) / Double(dotColumns - 1), of: steps)
      {
        // The axis is even: the edge lies within a step of where it should.
        let (before, after) = (max(low, guess - 1), min(high, guess + 2))
        if before > low, column(axis.place(of: before - 1), dotColumns, first, last) < wanted {
          low = before
        }
        if after < high, after >= low,
          column(axis.place(of: after), dotColumns, first, last) >= wanted
        {
          high = after
        }
      }
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
  ///
  /// Which values is decided on `shared` columns, so that charts that share them have the same.
  func labels(columns: Int, shared: Int? = nil) -> [Label] {
    let shared = max(1, min(shared ?? columns, columns))
    var labels: [Label] = []
    var free = 0
    let end = endLabel(columns: columns)
    let sharedEnd = shared == columns ? end : endLabel(columns: shared)
    for tick in ticks(shared: shared, before: sharedEnd) {
      let column = Self.column(tick.place, columns * 2, first, last) / 2
      let start = max(0, column - tick.text.count / 2)
      guard start >= free, start + tick.text.count <= columns else { continue }
      labels.append(Label(column: start, text: tick.text))
      free = start + tick.text.count + 2
    }
    guard let end else { return labels }
    labels.removeAll { $0.column + $0.text.count + 2 > end.column }
    return labels + [end]
  }

  /// The round values that have room on `shared` columns beside the right end.
  private func ticks(shared: Int, before end: Label?) -> [AxisMeasure.Tick] {
    guard last > first else { return [] }
    let limit = end.map { $0.column - 2 } ?? shared
    var free = 0
    let width = max(4, axis.text(of: steps.upperBound - 1).count)
    return axis.ticks(atMost: max(2, shared / (width + 2))).filter { tick in
      guard tick.place >= first, tick.place <= last else { return false }
      let column = Self.column(tick.place, shared * 2, first, last) / 2
      let start = max(0, column - tick.text.count / 2)
      guard start >= free, start + tick.text.count <= limit else { return false }
      free = start + tick.text.count + 2
      return true
    }
  }

  private func endLabel(columns: Int) -> Label? {
    let text = axis.text(of: steps.upperBound - 1)
    let long = axis.unit + " " + text
    guard text.count <= columns else { return nil }
    let chosen = long.count * 2 <= columns ? long : text
    return Label(column: columns - chosen.count, text: chosen)
  }
}
