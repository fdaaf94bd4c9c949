import Telemetry

/// The loss's levels so far, in bounded memory: what a loss is held against that is no spike.
///
/// Levels are medians, so that single batches do not move them, and the noise is what successive
/// values differ by, so that a slope is none. What is remembered for good is the lowest level.
/// - Cost: two medians of 25 and 50 values a step.
struct LossLevels: Sendable, Equatable, Codable {
  /// Values in a block, whose median is a point of the curve.
  static let block = 25
  /// Blocks over which the noise is taken.
  private static let noiseBlocks = 20
  private static let startValues = 5
  /// Of the deviation, and of the loss: so near its best level the loss is as good as it was.
  private static let soundDeviations = 0.6
  private static let soundShare = 0.005

  struct Best: Sendable, Equatable, Codable {
    /// The last step of the blocks it is the level of.
    let step: Int
    let level: Double
    /// The standard deviation of single values at the time.
    let deviation: Double
  }

  private(set) var count = 0
  private(set) var firstStep: Int?
  /// The median of the last block's values; nil before there are enough.
  private(set) var lastBlock: Double?
  /// The median of the last two blocks' values.
  private(set) var present: Double?
  private(set) var best: Best?
  /// The latest step up to which the loss was near its best level.
  private(set) var soundUntil: Int?
  private var starting: [Double] = []
  /// The last two blocks' values.
  private var recent: [Double] = []
  private var recentSteps: [Int] = []
  private var deviations: [Double] = []

  /// Whether the value just taken in was the last of a block.
  var endsBlock: Bool { count > 0 && count % Self.block == 0 }

  /// The loss of the very first step; nil before a few values.
  var start: Double? { starting.count == Self.startValues ? starting[0] : nil }

  /// The loss at the start, without a single batch's noise.
  var startLevel: Double? { start == nil ? nil : starting.median }

  /// The standard deviation of single values now; nil before the first block.
  var deviation: Double? { deviations.isEmpty ? nil : deviations.median }

  /// The level up to which the loss is as good as it ever was.
  var soundLevel: Double? { best.map { Self.sound($0.level, deviation: $0.deviation) } }

  /// The level up to which the loss is as good as it is now.
  var lastBlockSound: Double? {
    guard let lastBlock, let deviation else { return nil }
    return Self.sound(lastBlock, deviation: deviation)
  }

  private static func sound(_ level: Double, deviation: Double) -> Double {
    level + max(soundDeviations * deviation, soundShare * abs(level))
  }

  /// Takes a finite value in.
  mutating func add(_ value: Double, step: Int) {
    firstStep = firstStep ?? step
    if starting.count < Self.startValues { starting.append(value) }
    recent.append(value)
    recentSteps.append(step)
    if recent.count > 2 * Self.block {
      recent.removeFirst()
      recentSteps.removeFirst()
    }
    count += 1
    if recent.count >= Self.block { lastBlock = recent.suffix(Self.block).median }
    if recent.count == 2 * Self.block { present = recent.median }
    if endsBlock { endBlock(step) }
    // Half of the block's values may be bad already where their median begins to tell.
    if let soundLevel, let lastBlock, lastBlock <= soundLevel {
      soundUntil = recentSteps[recentSteps.count - 1 - Self.block / 2]
    }
  }

  private mutating func endBlock(_ step: Int) {
    let values = recent.suffix(Self.block)
    let jumps = zip(values, values.dropFirst()).map { abs($1 - $0) }
    deviations.append(jumps.median * 1.4826 / 2.0.squareRoot())
    if deviations.count > Self.noiseBlocks { deviations.removeFirst() }
    if let present, present < best?.level ?? .infinity {
      best = Best(step: step, level: present, deviation: deviations.median)
    }
  }
}
