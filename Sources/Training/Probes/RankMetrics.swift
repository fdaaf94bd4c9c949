import Kernels
import Ranks
import Telemetry

/// What each rank says of itself, and whether all of them still have the same weights.
struct RankMetrics: Probe {
  /// Steps between two looks at the weights.
  static let interval = 100

  private let ranks: any RankGroup
  private let memory = ProcessMemory()
  private var waitedBefore = 0.0
  private var stray = 0

  /// Nil for a run of one.
  init?(_ run: ProbedRun) {
    guard run.ranks.count > 1 else { return nil }
    ranks = run.ranks
  }

  mutating func beforeUpdate(of step: ProbedStep) {
    guard step.number % Self.interval == 0 else { return }
    let digests = ranks.said(Self.digest(of: step.weights))
    stray = digests.count { $0 != digests[0] }
  }

  mutating func afterUpdate(
    of step: ProbedStep, _ outcome: StepOutcome, into samples: inout StepSamples
  ) {
    let waited = ranks.secondsWaited
    let own = [outcome.seconds, waited - waitedBefore, memory.resident()]
    waitedBefore = waited
    var all = [Double](repeating: 0, count: ranks.count * own.count)
    all.replaceSubrange(ranks.rank * own.count..<(ranks.rank + 1) * own.count, with: own)
    let bytes = own.count * MemoryLayout<Double>.stride
    all.withUnsafeMutableBytes { ranks.share($0, bounds: (0...ranks.count).map { $0 * bytes }) }
    for rank in 0..<ranks.count {
      samples.add(MetricCatalog.rankSeconds(rank), Double(Float(all[3 * rank])))
      samples.add(MetricCatalog.rankWaiting(rank), Double(Float(all[3 * rank + 1])))
      samples.add(MetricCatalog.rankMemory(rank), Double(Float(all[3 * rank + 2])))
    }
    guard step.number % Self.interval == 0 else { return }
    samples.add(MetricCatalog.strayWeights, Double(stray))
  }

  /// Changes with any bit of the numbers.
  static func digest(of numbers: FloatBuffer) -> String {
    var hash = FNV1a()
    for number in UnsafeBufferPointer(start: numbers.base, count: numbers.count) {
      hash.add(UInt64(number.bitPattern))
    }
    return String(hash.value, radix: 16)
  }
}
