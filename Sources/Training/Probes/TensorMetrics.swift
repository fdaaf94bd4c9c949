import Models
import Telemetry

/// What an update measured of each tensor, under the tensors' names.
///
/// The update adds up these sums whatever is recorded of them; recording is what costs, so it is
/// done every tenth step.
struct TensorMetrics: Probe {
  static let interval = 10

  private let names: [MetricName]

  init(layout: ParameterLayout) {
    let tensors = layout.tensors.map(\.name)
    names =
      tensors.map(MetricCatalog.gradRMS) + tensors.map(MetricCatalog.updateRMS)
      + tensors.map(MetricCatalog.paramNorm)
  }

  func isDue(in step: ProbedStep) -> Bool { step.number % Self.interval == 0 }

  func afterUpdate(of step: ProbedStep, _ outcome: StepOutcome, into samples: inout StepSamples) {
    let update = outcome.update
    samples.names += names
    samples.values += (update.gradRMS + update.updateRMS + update.paramNorm).map(Double.init)
  }
}
