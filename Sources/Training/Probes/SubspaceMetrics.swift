import Kernels
import Models
import Telemetry

/// How far a run in a random subspace has come from where it began.
struct SubspaceMetrics: Probe {
  /// Nil for a run that trains all weights.
  init?(_ run: ProbedRun) {
    if run.configuration.subspace == 0 { return nil }
  }

  func afterUpdate(of step: ProbedStep, _ outcome: StepOutcome, into samples: inout StepSamples) {
    let squares = squareSum(step.weights, from: 0, count: step.weights.count)
    samples.add(MetricCatalog.subspaceNorm, squares.squareRoot())
    guard let initial = step.initialLoss else { return }
    samples.add(MetricCatalog.subspaceDrop, initial - outcome.statistics.loss)
  }
}
