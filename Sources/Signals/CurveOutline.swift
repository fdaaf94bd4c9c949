/// A long line as a few points, enough to tell its course: what a list of runs draws of each.
///
/// A point is the mean of the finite samples of a stretch of steps, averaged with its neighbours on
/// both sides, so that the line lags behind nothing. A stretch without a finite sample is a NaN. A
/// line of fewer samples keeps its own steps.
package struct CurveOutline: Sendable, Hashable {
  package private(set) var steps: [Int] = []
  package private(set) var values: [Double] = []

  package static let mostPoints = 400

  package init() {}

  /// `reach` is the share of the points, on each side, that a point is averaged with.
  package init(of series: Series, mostPoints: Int = Self.mostPoints, reach: Double = 0.01) {
    guard let first = series.firstStep, let last = series.lastStep, mostPoints > 0 else { return }
    guard series.count > mostPoints else {
      steps = series.steps
      values = Self.smoothed(series.values, reach: Int(Double(series.count) * reach))
      return
    }
    let count = min(mostPoints, last - first + 1)
    let edges = (0...count).map {
      first + Int(Double(last + 1 - first) * Double($0) / Double(count))
    }
    let columns = series.columns(edges: edges)
    var means: [Double] = []
    for (index, column) in columns.enumerated() where !column.isEmpty {
      // The last point stands at the last step, so that a line ends where its run does.
      steps.append(index == count - 1 ? last : edges[index])
      means.append(column.mean)
    }
    values = Self.smoothed(means, reach: Int(Double(means.count) * reach))
  }

  package var isEmpty: Bool { steps.isEmpty }

  /// The points as a series, for a chart.
  package var series: Series { Series(steps: steps, values: values) }

  private static func smoothed(_ values: [Double], reach: Int) -> [Double] {
    guard reach > 0 else { return values }
    return values.indices.map { index in
      guard values[index].isFinite else { return .nan }
      let near = values[max(0, index - reach)...min(values.count - 1, index + reach)]
      let finite = near.filter(\.isFinite)
      return finite.reduce(0, +) / Double(finite.count)
    }
  }
}
