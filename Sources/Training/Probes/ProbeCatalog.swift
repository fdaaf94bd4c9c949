import Models

/// The probes of a run, in the order in which they tell what they measured.
package enum ProbeCatalog {
  /// Fits a probe to a run; nil where the run has nothing for it to measure.
  package typealias Maker = @Sendable (ProbedRun) -> (any Probe)?

  package static let makers: [Maker] = [
    { StepMetrics($0) },
    { $0.heldOut },
    { RoutingMetrics($0) },
    { FunctionMetrics($0) },
    { TensorMetrics(layout: $0.trained) },
    { SparsityMetrics($0) },
    { SharingMetrics($0) },
    { PruningMetrics($0) },
    { _ in UpdateCapMetrics() },
    { MeZOMetrics($0) },
    { SubspaceMetrics($0) },
    { _ in NoiseScale() },
    { UpdateCosine($0) },
    { LearningRateProbe($0) },
    { SharpnessProbe($0) },
    { RankMetrics($0) },
    { SampleProbe($0) },
  ]
}
