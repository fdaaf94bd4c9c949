import Telemetry

/// What a probe of the present update at several scales says about the learning rate.
///
/// sensitivity = mean over m of [min(loss(m), loss at initialisation) − min loss]. A loss that is
/// not finite counts as the one at initialisation. The probe's own loss(0) would bound the
/// number by one step's gain and hide a cliff, so it caps at the initial loss.
/// - Units: nats a token.
/// - Source: Wortsman et al. 2023 (2309.14322), section 2, with one update in place of a whole run.
package struct LearningRateSensitivity: Sendable, Equatable {
  package let multipliers: [Double]
  package let losses: [Double]
  /// 0 where every scale is as good; negative only where every loss is above the initial one.
  package let sensitivity: Double
  /// The scale with the lowest loss; nil where no loss is finite.
  package let bestMultiplier: Double?
  /// The first scale above the best at which the loss rises above that of no update at all.
  package let cliff: Double?

  /// - Parameters:
  ///   - multipliers: ascending scales m of the update, 0 among them if a cliff is to be found.
  ///   - losses: the probe batch's loss after the update scaled by each m.
  ///   - initialLoss: the loss at initialisation.
  package init(multipliers: [Double], losses: [Double], initialLoss: Double) {
    precondition(
      multipliers.count == losses.count && !losses.isEmpty,
      "\(multipliers.count) multipliers for \(losses.count) losses")
    self.multipliers = multipliers
    self.losses = losses
    let known = losses.map { $0.isFinite ? $0 : initialLoss }
    let lowest = known.min() ?? initialLoss
    sensitivity = known.reduce(0) { $0 + min($1, initialLoss) - lowest } / Double(known.count)
    let best = losses.indices.filter { losses[$0].isFinite }.min { losses[$0] < losses[$1] }
    bestMultiplier = best.map { multipliers[$0] }
    cliff = best.flatMap { Self.cliff(above: $0, multipliers: multipliers, losses: losses) }
  }

  /// The latest complete probe of `history`, where it has one and the initial loss is known.
  package init?(latestIn history: RunHistory) {
    guard let initialLoss = history.description?.initialLoss else { return nil }
    let names = MetricCatalog.probeMultipliers.map { MetricCatalog.probeLoss(multiplier: $0) }
    guard let step = names.compactMap({ history[$0]?.lastStep }).min() else { return nil }
    let losses = names.compactMap { history[$0]?.value(at: step) }
    guard losses.count == names.count else { return nil }
    self.init(
      multipliers: MetricCatalog.probeMultipliers, losses: losses, initialLoss: initialLoss)
  }

  private static func cliff(above best: Int, multipliers: [Double], losses: [Double]) -> Double? {
    guard let zero = multipliers.firstIndex(of: 0), losses[zero].isFinite else { return nil }
    let rising = losses.indices.first { $0 > best && !(losses[$0] <= losses[zero]) }
    return rising.map { multipliers[$0] }
  }
}
