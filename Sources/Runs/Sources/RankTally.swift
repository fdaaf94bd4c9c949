import Telemetry

/// How far the ranks of another program's run are apart, as their own records say.
struct RankTally {
  /// What a rank said of a step.
  struct Saying {
    let rank: Int
    let step: Int
    let loss: Double
    /// NaN where none is known.
    let time: Double
  }

  /// Steps that a rank may be behind and still be compared.
  private static let mostSteps = 10_000

  private let ranks: [Int]
  private var sayings: [Int: [Int: Saying]] = [:]

  /// - Parameter ranks: their numbers, of which some may have no record.
  init(ranks: [Int]) {
    self.ranks = ranks
  }

  /// Takes in what a rank said, under its own name, and, once all ranks have said it, how far they
  /// are apart.
  mutating func take(_ saying: Saying) -> StepSamples {
    var samples = StepSamples(
      step: saying.step, wallTime: saying.time, names: [MetricCatalog.rankLoss(saying.rank)],
      values: [saying.loss])
    sayings[saying.step, default: [:]][saying.rank] = saying
    guard let all = sayings[saying.step], all.count == ranks.count else { return samples }
    sayings[saying.step] = nil
    let losses = all.values.map(\.loss)
    if let most = losses.max(), let least = losses.min() {
      samples.names.append(MetricCatalog.rankLossSpread)
      samples.values.append(most - least)
    }
    let times = ranks.compactMap { all[$0]?.time }
    guard times.allSatisfy(\.isFinite), let first = times.min() else { return samples }
    for (rank, time) in zip(ranks, times) {
      samples.names.append(MetricCatalog.rankLag(rank))
      samples.values.append(time - first)
    }
    return samples
  }

  /// Forgets the steps that a rank is too far behind to come to.
  mutating func forgetOld() {
    guard sayings.count > Self.mostSteps else { return }
    for step in sayings.keys.sorted().dropLast(Self.mostSteps) { sayings[step] = nil }
  }
}
