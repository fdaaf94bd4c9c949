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

  let interval: Int
  private let tokens: [UInt8]
  private let rows: Int
  private let before: FloatBuffer
  private let scaled: [FloatBuffer]

  /// `tokens` are `rows` windows of T + 1 bytes.
  init(tokens: [UInt8], rows: Int, batch: Int, parameters: Int, workers: Int) {
    self.tokens = tokens
    self.rows = rows
    before = FloatBuffer(count: parameters)
    scaled = (0..<workers).map { _ in FloatBuffer(count: parameters) }
    let forwards = Double(MetricCatalog.probeMultipliers.count)
    let stepsOfWork = forwards / 3 * Double(rows) / Double(batch)
    interval = Int((stepsOfWork / Self.costShare).rounded(.up))
  }

  func isDue(at step: Int) -> Bool {
    step % interval == 0
  }

  /// Keeps the parameters as they are before the update of a step in which the probe is due.
  func keep(_ parameters: FloatBuffer) {
    before.copy(from: parameters)
  }

  /// The loss at each multiplier, in the order of `MetricCatalog.probeMultipliers`.
  func losses(engine: TransformerEngine, after: FloatBuffer, settings: LossSettings) -> [Double] {
    var losses: [Double] = []
    var remaining = MetricCatalog.probeMultipliers[...]
    while !remaining.isEmpty {
      let group = remaining.prefix(scaled.count)
      remaining = remaining.dropFirst(scaled.count)
      for (buffer, multiplier) in zip(scaled, group) {
        buffer.interpolate(from: before, to: after, by: Float(multiplier))
      }
      losses += tokens.withUnsafeBufferPointer { tokens in
        engine.losses(
          parameters: Array(scaled.prefix(group.count)), tokens: tokens, rows: rows,
          settings: settings)
      }
    }
    return losses
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
