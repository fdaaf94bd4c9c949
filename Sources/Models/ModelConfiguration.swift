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

  /// The family of its norms, its positions and its projections.
  public var architecture = Architecture.persimmon
  /// Heads of keys and values, which divide those of queries; nil for as many.
  public var keyValueHeads: Int?
  /// θ, the base of the angles that rotary positions turn by.
  public var rotaryBase = 10_000.0
  /// ε of the norms of the stream.
  public var normEpsilon = 1e-5
  /// Whether the unembedding is the embedding's table.
  public var isTied = false

  /// What mixes the blocks' positions, taken in turn from the first block on.
  public var mixers: [LayerKind] = [.attention]
  /// The feed-forward layer where there are no experts.
  public var feedForward = LayerKind.gelu

  /// Whether hidden matrices are trained as γ·W/σ(W).
  public var sigmaReparam = false

  /// What is trained in the place of the model's own tensors; nil to train these.
  public var adapter: AdapterConfiguration?
  /// What early pruning has left of it and of the adapter; nil where all is there.
  public var pruned: PrunedShape?
  /// Whether masks on heads and hidden channels are trained beside the adapter, to tell what may go.
  public var isMasked = false
  /// R, the length of one array that all hidden matrices are read from, over theirs; 0 where they have
  /// numbers of their own.
  public var sharing = 0.0

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
    let layout = ParameterLayout(self)
    return layout.tensors.reduce(0) {
      $0 + ($1.role == .fixed || !layout.isTrained($1) ? 0 : $1.count)
    }
  }

  /// The weights that are read from a shared array.
  package var readCount: Int {
    let layout = ParameterLayout(self)
    return layout.tensors.reduce(0) { $0 + (layout.isTrained($1) ? 0 : $1.count) }
  }

  /// Matrix operations a token, forward and backward: 6 a weight it meets, and what of its layers'
  /// work is as much, in both passes of a step that has two.
  package func flopsPerToken() -> Double {
    let weights = (0..<layers).reduce(width * vocabulary) {
      $0 + mixer(inLayer: $1).conformer.weightsPerToken(self)
        + feedForward(inLayer: $1).conformer.weightsPerToken(shape(ofLayer: $1))
    }
    guard adapter != nil else { return Double(passes) * 6 * Double(weights) }
    // A frozen weight has no gradient.
    let layout = ParameterLayout(self)
    let tied = isTied ? width * vocabulary : 0
    let frozen = layout.trunk.reduce(tied) { $0 + ($1.role.isLinear ? $1.count : 0) }
    return Double(passes) * Double(6 * (weights + layout.count) - 2 * frozen)
  }

  /// About how many numbers all blocks of a pass keep of a token.
  package var keptPerToken: Int {
    (0..<layers).reduce(0) {
      $0 + 4 * width + mixer(inLayer: $1).conformer.keptPerToken(self)
        + feedForward(inLayer: $1).conformer.keptPerToken(shape(ofLayer: $1))
    }
  }
}

extension ModelConfiguration {
  /// The layer's experts; nil where its feed-forward layer is dense.
  package func experts(inLayer layer: Int) -> ExpertConfiguration? {
    experts.flatMap { (layer + 1) % $0.every == 0 ? $0 : nil }
  }

  /// What mixes the layer's positions.
  package func mixer(inLayer layer: Int) -> LayerKind { mixers[layer % mixers.count] }

  /// What follows it: a mixture where the layer has experts.
  package func feedForward(inLayer layer: Int) -> LayerKind {
    experts(inLayer: layer) == nil ? feedForward : .mixture
  }

  /// The layers that have attention logits.
  package var attentionLayers: [Int] {
    (0..<layers).filter { mixer(inLayer: $0).conformer.hasAttentionLogits }
  }

  /// Whether any layer has attention, so that what is kept of a text grows with it.
  package var hasAttention: Bool { !attentionLayers.isEmpty }

  /// A layer's place among those.
  func attentionIndex(ofLayer layer: Int) -> Int {
    (0..<layer).count { mixer(inLayer: $0).conformer.hasAttentionLogits }
  }

  /// What a layer measures besides.
  package struct Signal: Sendable, Hashable {
    package let layer: Int
    package let kind: LayerSignal
  }

  /// By layer, a mixer's before those of what follows it.
  package var signals: [Signal] {
    var signals: [Signal] = []
    for layer in 0..<layers {
      for half in [mixer(inLayer: layer), feedForward(inLayer: layer)] {
        for kind in half.conformer.signals(self) {
          signals.append(Signal(layer: layer, kind: kind))
        }
      }
    }
    return signals
  }

  /// Passes over its batch that a step takes.
  package var passes: Int { experts?.router.conformer.passes ?? 1 }

  /// The layers that have experts.
  package var mixtureLayers: [Int] { (0..<layers).filter { experts(inLayer: $0) != nil } }

  /// How many layers have experts.
  package var mixtureCount: Int { experts.map { layers / $0.every } ?? 0 }

  /// A layer's place among those that have experts.
  package func mixtureIndex(ofLayer layer: Int) -> Int { (layer + 1) / (experts?.every ?? 1) - 1 }
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
  /// p, the width of the state of a router that has one; nothing to the others.
  public var routerWidth = 32

  /// Experts of the given hidden width, `active` of them for each token.
  public init(count: Int, width: Int, active: Int, router: ExpertRouter = .topk) {
    self.count = count
    self.width = width
    self.active = active
    self.router = router
  }
}
