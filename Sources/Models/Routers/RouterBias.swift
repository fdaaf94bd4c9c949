/// What is added to the experts' scores to choose by, and to nothing else: balance without a loss.
///
/// After a step, b_e moves by `rate` towards the experts that had too little; a batch's load never
/// steers its own routing.
/// - Source: Wang et al. 2024 (2408.15664)
package struct RouterBias: Sendable, Hashable {
  /// [L, E] by the layers that have experts; zeros at the start.
  package private(set) var values: [Float]
  private let router: ExpertRouter

  /// - Parameters: `values` go on from a checkpoint; nil for zeros
  package init(_ configuration: ModelConfiguration, values: [Float]? = nil) {
    router = configuration.experts?.router ?? .topk
    self.values = values ?? Array(repeating: 0, count: configuration.routerBiasCount)
    precondition(self.values.count == configuration.routerBiasCount)
  }

  /// - Parameters: `counts` are the step's assignments by layer and expert
  package mutating func update(counts: [[Int]], rate: Float) {
    var entry = 0
    for layer in counts {
      let mean = Float(layer.reduce(0, +)) / Float(layer.count)
      for count in layer {
        values[entry] += rate * router.biasStep(load: Float(count) / mean)
        entry += 1
      }
    }
  }
}

extension ModelConfiguration {
  package var routerBiasCount: Int { mixtureLayers.count * (experts?.count ?? 0) }
}
