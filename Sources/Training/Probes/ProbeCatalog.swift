import Models

/// The probes of a run, in the order in which they tell what they measured.
package enum ProbeCatalog {
  /// Fits a probe to a run; nil where the run has nothing for it to measure.
  package typealias Maker = @Sendable (ProbedRun) -> (any Probe)?

  package static let makers: [Maker] = [
    { StepMetrics($0) },
    { $0.heldOut },
    { RoutingMetrics($0) },
    { TensorMetrics(layout: $0.layout) },
    { SparsityMetrics($0) },
    { SharingMetrics($0) },
    { _ in NoiseScale() },
    { UpdateCosine(parameters: $0.layout.count, pool: $0.pool) },
    { LearningRateProbe($0) },
    { SharpnessProbe($0) },
    { RankMetrics($0) },
    { SampleProbe($0) },
  ]
}
