/// How soon runs that differ in nothing but the seed come to a loss.
///
/// A run that comes there at step t of T scores (T − t)/(T − t_ref), t_ref the fewest steps of any
/// run of the sweep; one that never does, because its steps ended before or because it diverged,
/// scores 0. eff@k is the mean over all k of n runs of the best one's score:
/// Σ_{r=k…n} C(r−1, k−1)/C(n, k)·e_r over the scores in ascending order.
/// - Source: 2406.06647 (eff@k).
package struct TargetScores: Sendable, Equatable {
  /// The steps each run took, ascending; those that never came there left out.
  package let steps: [Int]
  /// Runs that never came there.
  package let censored: Int
  /// Ascending.
  package let scores: [Double]

  /// - Parameters:
  ///   - steps: a run's steps to the loss; nil where it never came there.
  ///   - horizon: T, the steps a run has.
  ///   - reference: t_ref.
  package init(steps: [Int?], horizon: Int, reference: Int) {
    self.steps = steps.compactMap(\.self).sorted()
    censored = steps.count { $0 == nil }
    let room = Double(horizon - reference)
    scores = steps.map { step in
      guard let step else { return 0 }
      // One that needs all its steps to be the first of all is no worse than the first of all.
      return room > 0 ? max(0, Double(horizon - step)) / room : 1
    }.sorted()
  }

  /// - Returns: nil where there are not k runs.
  package func efficiency(at k: Int) -> Double? {
    guard k >= 1, k <= scores.count else { return nil }
    // C(r−1, k−1)/C(n, k): k/n for the best, and by a factor less for each one below.
    var weight = Double(k) / Double(scores.count)
    var sum = 0.0
    for rank in stride(from: scores.count, through: k, by: -1) {
      sum += weight * scores[rank - 1]
      if rank > 1 { weight *= 1 - Double(k - 1) / Double(rank - 1) }
    }
    return sum
  }

  /// The middle run's steps, those that never came there behind all others; nil where it is one of
  /// them.
  package var median: Int? {
    let middle = (scores.count - 1) / 2
    return steps.indices.contains(middle) ? steps[middle] : nil
  }
}
