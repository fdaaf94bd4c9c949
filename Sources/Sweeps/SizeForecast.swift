import Foundation
import Training

/// How a number grows with the model's size at one rate, and at which size it will pass a limit.
///
/// ln y = c₀ + c₁·ln N + c₂·(ln N)² by least squares over the sizes, each the geometric mean of its
/// seeds; a straight line where there are two sizes.
/// - Source: Wortsman et al. 2023 (2309.14322), section 4: a quadratic of the largest attention logit
///   over the parameter count, at a fixed step, drawn on log axes.
package struct SizeForecast: Sendable {
  /// What was measured at a size.
  package struct Point: Sendable, Equatable {
    /// Weights without embedding and unembedding.
    package let parameters: Int
    /// A value a seed.
    package let values: [Double]

    package init(parameters: Int, values: [Double]) {
      (self.parameters, self.values) = (parameters, values)
    }

    var logSize: Double { log(Double(parameters)) }
    var logValues: [Double] { values.map { log($0) } }
    package var mean: Double { exp(logMean) }
    var logMean: Double { logValues.reduce(0, +) / Double(values.count) }

    /// Of the mean of the seeds' logarithms, squared; nil for one seed.
    var variance: Double? {
      guard values.count > 1 else { return nil }
      let mean = logMean
      let squares = logValues.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      return squares / Double(values.count - 1) / Double(values.count)
    }
  }

  /// What the fit without the largest size says of it.
  package struct HeldOut: Sendable, Equatable {
    package let parameters: Int
    package let predicted: Double
    package let measured: Double
  }

  /// By size.
  package let points: [Point]
  /// c₀, c₁, c₂ over the natural logarithm of the count; empty below two sizes.
  package let coefficients: [Double]
  /// The size at which the limit is passed; nil where the fit never comes to it.
  package let limitParameters: Double?
  /// Between which nine in ten sizes lie, by residuals and seeds; the upper end is infinite where
  /// some never pass.
  package let interval: (low: Double, high: Double)?
  /// Nil below three sizes.
  package let heldOut: HeldOut?
  /// Why it must not be believed.
  package let doubts: [String]

  private static let draws = 400
  private static let farthest = 30.0

  /// - Parameters:
  ///   - points: what was measured; values that are no positive number are left out.
  ///   - limit: what must not be passed, from below or, where the values lie above it, from above.
  package init(_ points: [Point], limit: Double) {
    let known = points.map { point in
      Point(
        parameters: point.parameters, values: point.values.filter { $0 > 0 && $0.isFinite })
    }.filter { !$0.values.isEmpty }.sorted { $0.parameters < $1.parameters }
    self.points = known
    let fit = Fit(known.map { ($0.logSize, $0.logMean) })
    coefficients = fit?.coefficients ?? []
    let (first, last) = (known.first?.mean ?? 0, known.last?.mean ?? 0)
    // What lies above the limit at all sizes comes down to it, or has passed it before.
    let isRising = first < limit || last > first
    limitParameters = fit?.crossing(log(limit), isRising: isRising).map { exp($0) }
    interval = fit.flatMap { Self.interval($0, known, limit: log(limit), isRising: isRising) }
    heldOut = Self.heldOut(known)
    doubts = Self.doubts(known, fit, limitParameters, isRising: isRising)
  }

  /// What the fit says of a size; nil where there is none.
  package func value(at parameters: Double) -> Double? {
    guard !coefficients.isEmpty else { return nil }
    let x = log(parameters)
    return exp(coefficients.reversed().reduce(0) { $0 * x + $1 })
  }

  private static func heldOut(_ points: [Point]) -> HeldOut? {
    guard points.count >= 3, let last = points.last,
      let fit = Fit(points.dropLast().map { ($0.logSize, $0.logMean) })
    else { return nil }
    return HeldOut(
      parameters: last.parameters, predicted: exp(fit.value(at: last.logSize)),
      measured: last.mean)
  }

  /// Fits points drawn around the fit, as far as residuals and seeds let them lie.
  private static func interval(
    _ fit: Fit, _ points: [Point], limit: Double, isRising: Bool
  ) -> (low: Double, high: Double)? {
    let free = points.count - fit.terms
    let squares = points.reduce(0.0) {
      let rest = $1.logMean - fit.value(at: $1.logSize)
      return $0 + rest * rest
    }
    let residual = free > 0 ? squares / Double(free) : 0
    var noise = NormalNoise()
    let crossings = (0..<draws).compactMap { _ -> Double? in
      let drawn: [(x: Double, y: Double)] = points.map { point in
        let deviation = max(residual, point.variance ?? 0).squareRoot()
        return (point.logSize, fit.value(at: point.logSize) + deviation * noise.next())
      }
      return Fit(drawn).map { $0.crossing(limit, isRising: isRising) ?? .infinity }
    }.sorted()
    guard !crossings.isEmpty else { return nil }
    let low = crossings[crossings.count / 20]
    guard low.isFinite else { return nil }
    let high = crossings[crossings.count - 1 - crossings.count / 20]
    return (exp(low), exp(high))
  }

  private static func doubts(
    _ points: [Point], _ fit: Fit?, _ limit: Double?, isRising: Bool
  ) -> [String] {
    var doubts: [String] = []
    if points.count < 4 {
      doubts.append(
        "\(points.count) size\(points.count == 1 ? "" : "s"), four at least are needed")
    }
    if let limit, let last = points.last, limit > farthest * Double(last.parameters) {
      doubts.append("the limit lies more than \(Int(farthest)) times beyond the largest size")
    }
    if let fit, let last = points.last,
      limit == nil || (fit.slope(at: last.logSize) > 0) != isRising
    {
      doubts.append("the fit bends back: beyond the sizes it turns away from the limit")
    }
    return doubts
  }
}

/// Numbers of the standard normal distribution, the same ones each time.
private struct NormalNoise {
  private let generator = CounterGenerator(seed: 0, stream: "forecast")
  private var counter: UInt64 = 0

  /// By Box and Muller.
  mutating func next() -> Double {
    defer { counter += 2 }
    let (one, two) = (generator.fraction(at: counter), generator.fraction(at: counter + 1))
    return (-2 * log(1 - one)).squareRoot() * cos(2 * .pi * two)
  }
}

/// A polynomial of least squares, of the second degree where there are three points.
private struct Fit {
  /// About the points' middle, which keeps the equations well conditioned.
  private let centered: [Double]
  private let center: Double

  var terms: Int { centered.count }

  init?(_ points: [(x: Double, y: Double)]) {
    let distinct = Set(points.map { $0.x }).count
    guard distinct >= 2 else { return nil }
    let terms = min(3, distinct)
    let center = points.reduce(0) { $0 + $1.x } / Double(points.count)
    var rows: [[Double]] = (0..<terms).map { row in
      (0...terms).map { column in
        points.reduce(0.0) { sum, point in
          let x = point.x - center
          return sum + pow(x, Double(row)) * (column == terms ? point.y : pow(x, Double(column)))
        }
      }
    }
    guard let solution = Self.solve(&rows) else { return nil }
    (centered, self.center) = (solution, center)
  }

  /// Gauss's elimination with the largest pivot.
  private static func solve(_ rows: inout [[Double]]) -> [Double]? {
    let count = rows.count
    for column in 0..<count {
      let best = (column..<count).max { abs(rows[$0][column]) < abs(rows[$1][column]) } ?? column
      rows.swapAt(column, best)
      guard abs(rows[column][column]) > 1e-12 else { return nil }
      for row in 0..<count where row != column {
        let factor = rows[row][column] / rows[column][column]
        for place in column...count { rows[row][place] -= factor * rows[column][place] }
      }
    }
    return (0..<count).map { rows[$0][count] / rows[$0][$0] }
  }

  func value(at x: Double) -> Double {
    centered.reversed().reduce(0) { $0 * (x - center) + $1 }
  }

  func slope(at x: Double) -> Double {
    centered[1] + (terms == 3 ? 2 * centered[2] * (x - center) : 0)
  }

  /// c₀, c₁, c₂ about 0.
  var coefficients: [Double] {
    let second = terms == 3 ? centered[2] : 0
    return [
      centered[0] - centered[1] * center + second * center * center,
      centered[1] - 2 * second * center, second,
    ]
  }

  /// Where it passes `limit` on its rising or its falling side; nil where it does not.
  func crossing(_ limit: Double, isRising: Bool) -> Double? {
    let sign = isRising ? 1.0 : -1
    let second = terms == 3 ? centered[2] : 0
    guard abs(second) > 1e-12 else {
      guard centered[1] * sign > 0 else { return nil }
      return center + (limit - centered[0]) / centered[1]
    }
    let root = centered[1] * centered[1] - 4 * second * (centered[0] - limit)
    guard root >= 0 else { return nil }
    return center + (-centered[1] + sign * root.squareRoot()) / (2 * second)
  }
}
