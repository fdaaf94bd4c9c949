import Kernels
import Ranks
import Telemetry

/// What each rank says of itself, and whether all of them still have the same weights.
///
/// Where the update is cut over ranks each of them hands its section of the weights on with every
/// update: a bit that has changed there is all ranks' after it, and one elsewhere is mended. So the
/// weights are looked at before each update, and what was found stays until the run goes back.
struct RankMetrics: Probe {
  /// Steps between two looks at the weights where each rank updates all of them.
  static let interval = 100

  private let ranks: any RankGroup
  private let isSharded: Bool
  private let memory = ProcessMemory()
  private var waitedBefore = 0.0
  private var sum: UInt64 = 0
  private var stray = 0

  /// Nil for a run of one.
  init?(_ run: ProbedRun) {
    guard run.ranks.count > 1 else { return nil }
    ranks = run.ranks
    isSharded = run.configuration.shardsOptimizer
  }

  private func looks(at step: ProbedStep) -> Bool {
    isSharded || step.number % Self.interval == 0
  }

  mutating func beforeUpdate(of step: ProbedStep) {
    if looks(at: step) { sum = Self.sum(of: step.weights) }
  }

  mutating func afterUpdate(
    of step: ProbedStep, _ outcome: StepOutcome, into samples: inout StepSamples
  ) {
    let waited = ranks.secondsWaited
    let all = shared([
      outcome.seconds, waited - waitedBefore, memory.resident(), Double(bitPattern: sum),
    ])
    waitedBefore = waited
    for (rank, told) in all.enumerated() {
      samples.add(MetricCatalog.rankSeconds(rank), Double(Float(told[0])))
      samples.add(MetricCatalog.rankWaiting(rank), Double(Float(told[1])))
      samples.add(MetricCatalog.rankMemory(rank), Double(Float(told[2])))
    }
    guard looks(at: step) else { return }
    let found = all.count { $0[3].bitPattern != all[0][3].bitPattern }
    stray = isSharded ? max(stray, found) : found
    samples.add(MetricCatalog.strayWeights, Double(stray))
  }

  mutating func resume(_ state: Never?, from checkpoint: Checkpoint) throws(CheckpointError) {
    stray = 0
  }

  /// What each rank tells.
  private func shared(_ own: [Double]) -> [[Double]] {
    var all = [Double](repeating: 0, count: ranks.count * own.count)
    all.replaceSubrange(ranks.rank * own.count..<(ranks.rank + 1) * own.count, with: own)
    let bytes = own.count * MemoryLayout<Double>.stride
    all.withUnsafeMutableBytes { ranks.share($0, bounds: (0...ranks.count).map { $0 * bytes }) }
    return (0..<ranks.count).map { Array(all[$0 * own.count..<($0 + 1) * own.count]) }
  }

  /// Changes with any one bit of the numbers; takes as long as reading them does.
  static func sum(of numbers: FloatBuffer) -> UInt64 {
    var sum: UInt64 = 0
    for number in UnsafeBufferPointer(start: numbers.base, count: numbers.count) {
      sum &+= UInt64(number.bitPattern)
    }
    return sum
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
