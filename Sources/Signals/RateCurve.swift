/// The final loss over the peak learning rate, of runs that differ in nothing but the rate and the
/// seed, and what it says of the sensitivity to the rate.
///
/// sensitivity = mean over η of [l(η) − min over η of l(η)], l(η) the mean over seeds of
/// min(held-out loss at the end, loss at initialisation). A loss that is not finite, or that a
/// diverged run has none of, counts as the one at initialisation.
/// - Units: nats a token.
/// - Source: Wortsman et al. 2023 (2309.14322), section 2.
package struct RateCurve: Sendable, Equatable {
  /// What a run came to.
  package struct Outcome: Sendable, Equatable {
    package let rate: Double
    package let loss: Double
    package let initialLoss: Double

    package init(rate: Double, loss: Double, initialLoss: Double) {
      (self.rate, self.loss, self.initialLoss) = (rate, loss, initialLoss)
    }

    fileprivate var capped: Double { loss.isNaN ? initialLoss : min(loss, initialLoss) }
  }

  /// All seeds of a rate.
  package struct Point: Sendable, Equatable {
    package let rate: Double
    /// The mean over the seeds.
    package let loss: Double
    /// Their standard deviation; 0 for one seed.
    package let spread: Double
    package let seeds: Int
    /// How many seeds' loss was at or above the one at initialisation, or not finite.
    package let diverged: Int
  }

  /// By rate, ascending.
  package let points: [Point]

  /// Outcomes whose initial loss is not finite say nothing and are left out.
  package init(_ outcomes: [Outcome]) {
    let known = outcomes.filter(\.initialLoss.isFinite)
    points = Dictionary(grouping: known, by: \.rate).sorted { $0.key < $1.key }.map(Self.point)
  }

  private static func point(_ rate: Double, _ outcomes: [Outcome]) -> Point {
    let losses = outcomes.map(\.capped)
    let mean = losses.mean
    let squares = losses.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    let spread = losses.count > 1 ? (squares / Double(losses.count - 1)).squareRoot() : 0
    return Point(
      rate: rate, loss: mean, spread: spread, seeds: losses.count,
      diverged: outcomes.count { !($0.loss < $0.initialLoss) })
  }

  /// The point of the lowest loss, the lower rate of two; nil where nothing is known.
  package var best: Point? { points.min { $0.loss < $1.loss } }

  /// Nil where nothing is known.
  package var sensitivity: Double? {
    best.map { best in points.reduce(0) { $0 + $1.loss - best.loss } / Double(points.count) }
  }

  /// The seeds of the rate that has most of them.
  package var seeds: Int { points.map(\.seeds).max() ?? 0 }
}
