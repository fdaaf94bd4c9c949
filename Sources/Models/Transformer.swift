/// A model as a plan: the layers of its blocks, and where their tensors lie.
struct Transformer: Sendable {
  let configuration: ModelConfiguration
  let layout: ParameterLayout
  let blocks: [Block]
  let ends: Ends
  /// What stands beside frozen weights, by their numbers.
  let adapters: [any LinearAdapter]
  /// Nil where another adapter is trained, or none.
  let ladder: Ladder?

  /// The mixer with its norm, then the feed-forward layer with its own.
  struct Block: Sendable {
    let mixerNorm: Norm
    var mixer: any Layer
    let mixerAdapter: BottleneckAdapter?
    let feedForwardNorm: Norm
    var feedForward: any Layer
    let feedForwardAdapter: BottleneckAdapter?

    /// - Parameters: `prefix` is what its tensors' names begin with; nil for the model's own
    init(
      _ configuration: ModelConfiguration, layer: Int, plan: inout TensorPlan,
      prefix: String? = nil
    ) {
      let names = configuration.architecture.names
      plan.enter(block: layer, prefix: prefix ?? "\(names.stem)\(names.blocks)\(layer).")
      mixerNorm = plan.addNorm(names.mixerNorm, configuration)
      mixer = configuration.mixer(inLayer: layer).conformer.init(
        configuration, layer: layer, plan: &plan)
      mixerAdapter = BottleneckAdapter(
        configuration, name: "self_attn", number: 2 * layer, plan: &plan)
      feedForwardNorm = plan.addNorm(names.feedForwardNorm, configuration)
      feedForward = configuration.feedForward(inLayer: layer).conformer.init(
        configuration.shape(ofLayer: layer), layer: layer, plan: &plan)
      feedForwardAdapter = BottleneckAdapter(
        configuration, name: "mlp", number: 2 * layer + 1, plan: &plan)
    }
  }

  /// What comes before the blocks and after them.
  struct Ends: Sendable {
    let embedding: TensorPlace
    /// [T, D]; nil where positions are rotary.
    let positions: TensorPlace?
    let finalNorm: Norm
    /// The embedding's where they are one.
    let unembedding: TensorPlace
    /// What a backward pass clears before it adds to it.
    fileprivate(set) var sums: [TensorPlace] = []
  }

  init(_ configuration: ModelConfiguration) {
    self.configuration = configuration
    let (vocabulary, width) = (configuration.vocabulary, configuration.width)
    var plan = TensorPlan(adapter: configuration.adapter, ranks: configuration.pruned?.ranks)
    let names = configuration.architecture.names
    let table = [vocabulary, width]
    let embedding = plan.add(names.stem + names.embedding + ".weight", table, .embedding)
    let positions =
      configuration.architecture.learnsPositions
      ? plan.add(
        names.stem + names.positions + ".weight", [configuration.context, width], .embedding)
      : nil
    var blocks = (0..<configuration.layers).map {
      Block(configuration, layer: $0, plan: &plan)
    }
    plan.leaveBlocks(names.stem)
    for index in blocks.indices {
      blocks[index].mixer.planShared(&plan)
      blocks[index].feedForward.planShared(&plan)
    }
    self.blocks = blocks
    let finalNorm = plan.addNorm(names.finalNorm, configuration)
    plan.leaveModel()
    let unembedding =
      configuration.isTied ? embedding : plan.add("lm_head.weight", table, .unembedding)
    ladder = Ladder(configuration, plan: &plan)
    if configuration.sigmaReparam { plan.addSigmaGains() }
    if configuration.sharing > 0 { plan.addSharedArray(configuration.sharing) }
    let layout = ParameterLayout(plan)
    self.layout = layout
    adapters = plan.adapters
    ends = Ends(
      embedding: embedding, positions: positions, finalNorm: finalNorm, unembedding: unembedding,
      sums: layout.tensors.filter(\.role.addsGradients).map(\.place))
  }
}
