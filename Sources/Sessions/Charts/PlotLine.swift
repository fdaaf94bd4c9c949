import Foundation
import Signals

/// One line of a drawn chart, as fine as the chart can show it.
package struct PlotLine: Sendable {
  package struct Point: Sendable, Equatable {
    package let step: Int
    package let value: Double
  }

  /// What a stretch of steps covers.
  struct Reach: Sendable, Equatable {
    let step: Int
    let low: Double
    let high: Double
  }

  /// What stands beside its end; empty where the title says it.
  package var label: String
  /// Its place among the colours.
  var hue: Int
  /// The line that leads the eye.
  package var points: [Point] = []
  /// The lowest and highest of all samples, never thinned: no spike is averaged away.
  var envelope: [Reach] = []
  /// What later generations superseded.
  var superseded: [[Point]] = []
  /// Steps without a finite value.
  var nonFinite: [Int] = []
  /// Whether so few points are drawn that each gets a dot.
  var hasDots = false
  var isStrong = true
  /// The last sample itself, which smoothing would hide.
  var last: Double?
}

/// How a series becomes a line.
package struct LineMaking: Sendable {
  /// Steps shown, first to last.
  let steps: ClosedRange<Int>
  /// Columns that the chart can tell apart.
  var columns = 370
  /// The share that the past keeps at each sample; nil draws each column's last sample.
  var smoothing: Double?
  /// Whether ratios are what the chart shows: then they are what is smoothed.
  var isLogarithmic = false

  /// The borders of the columns.
  var edges: [Int] {
    let span = steps.upperBound - steps.lowerBound + 1
    let count = min(columns, span)
    return (0...count).map { column in
      steps.lowerBound + Int(Double(span) * Double(column) / Double(count))
    }
  }

  func line(_ series: Series, label: String, hue: Int) -> PlotLine {
    var line = PlotLine(label: label, hue: hue)
    line.last = series.lastValue
    line.hasDots = series.count <= 40
    let edges = edges
    let smooth = smoothing.flatMap { series.count > 60 ? smoothed(series, weight: $0) : nil }
    for (column, summary) in series.columns(edges: edges).enumerated() where !summary.isEmpty {
      let step = (edges[column] + edges[column + 1] - 1) / 2
      if summary.nonFiniteCount > 0 {
        let first = series.index(atOrAfter: edges[column])
        let found = series.values[first...].firstIndex { !$0.isFinite }
        line.nonFinite.append(found.map { series.steps[$0] } ?? edges[column])
      }
      guard summary.finiteCount > 0 else { continue }
      line.envelope.append(.init(step: step, low: summary.minimum, high: summary.maximum))
      guard let index = series.index(atOrBefore: edges[column + 1] - 1) else { continue }
      let value = smooth?[index] ?? series.values[index]
      let place = summary.finiteCount == 1 ? series.steps[index] : step
      if value.isFinite { line.points.append(.init(step: place, value: value)) }
    }
    // Where nothing is smoothed and no column covers two values the line itself is the envelope.
    if smooth == nil, line.envelope.allSatisfy({ $0.low == $0.high }) { line.envelope = [] }
    return line
  }

  func smoothed(_ series: Series, weight: Double) -> [Double] {
    var average = TrailingAverage(weight: weight)
    guard isLogarithmic else { return series.values.map { average.add($0) } }
    return series.values.map { value in
      value > 0 && value.isFinite ? exp(average.add(log(value))) : value
    }
  }

  /// A superseded stretch, thinned to what can be seen.
  func faint(_ series: Series) -> [PlotLine.Point] {
    let edges = edges
    return series.columns(edges: edges).enumerated().compactMap { column, summary in
      guard summary.finiteCount > 0,
        let last = series.value(atOrBefore: edges[column + 1] - 1)
      else { return nil }
      return PlotLine.Point(
        step: edges[column], value: last.isFinite ? last : summary.maximum)
    }
  }
}

extension PlotLine {
  /// The least and greatest of what is drawn; nil where nothing is.
  package var range: (low: Double, high: Double)? {
    let values =
      points.map(\.value) + envelope.map(\.low) + envelope.map(\.high)
      + superseded.flatMap { $0.map(\.value) }
    guard let low = values.min(), let high = values.max() else { return nil }
    return (low, high)
  }
}
