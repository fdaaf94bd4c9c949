import Models
import Telemetry

/// What an update measured of each tensor, under the tensors' names.
///
/// The update adds up these sums whatever is recorded of them; recording is what costs, so it is
/// done every tenth step.
struct TensorMetrics {
  static let interval = 10

  private let names: [MetricName]

  init(layout: ParameterLayout) {
    let tensors = layout.tensors.map(\.name)
    names =
      tensors.map(MetricCatalog.gradRMS) + tensors.map(MetricCatalog.updateRMS)
      + tensors.map(MetricCatalog.paramNorm)
  }

  func isDue(at step: Int) -> Bool { step % Self.interval == 0 }

  func add(_ update: UpdateStatistics, noiseScale: Double?, to samples: inout StepSamples) {
    samples.names += names
    samples.values += (update.gradRMS + update.updateRMS + update.paramNorm).map(Double.init)
    guard let noiseScale else { return }
    samples.names.append(MetricCatalog.noiseScale)
    samples.values.append(noiseScale)
  }
}
