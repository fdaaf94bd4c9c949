import Telemetry

/// What comes of many weights in one array.
struct SharingMetrics: Probe {
  private let shared: SharedParameters

  init?(_ run: ProbedRun) {
    guard let shared = run.shared else { return nil }
    self.shared = shared
  }

  func isDue(in step: ProbedStep) -> Bool { step.number % TensorMetrics.interval == 0 }

  func afterUpdate(of step: ProbedStep, _ outcome: StepOutcome, into samples: inout StepSamples) {
    samples.add(MetricCatalog.shareCollisions, shared.collisions)
    samples.add(MetricCatalog.shareGradientScale, shared.gradientScale)
  }
}
