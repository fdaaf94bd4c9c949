import Telemetry

/// How much of each matrix is not there, and how much of it came with the last exchange.
struct SparsityMetrics: Probe {
  private let sparsity: DynamicSparsity

  init?(_ run: ProbedRun) {
    guard let sparsity = run.sparsity else { return nil }
    self.sparsity = sparsity
  }

  func isDue(in step: ProbedStep) -> Bool { step.number % TensorMetrics.interval == 0 }

  func afterUpdate(of step: ProbedStep, _ outcome: StepOutcome, into samples: inout StepSamples) {
    for share in sparsity.shares {
      samples.add(MetricCatalog.sparsity(tensor: share.tensor), share.empty)
      samples.add(MetricCatalog.sparsityChurn(tensor: share.tensor), share.churn)
    }
  }
}
