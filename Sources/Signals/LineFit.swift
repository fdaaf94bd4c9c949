/// The straight line of least squares through points.
struct LineFit: Sendable {
  let slope: Double
  /// Standard error of the slope, from the scatter about the line; 0 where there is none.
  let slopeError: Double
  private let center: (x: Double, y: Double)

  /// Nil below three points or where all have the same x.
  init?(_ points: [(x: Double, y: Double)]) {
    guard points.count >= 3 else { return nil }
    let count = Double(points.count)
    let x = points.reduce(0) { $0 + $1.x } / count
    let y = points.reduce(0) { $0 + $1.y } / count
    let spread = points.reduce(0) { $0 + ($1.x - x) * ($1.x - x) }
    guard spread > 0 else { return nil }
    let slope = points.reduce(0) { $0 + ($1.x - x) * ($1.y - y) } / spread
    let scatter = points.reduce(0.0) { total, point in
      let residual = point.y - y - slope * (point.x - x)
      return total + residual * residual
    }
    self.slope = slope
    slopeError = (scatter / (count - 2) / spread).squareRoot()
    center = (x, y)
  }

  func value(at x: Double) -> Double { center.y + slope * (x - center.x) }
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
