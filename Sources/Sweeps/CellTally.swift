package import Signals
package import Telemetry

/// What of a run's samples its result is made of.
package struct CellTally: Sendable {
  private static let window = 500

  package private(set) var steps = 0
  package private(set) var finalLoss: Double?
  package private(set) var evalLoss: Double?
  /// The step of ``evalLoss``.
  private var evalStep = -1
  private var firstEvalLoss: Double?
  private var firstLoss: Double?
  package private(set) var attentionLogitMax: Double?
  /// Steps and the least gradient of those at which it was told.
  private var gradients: [(step: Int, rms: Double)] = []
  private var stepMilliseconds = 0.0
  private var rule: DivergenceRule
  /// Whether the run is lost, though its numbers are finite.
  package private(set) var isLost = false

  package init(warmup: Int) {
    rule = DivergenceRule(warmup: warmup)
  }

  package var initialLoss: Double? { firstEvalLoss ?? firstLoss }

  /// Seconds that the steps took.
  package var stepSeconds: Double { stepMilliseconds / 1000 }

  package var gradRMS: Double? {
    let last = gradients.filter { $0.step > steps - Self.window }.map(\.rms)
    return last.isEmpty ? nil : last.reduce(0, +) / Double(last.count)
  }

  /// The held-out loss of the weights as they are now; nil where the last one was measured before.
  package var finalEvalLoss: Double? { evalStep >= steps ? evalLoss : nil }

  package mutating func take(_ samples: StepSamples) {
    take(step: samples.step, gradients: Self.leastGradient(samples)) { samples[$0] }
  }

  private mutating func take(
    step: Int, gradients least: Double?, _ value: (MetricName) -> Double?
  ) {
    if let held = value(MetricCatalog.evalLoss) {
      (evalLoss, evalStep) = (held, step)
      if step == 0 { firstEvalLoss = held }
    }
    if let least { gradients.append((step, least)) }
    guard let loss = value(MetricCatalog.loss) else { return }
    steps = step + 1
    finalLoss = loss
    if step == 0 { firstLoss = loss }
    if let logit = value(MetricCatalog.attentionLogitMax) { attentionLogitMax = logit }
    if let milliseconds = value(MetricCatalog.stepMilliseconds) { stepMilliseconds += milliseconds }
    if rule.take(loss, at: step) { isLost = true }
  }

  private static func leastGradient(_ samples: StepSamples) -> Double? {
    var least: Double?
    for (name, value) in zip(samples.names, samples.values)
    where MetricCatalog.isFirstFeedForwardGradient(name) {
      least = min(least ?? .infinity, value)
    }
    return least
  }

  /// Takes what is recorded of a run, up to `end`.
  package mutating func take(_ history: RunHistory, before end: Int = .max) {
    let gradients = history.names.filter(MetricCatalog.isFirstFeedForwardGradient)
      .compactMap { history[$0] }
    let steps = Set(
      (history[MetricCatalog.loss]?.steps ?? []) + (history[MetricCatalog.evalLoss]?.steps ?? []))
    for step in steps.sorted() where step < end {
      let least = gradients.compactMap { $0.value(at: step) }.min()
      take(step: step, gradients: least) { history[$0]?.value(at: step) }
    }
  }
}
