/// How evenly a layer's assignments fall on its experts.
///
/// Loads are shares of the assignments and sum to 1. Without any assignment all are 0, and nothing
/// is out of balance.
/// - Source: MaxVio: Wang et al. 2024 (2408.15664).
package struct ExpertBalance: Sendable, Equatable {
  /// An expert below this share of the mean load is dead.
  package static let deadBelow = 1.0 / 8
  /// An expert above this multiple of the mean load is overloaded.
  package static let overloadedAbove = 3.0

  package let shares: [Double]
  /// Population standard deviation over mean; 0 is perfect balance.
  package let cv: Double
  /// (largest − mean) / mean, MaxVio: 0 is perfect, experts/active − 1 is collapse.
  package let maxViolation: Double
  package let dead: [Int]
  package let overloaded: [Int]

  package init(counts: [Int]) {
    self.init(loads: counts.map(Double.init))
  }

  /// - Parameter loads: not negative, in any unit.
  package init(loads: [Double]) {
    let total = loads.reduce(0, +)
    guard total > 0 else {
      shares = loads.map { _ in 0 }
      (cv, maxViolation, dead, overloaded) = (0, 0, [], [])
      return
    }
    let mean = total / Double(loads.count)
    let squares = loads.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    shares = loads.map { $0 / total }
    cv = (squares / Double(loads.count)).squareRoot() / mean
    maxViolation = (loads.reduce(0, max) - mean) / mean
    dead = loads.indices.filter { loads[$0] < Self.deadBelow * mean }
    overloaded = loads.indices.filter { loads[$0] > Self.overloadedAbove * mean }
  }
}
