/// Spearman's rank correlation: 1 where both order alike, −1 where they order the other way round.
package enum RankCorrelation {
  /// Nil where one of the two has one value only, or a value that is no number.
  package static func of(_ one: [Double], _ other: [Double]) -> Double? {
    precondition(one.count == other.count, "\(one.count) values and \(other.count)")
    guard !(one + other).contains(where: \.isNaN) else { return nil }
    return correlation(ranks(one), ranks(other))
  }

  /// From 1 on; equal values share the mean of their ranks.
  private static func ranks(_ values: [Double]) -> [Double] {
    values.map { value in
      let below = values.count { $0 < value }
      let equal = values.count { $0 == value }
      return Double(below) + Double(equal + 1) / 2
    }
  }

  private static func correlation(_ one: [Double], _ other: [Double]) -> Double? {
    let mean = Double(one.count + 1) / 2
    func product(_ a: [Double], _ b: [Double]) -> Double {
      zip(a, b).reduce(0) { $0 + ($1.0 - mean) * ($1.1 - mean) }
    }
    let spread = (product(one, one) * product(other, other)).squareRoot()
    return spread > 0 ? product(one, other) / spread : nil
  }
}
