import Telemetry

/// How many tensors the cap of their change held back, while there is one.
struct UpdateCapMetrics: Probe {
  func isDue(in step: ProbedStep) -> Bool { step.rates.updateCap > 0 }

  func afterUpdate(of step: ProbedStep, _ outcome: StepOutcome, into samples: inout StepSamples) {
    samples.add(MetricCatalog.updateCapped, outcome.update.cappedShare)
  }
}
