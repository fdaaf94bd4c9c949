/// What is added to the experts' scores to choose by, and to nothing else: balance without a loss.
///
/// After a step, b_e moves by `rate` towards the experts that had too little; a batch's load never
/// steers its own routing.
/// - Source: Wang et al. 2024 (2408.15664)
package struct RouterBias: Sendable, Hashable {
  /// [L, E] by the layers that have experts; zeros at the start.
  package private(set) var values: [Float]
  private let router: ExpertRouter
  private let layers: [Int]

  /// - Parameters: `values` go on from a checkpoint; nil for zeros
  package init(_ configuration: ModelConfiguration, values: [Float]? = nil) {
    router = configuration.experts?.router ?? .topk
    layers = configuration.mixtureLayers
    self.values = values ?? Array(repeating: 0, count: configuration.routerBiasCount)
    precondition(self.values.count == configuration.routerBiasCount)
  }

  /// - Parameters: `counts` are the step's assignments by layer and expert; the first
  ///   `frozenBlocks` of the model are left as they are
  package mutating func update(counts: [[Int]], rate: Float, frozenBlocks: Int = 0) {
    for (index, layer) in counts.enumerated() where layers[index] >= frozenBlocks {
      let mean = Float(layer.reduce(0, +)) / Float(layer.count)
      for (expert, count) in layer.enumerated() {
        values[index * layer.count + expert] +=
          rate * router.conformer.biasStep(load: Float(count) / mean)
      }
    }
  }
}

extension ModelConfiguration {
  package var routerBiasCount: Int { mixtureCount * (experts?.count ?? 0) }
}
