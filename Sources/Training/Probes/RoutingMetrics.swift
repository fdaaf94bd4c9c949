import Kernels
import Models
import Telemetry

/// What a mixture's experts and its routing are measured by beside every step's own numbers.
struct RoutingMetrics: Probe {
  static let interval = 50

  private let layers: [Int]
  /// Whether the passes of a step leave its whole routing: losses alone do not.
  private let knowsRouting: Bool
  private var similarity: [Double] = []
  private var information: [Double] = []

  /// Nil for a model without experts.
  init?(_ run: ProbedRun) {
    layers = run.configuration.model.mixtureLayers
    knowsRouting = run.configuration.optimizer.takesGradients
    if layers.isEmpty { return nil }
  }

  func isDue(in step: ProbedStep) -> Bool { step.number % Self.interval == 0 }

  /// With the weights of the passes and what those left: both are read where they lie.
  mutating func beforeUpdate(of step: ProbedStep) {
    similarity = step.engine.expertSimilarity(parameters: step.parameters)
    information = knowsRouting ? step.engine.routingMutualInformation() : []
  }

  func afterUpdate(of step: ProbedStep, _ outcome: StepOutcome, into samples: inout StepSamples) {
    for (layer, value) in zip(layers, similarity) {
      samples.add(MetricCatalog.expertSimilarity(layer: layer), value)
    }
    for (layer, value) in zip(layers.dropFirst(), information) {
      samples.add(MetricCatalog.routerMutualInformation(layer: layer), value)
    }
  }
}
