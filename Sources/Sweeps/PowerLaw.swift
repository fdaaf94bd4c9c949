import Foundation

/// How a loss falls with the model's size or with its data: L = E + a·x^(−b), E and a not below 0.
///
/// By least squares: for each b the best E and a are those of a line, and b is found by looking over
/// its range and then more and more closely around the best place.
/// - Source: Hoffmann et al. 2022 (2203.15556), equation 2, one of its two terms at a time.
package struct PowerLaw: Sendable, Equatable {
  package struct Point: Sendable, Equatable {
    /// Parameters without embedding and unembedding, or tokens.
    package let size: Double
    /// Nats a token.
    package let loss: Double

    package init(size: Double, loss: Double) {
      (self.size, self.loss) = (size, loss)
    }
  }

  /// What the fit without the largest size says of it.
  package struct HeldOut: Sendable, Equatable {
    package let size: Double
    package let predicted: Double
    package let measured: Double
  }

  /// By size.
  package let points: [Point]
  /// E, the loss that no size goes below.
  package let offset: Double
  package let factor: Double
  package let exponent: Double
  /// Nil below four sizes: three give back any law they are asked for.
  package let heldOut: HeldOut?
  /// Why it must not be believed.
  package let doubts: [String]

  private static let exponents = 0.02...3.0

  /// Nil below three sizes.
  /// - Parameter points: one a size; those that are not finite are left out.
  package init?(_ points: [Point]) {
    let known = points.filter { $0.loss.isFinite && $0.size > 0 }.sorted { $0.size < $1.size }
    guard let fit = Fit(known, exponents: Self.exponents) else { return nil }
    self.points = known
    (offset, factor, exponent) = (fit.offset, fit.factor, fit.exponent)
    let before = known.count >= 4 ? Fit(known.dropLast(), exponents: Self.exponents) : nil
    heldOut = known.last.flatMap { last in
      before.map {
        HeldOut(size: last.size, predicted: $0.value(at: last.size), measured: last.loss)
      }
    }
    doubts = Self.doubts(known, fit)
  }

  private static func doubts(_ points: [Point], _ fit: Fit) -> [String] {
    var doubts: [String] = []
    if points.count < 4 {
      doubts.append("\(points.count) sizes fit three numbers whatever they are")
    }
    if fit.factor == 0 {
      doubts.append("the loss does not fall")
    } else if fit.exponent < exponents.lowerBound * 1.01 {
      doubts.append("it falls more slowly than any power: no offset can be told")
    } else if fit.exponent > exponents.upperBound * 0.99 {
      doubts.append("it falls at once and then no more: the sizes say nothing of the exponent")
    }
    if let last = points.last, let first = points.first, last.size < 10 * first.size {
      doubts.append("the largest size is less than ten times the smallest")
    }
    return doubts
  }

  package func value(at size: Double) -> Double { offset + factor * pow(size, -exponent) }
}

/// One fit.
private struct Fit {
  let offset: Double
  let factor: Double
  let exponent: Double

  func value(at size: Double) -> Double { offset + factor * pow(size, -exponent) }

  init?(_ points: some Collection<PowerLaw.Point>, exponents: ClosedRange<Double>) {
    guard Set(points.map(\.size)).count >= 3 else { return nil }
    // About the sizes' middle, which keeps powers near 1.
    let center = exp(points.reduce(0) { $0 + log($1.size) } / Double(points.count))
    let scaled = points.map { (x: $0.size / center, y: $0.loss) }
    var (low, high) = (log(exponents.lowerBound), log(exponents.upperBound))
    var best = low
    for _ in 0..<8 {
      let steps = (0...40).map { low + (high - low) * Double($0) / 40 }
      best =
        steps.min { Self.line(scaled, exp($0)).error < Self.line(scaled, exp($1)).error } ?? low
      let width = (high - low) / 20
      (low, high) = (
        max(log(exponents.lowerBound), best - width), min(log(exponents.upperBound), best + width)
      )
    }
    let line = Self.line(scaled, exp(best))
    (offset, exponent) = (line.offset, exp(best))
    factor = line.factor * pow(center, exp(best))
  }

  /// The best E and a at an exponent, neither below 0.
  private static func line(
    _ points: [(x: Double, y: Double)], _ exponent: Double
  ) -> (offset: Double, factor: Double, error: Double) {
    let powers = points.map { (x: pow($0.x, -exponent), y: $0.y) }
    let count = Double(powers.count)
    let (x, y) = (powers.reduce(0) { $0 + $1.x } / count, powers.reduce(0) { $0 + $1.y } / count)
    let spread = powers.reduce(0) { $0 + ($1.x - x) * ($1.x - x) }
    var factor = spread > 0 ? powers.reduce(0) { $0 + ($1.x - x) * ($1.y - y) } / spread : 0
    factor = max(0, factor)
    var offset = y - factor * x
    if offset < 0 {
      offset = 0
      let squares = powers.reduce(0) { $0 + $1.x * $1.x }
      factor = max(0, powers.reduce(0) { $0 + $1.x * $1.y } / squares)
    }
    let error = powers.reduce(0) { sum, point in
      let rest = point.y - offset - factor * point.x
      return sum + rest * rest
    }
    return (offset, factor, error)
  }
}
