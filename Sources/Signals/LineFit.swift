/// The straight line of least squares through points.
package struct LineFit: Sendable {
  package let slope: Double
  /// The share of the variance of y that the line explains, from 0 to 1; 0 where y is constant.
  let explainedShare: Double
  /// The points' mean, which lies on the line.
  let center: (x: Double, y: Double)

  /// - Parameters:
  ///   - points: of which not all have the same x; nil otherwise.
  ///   - least: nil below so many points.
  package init?(_ points: [(x: Double, y: Double)], least: Int = 3) {
    guard points.count >= max(1, least) else { return nil }
    let count = Double(points.count)
    let x = points.reduce(0) { $0 + $1.x } / count
    let y = points.reduce(0) { $0 + $1.y } / count
    let spread = points.reduce(0) { $0 + ($1.x - x) * ($1.x - x) }
    guard spread > 0 else { return nil }
    let slope = points.reduce(0) { $0 + ($1.x - x) * ($1.y - y) } / spread
    let variation = points.reduce(0) { $0 + ($1.y - y) * ($1.y - y) }
    self.slope = slope
    explainedShare = variation > 0 ? min(1, slope * slope * spread / variation) : 0
    center = (x, y)
  }

  package func value(at x: Double) -> Double { center.y + slope * (x - center.x) }
}

extension Collection where Element == Double {
  /// The middle value, the mean of both where there are two; NaN where there is none.
  var median: Double {
    guard !isEmpty else { return .nan }
    let sorted = sorted()
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }

  var mean: Double { isEmpty ? .nan : reduce(0, +) / Double(count) }
}
