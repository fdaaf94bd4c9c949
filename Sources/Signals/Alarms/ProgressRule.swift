import Telemetry

/// A loss that has not begun to fall, or has stopped falling at once.
///
/// A run that has converged slows down by and by: over windows of 500 values each gains a good part
/// of what the one before gained. Here one gained much and the next nothing. A rate that its
/// schedule has brought down explains standing still, and so does one that still warms up.
struct ProgressRule: Sendable, Equatable, Codable {
  /// Blocks whose mean is an end of a window.
  private static let endBlocks = 4
  /// In deviations of single values: what the earlier window must have gained, and what in the
  /// later one is nothing.
  private static let leastGain = 4.0
  private static let noGain = 0.35
  /// Of the earlier window's gain; healthy runs go on with 7% and more.
  private static let noGainShare = 0.02
  /// What a loss that has begun to fall has left its start by: in deviations, and of the start.
  private static let leastFall = 2.0
  private static let leastFallShare = 0.005
  /// Of the schedule's highest rate so far: below it is annealed.
  private static let annealedShare = 0.5
  /// A run that is first seen later has its start behind it.
  private static let latestStart = 100

  /// The last blocks' medians.
  private var medians: [Double] = []
  /// The lowest level up to each block: a loss that comes back from a trouble makes no progress.
  private var lows: [Double] = []
  private var highestRate = 0.0
  private var rate: Double?
  private var valuesSinceRise = 0
  /// The level at which the loss stood still.
  private var stuckAt: Double?

  mutating func findings(_ context: AlarmContext, levels: LossLevels) -> [AlarmFinding] {
    noteRate(context)
    let window = Int(context.level(.noProgress))
    // The time in a trouble is none in which progress was to be expected.
    if levels.endsBlock, let median = levels.lastBlock, !isInTrouble(median, levels.best) {
      add(median, window: window)
    }
    guard let deviation = levels.deviation, let now = lows.last else { return [] }
    let sentence =
      unbegun(levels, window, now, deviation) ?? stopped(window, now, deviation)
    if sentence != nil { stuckAt = stuckAt ?? now }
    let hasFallen = stuckAt.map { $0 - now > deviation } ?? true
    let isTrouble = sentence != nil && !isAnnealed && !hasFallen
    if hasFallen, !isTrouble { stuckAt = nil }
    return [
      AlarmFinding(
        rule: .noProgress, reading: isTrouble ? .trouble : (hasFallen ? .quiet : .between),
        alarm: {
          AlarmText(
            sentence: sentence ?? "", hint: .change("change the rate, or what is frozen"),
            values: ["loss.level": now, "deviation": deviation, "window": Double(window)])
        },
        calm: { "the loss falls again: \(NumberText.compact(now))" })
    ]
  }

  /// A loss that stands still wobbles about its level, by less than a single batch does.
  private func isInTrouble(_ median: Double, _ best: LossLevels.Best?) -> Bool {
    best.map { median > $0.level + max($0.deviation, Self.leastFallShare * abs($0.level)) } ?? false
  }

  private var isAnnealed: Bool {
    rate.map { $0 < Self.annealedShare * highestRate } ?? false
  }

  /// The schedule's rate, without what a person multiplies it by.
  private mutating func noteRate(_ context: AlarmContext) {
    valuesSinceRise += 1
    let factor = context.value(context.layout.learningRateMultiplier) ?? 1
    guard let rate = context.value(context.layout.learningRate), rate.isFinite, factor > 0
    else { return }
    let scheduled = rate / factor
    self.rate = scheduled
    guard scheduled > highestRate * (1 + 1e-9) else { return }
    highestRate = scheduled
    valuesSinceRise = 0
  }

  private mutating func add(_ median: Double, window: Int) {
    medians.append(median)
    if medians.count > Self.endBlocks { medians.removeFirst() }
    guard medians.count == Self.endBlocks else { return }
    lows.append(min(lows.last ?? .infinity, medians.mean))
    let kept = 2 * window / LossLevels.block + 1
    if lows.count > kept { lows.removeFirst(lows.count - kept) }
  }

  private func unbegun(
    _ levels: LossLevels, _ window: Int, _ now: Double, _ deviation: Double
  ) -> String? {
    guard let start = levels.startLevel, let first = levels.firstStep, first <= Self.latestStart,
      levels.count >= window, valuesSinceRise >= window / 2,
      start - (levels.best?.level ?? start)
        < max(Self.leastFall * deviation, Self.leastFallShare * abs(start))
    else { return nil }
    return "no progress: loss \(NumberText.compact(now)) after \(NumberText.grouped(levels.count)) "
      + "steps, \(NumberText.compact(start)) at the start: the rate is too low, or nothing is trained"
  }

  private func stopped(_ window: Int, _ now: Double, _ deviation: Double) -> String? {
    let blocks = window / LossLevels.block
    guard lows.count > blocks + 1, let earlier = lows.first else { return nil }
    let before = lows[lows.count - 1 - blocks]
    let (gained, gains) = (earlier - before, before - now)
    guard gained > Self.leastGain * deviation,
      gains < max(Self.noGainShare * gained, Self.noGain * deviation)
    else { return nil }
    return "progress has stopped: loss \(NumberText.compact(now)), "
      + "\(NumberText.compact(before)) \(NumberText.grouped(window)) steps ago and "
      + "\(NumberText.compact(earlier)) before that: the rate is too low, or the model is stuck"
  }
}
