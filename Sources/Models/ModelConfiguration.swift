/// The shape of a decoder-only transformer over bytes.
public struct ModelConfiguration: Sendable, Hashable, Codable {
  /// D, the width of the residual stream.
  public var width: Int
  /// L, the number of blocks.
  public var layers: Int
  /// H, the attention heads of a block.
  public var heads: Int
  /// T, the positions of a window.
  public var context: Int
  /// V, the tokens: one a byte.
  public var vocabulary: Int
  /// A mixture of experts in place of feed-forward layers.
  public var experts: ExpertConfiguration?

  /// Whether hidden matrices are trained as γ·W/σ(W).
  public var sigmaReparam = false

  /// F, the hidden width of a dense feed-forward layer: four times the width unless set.
  public var feedForwardWidth: Int

  /// A dense model, or a mixture if `experts` are given.
  public init(
    width: Int, layers: Int, heads: Int, context: Int, experts: ExpertConfiguration? = nil
  ) {
    self.width = width
    self.layers = layers
    self.heads = heads
    self.context = context
    self.vocabulary = 256
    self.experts = experts
    self.feedForwardWidth = 4 * width
  }

  /// Dh, the width of one attention head.
  public var headWidth: Int { width / heads }

  /// All trained numbers, embedding and unembedding included.
  package var parameterCount: Int {
    ParameterLayout(self).tensors.reduce(0) { $0 + ($1.kind == .fixed ? 0 : $1.count) }
  }

  /// Matrix operations a token, forward and backward: 6 a weight it meets and causal attention,
  /// which is half of 12·L·D·T. A router's one matrix is left out, as in the peers' count; what a
  /// recurrent one does is counted, and both passes of a step that has two.
  package func flopsPerToken() -> Double {
    let hidden = (0..<layers).reduce(0) { $0 + activeHiddenWidth(inLayer: $1) }
    let weights =
      layers * 4 * width * width + 2 * width * hidden + width * vocabulary
      + mixtureCount * (experts?.recurrentWeights(width: width) ?? 0)
    return Double(passes) * 6 * Double(weights + layers * width * context)
  }
}

extension ModelConfiguration {
  /// The layer's experts; nil where its feed-forward layer is dense.
  package func experts(inLayer layer: Int) -> ExpertConfiguration? {
    experts.flatMap { (layer + 1) % $0.every == 0 ? $0 : nil }
  }

  /// Passes over its batch that a step takes.
  package var passes: Int { experts?.router == .thor ? 2 : 1 }

  /// The layers that have experts.
  package var mixtureLayers: [Int] { (0..<layers).filter { experts(inLayer: $0) != nil } }

  /// How many layers have experts.
  package var mixtureCount: Int { experts.map { layers / $0.every } ?? 0 }

  /// A layer's place among those that have experts.
  package func mixtureIndex(ofLayer layer: Int) -> Int { (layer + 1) / (experts?.every ?? 1) - 1 }

  /// The hidden numbers a token meets in a feed-forward layer.
  package func activeHiddenWidth(inLayer layer: Int) -> Int {
    experts(inLayer: layer).map { $0.active * $0.width + $0.sharedWidth } ?? feedForwardWidth
  }
}

/// A mixture of feed-forward experts, of which each token uses a few.
public struct ExpertConfiguration: Sendable, Hashable, Codable {
  /// E, the experts of a layer.
  public var count: Int
  /// F, the hidden width of one expert.
  public var width: Int
  /// The experts a token is sent to.
  public var active: Int
  /// How a token's experts are chosen.
  public var router: ExpertRouter
  /// 1 for experts in every layer, 2 for every second one, the first of them dense.
  public var every = 1
  /// The hidden width of an expert that every token meets besides its own; 0 for none.
  public var sharedWidth = 0
  /// p, the width of a recurrent router's state; nothing to the others.
  public var routerWidth = 32

  /// Experts of the given hidden width, `active` of them for each token.
  public init(count: Int, width: Int, active: Int, router: ExpertRouter = .topk) {
    self.count = count
    self.width = width
    self.active = active
    self.router = router
  }

  /// The weights that a token meets in a layer's recurrent router.
  fileprivate func recurrentWeights(width: Int) -> Int {
    router == .rmoe ? routerWidth * (width + 6 * routerWidth + count) : 0
  }
}
