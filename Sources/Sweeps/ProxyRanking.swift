import Foundation
import Signals
import Training

/// How well losses at a small size judge settings that are meant for a large one.
///
/// With J = −loss at the large size, J_b that of a baseline, and the k settings that the small size
/// ranks first: SharpeRatio@k = (max J − J_b)/std J, the deviation over the k with 1/k. It sets what
/// one gains by trying the k at the large size against how bad the others among them are; rank
/// correlation and regret can be equal where it is not.
/// - Source: Kiyohara et al. 2024 (2311.18207).
package struct ProxyRanking: Sendable, Equatable {
  package struct Ratio: Sendable, Equatable {
    package let k: Int
    /// Nil where the k have one loss.
    package let value: Double?
    /// The mean of k settings drawn at random.
    package let random: Double?
  }

  /// Settings that are judged.
  package let count: Int
  /// Spearman's, between the losses of both sizes; nil where one size has one loss only.
  package let rankCorrelation: Double?
  /// What the setting that the small size ranks first lies above the best at the large size, nats.
  package let regret: Double
  /// For k from 2 to 10, but not all of them: that is no choice.
  package let ratios: [Ratio]

  private static let mostPicks = 10
  private static let draws = 2000

  /// Nil below two settings.
  /// - Parameters:
  ///   - estimates: losses at the small size.
  ///   - truths: losses of the same settings at the large size.
  ///   - baseline: the place of the setting that gains are counted from.
  package init?(estimates: [Double], truths: [Double], baseline: Int) {
    precondition(estimates.count == truths.count, "losses of other settings")
    guard truths.count >= 2, truths.indices.contains(baseline) else { return nil }
    count = truths.count
    let order = estimates.indices.sorted { (estimates[$0], $0) < (estimates[$1], $1) }
    rankCorrelation = RankCorrelation.of(estimates, truths)
    regret = truths[order[0]] - (truths.min() ?? .nan)
    let base = truths[baseline]
    let most = min(Self.mostPicks, truths.count - 1)
    ratios =
      most < 2
      ? []
      : (2...most).map { k in
        Ratio(
          k: k, value: Self.ratio(order.prefix(k).map { truths[$0] }, base),
          random: Self.random(k, of: truths, base))
      }
  }

  private static func ratio(_ picks: [Double], _ base: Double) -> Double? {
    let mean = picks.reduce(0, +) / Double(picks.count)
    let variance = picks.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(picks.count)
    guard variance > 0, let best = picks.min() else { return nil }
    return (base - best) / variance.squareRoot()
  }

  private static func random(_ k: Int, of truths: [Double], _ base: Double) -> Double? {
    let generator = CounterGenerator(seed: 0, stream: "random picks")
    var counter: UInt64 = 0
    var sum = 0.0
    var known = 0
    for _ in 0..<draws {
      var left = truths
      let picks = (0..<k).map { _ -> Double in
        defer { counter += 1 }
        return left.remove(at: generator.number(below: left.count, at: counter))
      }
      guard let ratio = ratio(picks, base) else { continue }
      sum += ratio
      known += 1
    }
    return known > 0 ? sum / Double(known) : nil
  }
}
