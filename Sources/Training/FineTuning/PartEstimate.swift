import Models

/// What an estimating phase gathers: how much of what each module adds, and how much the loss would
/// change without each of its ranks, means over the phase's second half.
///
/// Masks on heads and channels, all 1 at first, are trained beside the adapter, each pulled to 0 by as
/// much.
/// - Source: Gu et al. 2024 (2406.03792), Light-PEFT
final class PartEstimate {
  /// The weight of Σ|mask| in what the masks' gradient is taken of.
  static let penalty: Float = 1e-4

  private let steps: Int
  private var modules: [Double] = []
  private var ranks: [[Double]] = []
  private var count = 0

  /// - Parameters: `steps` of the whole phase
  init(steps: Int) { self.steps = steps }

  func isGathering(at step: Int) -> Bool { step >= steps / 2 }

  func add(modules shares: [Double], ranks scores: [[Double]]) {
    count += 1
    guard count > 1 else { return (modules, ranks) = (shares, scores) }
    for module in modules.indices {
      modules[module] += shares[module]
      for rank in ranks[module].indices { ranks[module][rank] += scores[module][rank] }
    }
  }

  /// - Parameters: `masks` as the phase has left them
  func importances(masks: (heads: [[Double]], channels: [[Double]])) -> PartImportances {
    let steps = Double(max(count, 1))
    return PartImportances(
      heads: masks.heads, channels: masks.channels, modules: modules.map { $0 / steps },
      ranks: ranks.map { $0.map { $0 / steps } })
  }
}
