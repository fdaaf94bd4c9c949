import Telemetry

/// What the two losses of a step without gradients said.
struct MeZOMetrics: Probe {
  /// Nil for a run that takes gradients.
  init?(_ run: ProbedRun) {
    if run.configuration.optimizer.takesGradients { return nil }
  }

  func afterUpdate(of step: ProbedStep, _ outcome: StepOutcome, into samples: inout StepSamples) {
    guard let measure = outcome.update.zerothOrder else { return }
    samples.add(MetricCatalog.mezoLossPlus, measure.plus)
    samples.add(MetricCatalog.mezoLossMinus, measure.minus)
    samples.add(MetricCatalog.mezoProjectedGradient, measure.projectedGradient)
    samples.add(MetricCatalog.mezoMasked, measure.maskedShare)
  }
}
