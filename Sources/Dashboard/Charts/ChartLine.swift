import Foundation
import Screen
import Signals

/// One line of a chart: a series and how it is drawn.
struct ChartLine: Sendable {
  enum Shape: Sendable, Equatable {
    /// From the smallest to the largest value that each column covers, on from its last to the
    /// next one's first: what was recorded, and nothing else.
    case range
    /// One value a column, joined: for what is an average already.
    case average
    /// The range, with each sample a point that can be seen: for what is measured seldom.
    case points
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
  /// The colour of each height, where the value itself is the news.
  var style: (@Sendable (Double) -> Style)?
  /// Whether it shows what is still to come, so that the playhead does not end it.
  var isForecast = false
  /// The series' own step for a step of the axis, where the two count differently.
  var counterpart: (@Sendable (Int) -> Int)?

  /// What one column of dots shows of a line.
  struct Column: Sendable, Equatable {
    var x: Int
    var low: Double
    var high: Double
    /// Where the line comes in and goes out across columns without samples.
    var first: Double
    var last: Double
    var isNonFinite: Bool

    init(x: Int, low: Double, high: Double, isNonFinite: Bool = false) {
      (self.x, self.low, self.high, self.isNonFinite) = (x, low, high, isNonFinite)
      (first, last) = (low, low)
    }

    var isFinite: Bool { low <= high }
  }

  /// The columns that hold samples, from left to right; nothing after `playhead`.
  func columns(_ time: TimeScale, playhead: Int) -> [Column] {
    var edges = isForecast ? time.edges : time.edges.map { min($0, playhead + 1) }
    if let counterpart { edges = edges.map(counterpart) }
    guard edges.count > 1, !series.isEmpty else { return [] }
    if let values { return columns(edges, of: values) }
    var columns = series.columns(edges: edges).enumerated().compactMap { x, summary -> Column? in
      guard !summary.isEmpty else { return nil }
      guard shape != .average else {
        return Column(x: x, low: summary.mean, high: summary.mean)
      }
      return Column(
        x: x, low: summary.minimum, high: summary.maximum,
        isNonFinite: summary.nonFiniteCount > 0)
    }
    if shape != .average { measureEnds(of: &columns, edges) }
    return columns
  }

  /// The last of the values that each column covers.
  private func columns(_ edges: [Int], of values: [Double]) -> [Column] {
    let indices = edges.map { min(series.index(atOrAfter: $0), values.count) }
    return (0..<edges.count - 1).compactMap { x in
      guard indices[x] < indices[x + 1] else { return nil }
      let value = values[indices[x + 1] - 1]
      return Column(x: x, low: value, high: value, isNonFinite: !value.isFinite)
    }
  }

  /// Only beside a gap do a column's first and last sample matter: else the ranges touch.
  private func measureEnds(of columns: inout [Column], _ edges: [Int]) {
    for index in columns.indices where columns[index].low < columns[index].high {
      let x = columns[index].x
      if index > 0, columns[index - 1].x + 1 < x {
        columns[index].first = series.value(atIndex: series.index(atOrAfter: edges[x]))
      }
      if index + 1 == columns.count || columns[index + 1].x > x + 1 {
        columns[index].last = series.value(atOrBefore: edges[x + 1] - 1) ?? columns[index].last
      }
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
      guard column.isFinite else {
        last = nil
        continue
      }
      if let last, shape == .average || column.x > last.x + 1 {
        canvas.join((last.x, row(last.last)), (column.x, row(column.first)), pen: pen)
      }
      let (top, bottom) =
        shape == .average
        ? (row(column.high), row(column.low)) : bridged(column, after: last, row)
      canvas.span(x: column.x, from: top, to: bottom, pen: pen)
      last = column
    }
  }

  /// Draws the samples of columns as points of two by two dots; the upper left or right one is the
  /// value. A column of several has its smallest and its largest.
  func drawPoints(
    _ columns: [Column], on canvas: inout BrailleCanvas, scale: ValueScale, pen: BrailleCanvas.Pen
  ) {
    for column in columns where column.isFinite {
      for value in Set([column.low, column.high]) {
        let row = scale.dotRow(of: value, dotRows: canvas.dotRows)
        guard row >= 0, row < canvas.dotRows else { continue }
        for x in [column.x & ~1, column.x | 1] {
          canvas.span(x: x, from: row, to: min(row + 1, canvas.dotRows - 1), pen: pen)
        }
      }
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
