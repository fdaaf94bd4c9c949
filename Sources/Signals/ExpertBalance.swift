/// How evenly a layer's assignments fall on its experts.
///
/// Loads are shares of the assignments and sum to 1. Without any assignment all are 0, and nothing
/// is out of balance.
/// - Source: MaxVio: Wang et al. 2024 (2408.15664).
package struct ExpertBalance: Sendable, Equatable {
  /// An expert below this share of the mean load is dead.
  package static let deadBelow = 1.0 / 8
  /// An expert above this multiple of the mean load is overloaded.
  package static let overloadedAbove = 2.5
  /// For so many steps it must be so before anyone says it: of a batch or two it is noise.
  package static let stepsToTell = 100

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

  /// - Parameters:
  ///   - loads: not negative, in any unit.
  ///   - deadBelow: the share of the mean load below which an expert is dead.
  ///   - overloadedAbove: the multiple of the mean load above which one is overloaded.
  package init(
    loads: [Double], deadBelow: Double = Self.deadBelow,
    overloadedAbove: Double = Self.overloadedAbove
  ) {
    let spread = LoadSpread(experts: loads.count) { loads[$0] }
    (cv, maxViolation) = (spread.cv, spread.maxViolation)
    shares = loads.map(spread.share)
    let mean = spread.mean
    guard mean > 0 else {
      (dead, overloaded) = ([], [])
      return
    }
    dead = loads.indices.filter { loads[$0] < deadBelow * mean }
    overloaded = loads.indices.filter { loads[$0] > overloadedAbove * mean }
  }
}

/// The same measures without the lists: what every step is told of, and allocates nothing.
package struct LoadSpread: Sendable, Equatable {
  package let mean: Double
  /// 0 is perfect balance.
  package let cv: Double
  package let maxViolation: Double
  private let total: Double

  package init(counts: [Int]) {
    self.init(experts: counts.count) { Double(counts[$0]) }
  }

  init(experts: Int, load: (Int) -> Double) {
    var (total, largest) = (0.0, 0.0)
    for expert in 0..<experts {
      total += load(expert)
      largest = max(largest, load(expert))
    }
    self.total = total
    guard total > 0 else {
      (mean, cv, maxViolation) = (0, 0, 0)
      return
    }
    let mean = total / Double(experts)
    var squares = 0.0
    for expert in 0..<experts { squares += (load(expert) - mean) * (load(expert) - mean) }
    self.mean = mean
    cv = (squares / Double(experts)).squareRoot() / mean
    maxViolation = (largest - mean) / mean
  }

  package func share(_ load: Double) -> Double { total > 0 ? load / total : 0 }
}
