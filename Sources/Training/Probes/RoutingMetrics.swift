import Kernels
import Models
import Signals
import Telemetry

/// What a mixture's experts and its routing are measured by beside every step's own numbers.
struct RoutingMetrics {
  static let interval = 50

  private let layers: [Int]

  init(model: ModelConfiguration) {
    layers = model.mixtureLayers
  }

  func isDue(at step: Int) -> Bool { !layers.isEmpty && step % Self.interval == 0 }

  /// Right after the step's passes, with the weights they had: both are read where they lie.
  func measure(_ engine: TransformerEngine, parameters: FloatBuffer) -> [(MetricName, Double)] {
    let similarity = zip(layers, engine.expertSimilarity(parameters: parameters))
    let information = zip(layers.dropFirst(), engine.routingMutualInformation())
    return similarity.map { (MetricCatalog.expertSimilarity(layer: $0), $1) }
      + information.map { (MetricCatalog.routerMutualInformation(layer: $0), $1) }
  }

  /// Of an evaluation.
  func heldOutViolations(_ statistics: StepStatistics) -> [(MetricName, Double)] {
    zip(layers, statistics.expertCounts).map { layer, counts in
      let violation = ExpertBalance(counts: counts).maxViolation
      return (MetricCatalog.heldOutMaxViolation(layer: layer), Double(Float(violation)))
    }
  }
}
