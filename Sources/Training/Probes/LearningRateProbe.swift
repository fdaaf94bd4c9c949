import Kernels
import Models
import Signals
import Telemetry

/// The live learning-rate probe: the loss of a fixed batch after the present update scaled by m.
///
/// Its interval is set by the shapes alone, so that it costs 1% of the floating-point operations
/// whatever the machine is doing: a forward pass is a third of a step's operations, and a quarter
/// of a batch serves.
/// - Source: Seismo; the cap at the loss of the initial model is that of Wortsman et al. 2023,
///   section 2.
struct LearningRateProbe {
  static let costShare = 0.01

  private let interval: Int
  private let tokens: [Token]
  private let rows: Int
  private let before: FloatBuffer
  private let scaled: [FloatBuffer]
  /// Each token's loss after no update, and after those of the present group.
  private let still: Buffer<Double>
  private let moved: [Buffer<Double>]

  /// What the probe's batch says.
  private struct Curve {
    /// The loss at each multiplier, in the order of `MetricCatalog.probeMultipliers`.
    var losses: [Double] = []
    /// The standard error of each loss's difference to the first, that of no update.
    var errors: [Double] = []
  }

  /// Parts of a window whose differences count as measurements of their own.
  private static let partsOfWindow = 8

  /// `tokens` are `rows` windows of T + 1 tokens.
  init(tokens: [Token], rows: Int, batch: Int, parameters: Int, workers: Int) {
    self.tokens = tokens
    self.rows = rows
    before = FloatBuffer(count: parameters)
    scaled = (0..<workers).map { _ in FloatBuffer(count: parameters) }
    let count = tokens.count - rows
    still = Buffer(count: count)
    moved = (0..<workers).map { _ in Buffer(count: count) }
    let forwards = Double(MetricCatalog.probeMultipliers.count)
    let stepsOfWork = forwards / 3 * Double(rows) / Double(batch)
    interval = Int((stepsOfWork / Self.costShare).rounded(.up))
  }

  private func curve(engine: TransformerEngine, after: FloatBuffer, settings: LossSettings) -> Curve
  {
    var curve = Curve()
    var remaining = MetricCatalog.probeMultipliers[...]
    while !remaining.isEmpty {
      let group = remaining.prefix(scaled.count)
      remaining = remaining.dropFirst(scaled.count)
      for (buffer, multiplier) in zip(scaled, group) {
        buffer.interpolate(from: before, to: after, by: Float(multiplier))
      }
      let isFirst = curve.losses.isEmpty
      curve.losses += tokens.withUnsafeBufferPointer { tokens in
        engine.losses(
          parameters: Array(scaled.prefix(group.count)), tokens: tokens, rows: rows,
          settings: settings, tokenLosses: Array(moved.prefix(group.count)))
      }
      if isFirst { still.copy(from: moved[0]) }
      curve.errors += moved.prefix(group.count).map(error)
    }
    return curve
  }

  /// The standard error of the mean difference between these losses and those of no update, from
  /// its spread over the windows' parts: neighbours within a part need not be independent.
  private func error(_ losses: Buffer<Double>) -> Double {
    let length = max(1, losses.count / rows / Self.partsOfWindow)
    let parts = stride(from: 0, to: losses.count - length + 1, by: length).map { start in
      (start..<start + length).reduce(0) { $0 + losses[$1] - still[$1] } / Double(length)
    }
    guard parts.count > 1 else { return .nan }
    let mean = parts.reduce(0, +) / Double(parts.count)
    let squares = parts.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return (squares / Double(parts.count - 1) / Double(parts.count)).squareRoot()
  }
}

extension LearningRateProbe: Probe {
  init(_ run: ProbedRun) {
    self.init(
      tokens: run.tokens, rows: run.rows, batch: run.firstBatch, parameters: run.layout.count,
      workers: min(run.pool.workers, 2))
  }

  func isDue(in step: ProbedStep) -> Bool { step.number % interval == 0 }

  func beforeUpdate(of step: ProbedStep) { before.copy(from: step.parameters) }

  func afterUpdate(of step: ProbedStep, _ outcome: StepOutcome, into samples: inout StepSamples) {
    let measured = curve(engine: step.engine, after: step.parameters, settings: step.lossSettings)
    let multipliers = MetricCatalog.probeMultipliers
    for (multiplier, loss) in zip(multipliers, measured.losses) {
      samples.add(MetricCatalog.probeLoss(multiplier: multiplier), loss)
    }
    for (multiplier, error) in zip(multipliers, measured.errors) where multiplier > 0 {
      samples.add(MetricCatalog.probeError(multiplier: multiplier), error)
    }
    let initialLoss = step.number == 0 ? measured.losses.first : step.initialLoss
    let curve = LearningRateSensitivity(
      multipliers: multipliers, losses: measured.losses,
      initialLoss: initialLoss ?? outcome.statistics.loss)
    samples.add(MetricCatalog.learningRateSensitivity, curve.sensitivity)
  }
}

extension FloatBuffer {
  /// self = from + factor (to - from); exactly `from` at 0 and `to` at 1.
  fileprivate func interpolate(from: FloatBuffer, to: FloatBuffer, by factor: Float) {
    guard factor != 0 else { return copy(from: from) }
    guard factor != 1 else { return copy(from: to) }
    let (target, start, end) = (base, from.base, to.base)
    for index in 0..<count {
      target[index] = start[index] + factor * (end[index] - start[index])
    }
  }
}
