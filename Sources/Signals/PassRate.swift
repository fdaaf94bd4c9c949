/// How often a task is passed, from tries that went on until it had been passed so many times.
///
/// r/K, the likeliest rate, is too large on average: by ln(1/p) at r = 1, by r/(r−1) above.
/// - Source: Hu et al. 2023 (2310.03262), PassUntil; the estimate without bias is the negative
///   binomial's
package struct PassRate: Sendable, Equatable {
  /// Passes counted, at most those that were wanted.
  package let passes: Int
  /// Tries up to the last pass that was wanted, or all there were.
  package let tries: Int
  /// Whether the tries ended with a pass, and not at their limit.
  package let isReached: Bool

  package init(passes: Int, tries: Int, isReached: Bool) {
    precondition(passes >= 0 && passes <= tries && tries > 0, "\(passes) of \(tries)")
    (self.passes, self.tries, self.isReached) = (passes, tries, isReached)
  }

  /// Without bias: (r−1)/(K−1) where the passes were reached, from two on, the share where the tries
  /// were.
  ///
  /// The first pass alone has no such estimate but whether the first try passed.
  package var estimate: Double {
    guard isReached else { return Double(passes) / Double(tries) }
    guard passes > 1 else { return tries == 1 ? 1 : 0 }
    return Double(passes - 1) / Double(tries - 1)
  }

  /// Rates of which each end is exceeded by what was seen in one case of forty: 95% in all. Exact.
  package var interval: ClosedRange<Double> {
    let (r, k) = (Double(passes), Double(tries))
    let low = passes == 0 ? 0 : BetaDistribution(a: r, b: k - r + 1).quantile(0.025)
    return low...max(low, high(r, k))
  }

  private func high(_ r: Double, _ k: Double) -> Double {
    if passes == tries { return 1 }
    // One-sided where there is no pass: p < 3/K.
    if passes == 0 { return BetaDistribution(a: 1, b: k).quantile(0.95) }
    let upper = isReached ? BetaDistribution(a: r, b: k - r) : BetaDistribution(a: r + 1, b: k - r)
    return upper.quantile(0.975)
  }
}
