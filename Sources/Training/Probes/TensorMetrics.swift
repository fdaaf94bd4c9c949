import Models
import Telemetry

/// What an update measured of each tensor, under the tensors' names.
///
/// The update adds up these sums whatever is recorded of them; recording is what costs, so it is
/// done every tenth step.
struct TensorMetrics: Probe {
  static let interval = 10

  private let names: [MetricName]
  /// Those that are trained.
  private let places: [Int]

  init(layout: ParameterLayout) {
    places = layout.tensors.indices.filter { layout.isTrained(layout.tensors[$0]) }
    let tensors = places.map { layout.tensors[$0].name }
    names =
      tensors.map(MetricCatalog.gradRMS) + tensors.map(MetricCatalog.updateRMS)
      + tensors.map(MetricCatalog.paramNorm)
  }

  func isDue(in step: ProbedStep) -> Bool { step.number % Self.interval == 0 }

  func afterUpdate(of step: ProbedStep, _ outcome: StepOutcome, into samples: inout StepSamples) {
    let update = outcome.update
    samples.names += names
    for values in [update.gradRMS, update.updateRMS, update.paramNorm] {
      samples.values += places.map { Double(values[$0]) }
    }
  }
}
