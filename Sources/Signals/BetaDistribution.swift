import Foundation

/// The distribution of a rate of which `a` and `b` are the counts for and against.
struct BetaDistribution {
  let a: Double
  let b: Double

  /// I_x(a, b), the share below x.
  ///
  /// - Source: Lentz's continued fraction, as in Numerical Recipes 6.4
  func share(below x: Double) -> Double {
    guard x > 0 else { return 0 }
    guard x < 1 else { return 1 }
    let front = exp(
      lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x))
    // The fraction converges quickly on one side of the mean; the other one is its mirror.
    if x < (a + 1) / (a + b + 2) { return front * Self.fraction(x, a, b) / a }
    return 1 - front * Self.fraction(1 - x, b, a) / b
  }

  /// The rate below which so much of it lies.
  func quantile(_ share: Double) -> Double {
    // Over logarithms: the rate may be 1e-5, or 1 less 1e-5.
    var (low, high) = (-80.0, 80.0)
    for _ in 0..<200 {
      let middle = (low + high) / 2
      if self.share(below: 1 / (1 + exp(-middle))) < share { low = middle } else { high = middle }
    }
    return 1 / (1 + exp(-low))
  }

  private static func fraction(_ x: Double, _ a: Double, _ b: Double) -> Double {
    let tiny = 1e-300
    func safe(_ value: Double) -> Double { abs(value) < tiny ? tiny : value }
    var c = 1.0
    var d = 1 / safe(1 - (a + b) * x / (a + 1))
    var result = d
    for step in 1...10_000 {
      let m = Double(step)
      let even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
      d = 1 / safe(1 + even * d)
      c = safe(1 + even / c)
      result *= d * c
      let odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
      d = 1 / safe(1 + odd * d)
      c = safe(1 + odd / c)
      result *= d * c
      if abs(d * c - 1) < 1e-14 { break }
    }
    return result
  }
}
