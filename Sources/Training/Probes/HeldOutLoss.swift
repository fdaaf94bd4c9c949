package import Kernels
import Models
import Signals
package import Telemetry

/// The loss of the data that is held out, and how a mixture's experts share it.
///
/// Where a person asks, too, so that what the answer says stands among the samples.
package struct HeldOutLoss: Probe {
  /// [windows, T + 1]: fewer windows than asked for where the held-out part is short.
  package let tokens: [Token]
  package let rows: Int
  private let mixtureLayers: [Int]
  private var measured: StepStatistics?

  init(tokens: [Token], model: ModelConfiguration) {
    self.tokens = tokens
    rows = tokens.count / (model.context + 1)
    mixtureLayers = model.mixtureLayers
  }

  package func isDue(in step: ProbedStep) -> Bool {
    if step.isEvaluationAsked { return true }
    let every = step.settings.whole(SettingCatalog.evalEvery)
    return every > 0 && step.number % every == 0
  }

  package mutating func beforePasses(of step: ProbedStep) {
    measured = measure(step.engine, parameters: step.parameters, settings: step.lossSettings)
  }

  package mutating func afterUpdate(
    of step: ProbedStep, _ outcome: StepOutcome, into samples: inout StepSamples
  ) {
    if let measured { tell(measured, into: &samples) }
    measured = nil
  }

  /// The means over the held-out windows. Random experts are those that `seismo eval` draws too.
  func measure(
    _ engine: TransformerEngine, parameters: FloatBuffer, settings: LossSettings
  ) -> StepStatistics {
    var settings = settings
    settings.draw = 0
    return tokens.withUnsafeBufferPointer {
      engine.loss(parameters: parameters, tokens: $0, rows: rows, settings: settings)
    }
  }

  func tell(_ held: StepStatistics, into samples: inout StepSamples) {
    samples.add(MetricCatalog.evalLoss, held.loss)
    for (layer, counts) in zip(mixtureLayers, held.expertCounts) {
      let violation = ExpertBalance(counts: counts).maxViolation
      samples.add(MetricCatalog.heldOutMaxViolation(layer: layer), Double(Float(violation)))
    }
  }
}
