import Foundation
import Screen
import Signals

/// One line of a chart: a series and how it is drawn.
struct ChartLine: Sendable {
  enum Shape: Sendable, Equatable {
    /// From the smallest to the largest value that each column covers: no spike is lost.
    case range
    /// One value a column, joined.
    case joined
    /// A sign in each cell that holds a sample, joined by nothing.
    case spots
  }

  var series: Series
  /// Values drawn in place of the series' own, one for each of its samples.
  var values: [Double]?
  var shape: Shape
  var role: Role
  /// What the cursor calls it; nil where the cursor leaves it out.
  var name: String?
  /// Whether the cursor leaves it out first where there is little room.
  var isDetail = false
  /// What stands at its end, where the chart names its lines.
  var ending: String?
  /// Whether the axis is chosen so that it holds this line.
  var isMeasured = true
  /// Whether it stands alone in the cells it goes through, so that it stays thin over others.
  var isInFront = false
  /// Whether it shows what is still to come, so that the playhead does not end it.
  var isForecast = false
  /// The series' own step for a step of the axis, where the two count differently.
  var counterpart: (@Sendable (Int) -> Int)?

  /// What one column of dots shows of a line.
  struct Column: Sendable, Equatable {
    var x: Int
    var low: Double
    var high: Double
    /// The value that the joined line goes through.
    var middle: Double
    var isNonFinite: Bool
  }

  /// The columns that hold samples, from left to right; nothing after `playhead`.
  func columns(_ time: TimeScale, playhead: Int) -> [Column] {
    var edges = isForecast ? time.edges : time.edges.map { min($0, playhead + 1) }
    if let counterpart { edges = edges.map(counterpart) }
    guard edges.count > 1, !series.isEmpty else { return [] }
    guard let values else {
      return series.columns(edges: edges).enumerated().compactMap { x, summary in
        guard !summary.isEmpty else { return nil }
        return Column(
          x: x, low: summary.minimum, high: summary.maximum, middle: summary.mean,
          isNonFinite: summary.nonFiniteCount > 0)
      }
    }
    let indices = edges.map { min(series.index(atOrAfter: $0), values.count) }
    return (0..<edges.count - 1).compactMap { x in
      guard indices[x] < indices[x + 1] else { return nil }
      let value = values[indices[x + 1] - 1]
      return Column(x: x, low: value, high: value, middle: value, isNonFinite: !value.isFinite)
    }
  }

  /// The first sample at or after `step` that is not finite.
  func firstNonFinite(from step: Int) -> (step: Int, value: Double) {
    let start = series.index(atOrAfter: step)
    let index = (start..<series.count).first { !series.value(atIndex: $0).isFinite }
    return index.map { (series.step(atIndex: $0), series.value(atIndex: $0)) } ?? (step, .nan)
  }

  /// The value at the last sample up to `step`; another run has none after its end.
  func value(at step: Int) -> Double? {
    let step = counterpart?(step) ?? step
    if isForecast, step > series.lastStep ?? 0 { return nil }
    return series.value(atOrBefore: step)
  }
}

extension ChartLine {
  /// Draws the line's dots. A gap in the samples is bridged, a value that is not finite is not.
  func draw(
    _ columns: [Column], on canvas: inout BrailleCanvas, scale: ValueScale, pen: BrailleCanvas.Pen
  ) {
    var last: Column?
    func row(_ value: Double) -> Int { scale.dotRow(of: value, dotRows: canvas.dotRows) }
    for column in columns {
      guard column.low <= column.high else {
        last = nil
        continue
      }
      switch shape {
      case .range:
        if let last, column.x > last.x + 1 {
          canvas.join((last.x, row(last.middle)), (column.x, row(column.middle)), pen: pen)
        }
        let (top, bottom) = bridged(column, after: last, row)
        canvas.span(x: column.x, from: top, to: bottom, pen: pen)
      case .joined:
        let end = (x: column.x, y: row(column.middle))
        let start = last.map { (x: $0.x, y: row($0.middle)) } ?? end
        canvas.join(start, end, pen: pen)
      case .spots:
        continue
      }
      last = column
    }
  }

  /// A range that the one in the column before does not touch is drawn up to it.
  private func bridged(
    _ column: Column, after last: Column?, _ row: (Double) -> Int
  ) -> (Int, Int) {
    let top = row(column.high)
    let bottom = row(column.low)
    guard let last, column.x == last.x + 1 else { return (top, bottom) }
    let lastTop = row(last.high)
    let lastBottom = row(last.low)
    if lastBottom < top - 1 { return (lastBottom + 1, bottom) }
    if lastTop > bottom + 1 { return (top, lastTop - 1) }
    return (top, bottom)
  }
}

extension BrailleCanvas {
  /// Joins two places: next to each other by a step at the right one, so that a line that falls
  /// within a column stays one dot wide; further apart by a straight line.
  mutating func join(_ start: (x: Int, y: Int), _ end: (x: Int, y: Int), pen: Pen) {
    guard end.x - start.x <= 1 else { return line(from: start, to: end, pen: pen) }
    let from = start.y < end.y - 1 ? start.y + 1 : (start.y > end.y + 1 ? start.y - 1 : end.y)
    span(x: end.x, from: from, to: end.y, pen: pen)
  }
}
