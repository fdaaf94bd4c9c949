import Telemetry

/// One probe of the present update at several scales: its losses, and how sure their differences are.
package struct ProbeCurve: Sendable, Equatable {
  /// By ascending scale, the first without any update.
  package let losses: [Double]
  /// The standard error of each loss's difference to the first; nil where none were recorded.
  package let errors: [Double]?

  package init(losses: [Double], errors: [Double]? = nil) {
    self.losses = losses
    self.errors = errors
  }

  func rise(_ index: Int) -> Double {
    losses[index].isFinite ? losses[index] - losses[0] : .infinity
  }

  /// Nil where it was not recorded, or the loss is not finite.
  func error(_ index: Int) -> Double? {
    errors.flatMap { $0[index].isFinite ? $0[index] : nil }
  }
}

/// What the last probes of the learning rate say together, and what of it is more than noise.
///
/// Each scale's rise is the median over the last eight probes of loss(m) − loss(0). Its floor is two
/// and a half standard errors, 2.5·√((e² + s²)/n): e is that over the probe's windows, s the spread
/// from probe to probe, n their number, and the updates of probes far apart have errors of their own.
/// A cliff is looked for in each probe alone, above 2.5·e. In a recording from before e was measured
/// the spread at the least scale stands for it, where the curve is straight and noise all that
/// changes, times m as errors do; and a hundredth of a nat at least.
/// - Units: nats a token.
package struct ProbeTrend: Sendable, Equatable {
  /// Probes that count together.
  package static let count = 8
  private static let standardErrors = 2.5
  /// The least floor of probes without errors.
  private static let unknownFloor = 0.01

  package let multipliers: [Double]
  /// loss(m) − loss(0); infinite where most losses are not finite.
  package let rises: [Double]
  /// By how much a rise must differ from 0 to be more than noise.
  package let floors: [Double]
  /// The scales that are as good as the best within the noise; nil where none gains anything.
  package let best: ClosedRange<Double>?
  /// Where the loss comes to rise above that of no update, over the last probes without the nearest
  /// and the farthest: up to infinity where some do not find it; nil where most do not.
  package let cliff: ClosedRange<Double>?

  /// - Parameters: `multipliers` ascend from 0; `probes` are in the order of their steps.
  package init?(multipliers: [Double], probes: [ProbeCurve]) {
    let probes = probes.suffix(Self.count).filter {
      $0.losses.count == multipliers.count && $0.losses.first?.isFinite == true
    }
    guard !probes.isEmpty, multipliers.first == 0 else { return nil }
    let spreads = Self.spreads(probes, multipliers)
    let rises = multipliers.indices.map { index in probes.map { $0.rise(index) }.median }
    let floors = multipliers.indices.map { Self.floor(probes, $0, spread: spreads[$0]) }
    self.multipliers = multipliers
    self.rises = rises
    self.floors = floors
    let lowest = rises.indices.min { rises[$0] < rises[$1] } ?? 0
    let best = Self.best(multipliers, rises, floors, lowest: lowest)
    let cliff = Self.range(
      probes.map { probe in
        let first = multipliers.indices.first { index in
          index > (best == nil ? 0 : lowest)
            && probe.rise(index) > Self.floor([probe], index, spread: spreads[index])
        }
        return first.map { multipliers[$0] } ?? .infinity
      })
    self.cliff = cliff
    self.best = best.map { best in
      let below = multipliers.last { $0 < cliff?.lowerBound ?? .infinity } ?? best.upperBound
      return best.lowerBound...max(best.lowerBound, min(best.upperBound, below))
    }
  }

  /// Whether nothing stands above the noise.
  package var isFlat: Bool { best == nil && cliff == nil }

  /// Whether the loss at this scale differs from that of no update by more than noise.
  package func isAboveFloor(_ index: Int) -> Bool { !(abs(rises[index]) <= floors[index]) }

  private static func spreads(_ probes: [ProbeCurve], _ multipliers: [Double]) -> [Double?] {
    let spreads = multipliers.indices.map { index in spread(probes.map { $0.rise(index) }) }
    guard probes.allSatisfy({ $0.errors == nil }), multipliers.count > 1,
      let least = spreads[1]
    else { return spreads }
    return zip(spreads, multipliers).map { own, multiplier in
      own.map { min($0, least * multiplier / multipliers[1]) }
    }
  }

  /// The standard deviation of a probe about its neighbours, whose slow change is no noise; nil
  /// below three probes.
  private static func spread(_ rises: [Double]) -> Double? {
    let jumps = zip(rises, rises.dropFirst()).map { abs($1 - $0) }.filter(\.isFinite)
    return jumps.count >= 2 ? jumps.median * 1.4826 / 2.0.squareRoot() : nil
  }

  private static func floor(_ probes: [ProbeCurve], _ index: Int, spread: Double?) -> Double {
    guard index > 0 else { return 0 }
    let errors = probes.compactMap { $0.error(index) }
    let spread = spread ?? 0
    guard !errors.isEmpty else { return max(standardErrors * spread, unknownFloor) }
    // Of one probe its windows' error is all there is.
    guard probes.count > 1 else { return standardErrors * errors[0] }
    let square = errors.median * errors.median + spread * spread
    return standardErrors * (square / Double(probes.count)).squareRoot()
  }

  /// Neighbouring scales' errors grow in step, so that their difference is that of the floors.
  private static func best(
    _ multipliers: [Double], _ rises: [Double], _ floors: [Double], lowest: Int
  ) -> ClosedRange<Double>? {
    guard rises.indices.contains(where: { rises[$0] < -floors[$0] }) else { return nil }
    let ties = rises.indices.filter {
      $0 > 0 && rises[$0] - rises[lowest] <= abs(floors[$0] - floors[lowest])
    }
    guard let first = ties.first, let last = ties.last else { return nil }
    return multipliers[first]...multipliers[last]
  }

  private static func range(_ cliffs: [Double]) -> ClosedRange<Double>? {
    guard 2 * cliffs.count(where: \.isFinite) >= cliffs.count else { return nil }
    let sorted = cliffs.sorted()
    let inner = sorted.count >= 4 ? sorted[1..<sorted.count - 1] : sorted[...]
    guard let nearest = inner.first, let farthest = inner.last else { return nil }
    return nearest...farthest
  }
}

extension ProbeTrend {
  /// The trend at `step`: the last probes up to it, of the scales that the history has.
  package init?(_ history: RunHistory, at step: Int) {
    guard let reader = ProbeReader(history) else { return nil }
    self.init(multipliers: reader.multipliers, probes: reader.probes(upTo: step))
  }
}

/// The probes of a run, read from its metrics.
package struct ProbeReader: Sendable {
  package let multipliers: [Double]
  private let losses: [Series]
  private let errors: [Series?]

  /// Nil where no probe was recorded.
  package init?(_ history: RunHistory) {
    let known = MetricCatalog.probeMultipliers.compactMap { multiplier in
      history[MetricCatalog.probeLoss(multiplier: multiplier)].map { (multiplier, $0) }
    }
    guard known.count >= 3, known[0].0 == 0 else { return nil }
    multipliers = known.map(\.0)
    losses = known.map(\.1)
    errors = known.map { history[MetricCatalog.probeError(multiplier: $0.0)] }
  }

  /// The number of probes up to `step`.
  package func count(upTo step: Int) -> Int { losses[0].index(atOrAfter: step + 1) }

  /// The step of the last probe at or before `step`.
  package func lastStep(upTo step: Int) -> Int? {
    losses[0].index(atOrBefore: step).map { losses[0].step(atIndex: $0) }
  }

  /// The last probes at or before `step`, the latest last.
  package func probes(upTo step: Int) -> [ProbeCurve] {
    let end = count(upTo: step)
    return (max(0, end - ProbeTrend.count)..<end).compactMap { index in
      let step = losses[0].step(atIndex: index)
      let found = losses.compactMap { $0.value(at: step) }
      guard found.count == losses.count else { return nil }
      let errors = errors.dropFirst().compactMap { $0?.value(at: step) }
      return ProbeCurve(
        losses: found, errors: errors.count == losses.count - 1 ? [0] + errors : nil)
    }
  }
}
