/// What early pruning has left of a model and of the adapter beside it.
///
/// What is gone is cut out of the weights, so that their products are smaller.
/// - Source: Gu et al. 2024 (2406.03792), Light-PEFT
public struct PrunedShape: Sendable, Hashable, Codable {
  /// The attention heads of each block.
  public var heads: Int
  /// The hidden channels of each block's feed-forward layer.
  public var channels: [Int]
  /// The rank of each of the adapter's modules, in the order of the model's layers; 0 for one that is
  /// gone, and empty once the adapter is merged.
  public var ranks: [Int]

  /// One of these sizes.
  public init(heads: Int, channels: [Int], ranks: [Int]) {
    (self.heads, self.channels, self.ranks) = (heads, channels, ranks)
  }

  /// Whether a model of this shape can have been left so much of.
  package func fits(_ model: ModelConfiguration) -> Bool {
    (1...model.heads).contains(heads) && channels.count == model.layers
      && channels.allSatisfy((1...model.feedForwardWidth).contains)
      && ranks.count == model.moduleCount
      && ranks.allSatisfy((0...(model.adapter?.rank ?? 0)).contains)
  }
}

extension ModelConfiguration {
  /// The heads of a block that are there.
  package var keptHeads: Int { pruned?.heads ?? heads }

  /// The width of the heads that are there, side by side: D unless some are gone.
  package var attentionWidth: Int { keptHeads * headWidth }

  /// The hidden width of the widest feed-forward layer.
  var widestFeedForward: Int { pruned?.channels.max() ?? feedForwardWidth }

  /// The same with the hidden width that the layer has.
  func shape(ofLayer layer: Int) -> ModelConfiguration {
    guard let pruned else { return self }
    var own = self
    own.feedForwardWidth = pruned.channels[layer]
    return own
  }

  /// The adapter's modules that ranks can be cut out of.
  package var moduleCount: Int { (adapter?.method.modulesPerLayer ?? 0) * layers }
}

extension AdapterMethod {
  /// Whether it is made of modules with ranks, which can be cut out together with parts of the model.
  package var isPrunable: Bool { modulesPerLayer > 0 }

  /// LoRA stands beside four weights of a block, a bottleneck behind each half.
  fileprivate var modulesPerLayer: Int {
    switch self {
    case .lora: 4
    case .bottleneck: 2
    case .svfit, .prefix, .ladder, .rank1: 0
    }
  }
}

/// Where a module of an adapter lies: what it adds is made of as many parts as it has ranks.
struct AdapterModule: Sendable {
  /// [r, in]
  let down: TensorPlace
  /// [out, r]
  let up: TensorPlace
}

extension Transformer {
  /// The adapter's modules in the layers' order; empty for one that has no ranks to cut.
  var modules: [AdapterModule] {
    let beside = adapters.compactMap { ($0 as? LowRankAdapter)?.module }
    guard beside.isEmpty else { return beside }
    return blocks.flatMap { [$0.mixerAdapter, $0.feedForwardAdapter] }.compactMap { $0?.module }
  }
}
