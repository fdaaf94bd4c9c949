/// Where every tensor lies in one flat run of numbers, under the names that Hugging Face's model of its
/// family has for them.
///
/// Each tensor starts at a cache line; the numbers between two tensors stay zero. Parameters,
/// gradients and moments all have this layout. Where an adapter is trained, the model's own tensors
/// lie apart from it, in the trunk.
package struct ParameterLayout: Sendable, Hashable {
  package let tensors: [ParameterTensor]
  /// All numbers, those between tensors included.
  package let count: Int
  /// What is not trained, laid out in the same way in a buffer of its own, with what is computed from
  /// it among them; empty where all is trained.
  package let trunk: [ParameterTensor]
  package let trunkCount: Int
  private let positions: [String: Int]

  package init(_ configuration: ModelConfiguration) {
    self = Transformer(configuration).layout
  }

  init(_ plan: TensorPlan) {
    (tensors, count, positions) = (plan.trained.tensors, plan.trained.count, plan.trained.positions)
    trunk = plan.frozen.tensors.filter { !$0.isDerived }
    trunkCount = plan.frozen.count
  }

  /// What all hidden matrices are read from; nil where they have numbers of their own.
  package var sharedArray: ParameterTensor? {
    tensors.last.flatMap { $0.role == .sharedArray ? $0 : nil }
  }

  /// False for a matrix that is read from the shared array, which is trained in its place.
  package func isTrained(_ tensor: ParameterTensor) -> Bool {
    !tensor.role.isHiddenMatrix || sharedArray == nil
  }

  /// Of numbers that are trained in the place of a model's: one tensor of them.
  package init(subspace dimensions: Int) {
    var plan = TensorPlan()
    _ = plan.add("subspace", [dimensions], .subspace)
    self.init(plan)
  }

  /// What the last features are multiplied by: the embedding's table where the two are one.
  package var unembedding: ParameterTensor? {
    let all = tensors + trunk
    return all.first { $0.role == .unembedding } ?? all.first { $0.role == .embedding }
  }

  package subscript(name: String) -> ParameterTensor? {
    positions[name].map { tensors[$0] } ?? trunk.first { $0.name == name }
  }
}

/// Gives tensors their places, one after the other.
package struct TensorPlan {
  /// Tensors of one buffer.
  struct Run: Sendable {
    fileprivate(set) var tensors: [ParameterTensor] = []
    fileprivate(set) var count = 0
    fileprivate(set) var positions: [String: Int] = [:]
  }

  private(set) var trained = Run()
  private(set) var frozen = Run()
  /// What stands beside the frozen weights, by their numbers.
  private(set) var adapters: [any LinearAdapter] = []
  private let adapter: AdapterConfiguration?
  /// Those left of the adapter's modules that are still to come; nil where all have the adapter's.
  private var ranks: ArraySlice<Int>?
  /// Whether what is added now is trained beside frozen tensors.
  private var isBeside = false
  /// What names begin with for now: a block's tensors are told by their names within it.
  private var prefix = ""
  private var layer: Int?

  /// - Parameters: `adapter` is trained in the place of the tensors that are added; nil to train
  ///   these; `ranks` are what is left of its modules, nil for all of them
  init(adapter: AdapterConfiguration? = nil, ranks: [Int]? = nil) {
    self.adapter = adapter
    self.ranks = ranks.map { $0[...] }
  }

  /// The adapter as the next of its modules has it: with the rank that is left of it, by which what it
  /// adds counts as much as before. Nil where there is none, or nothing is left of it.
  mutating func nextModule() -> AdapterConfiguration? {
    guard var own = adapter, let rank = ranks?.popFirst() else { return adapter }
    guard rank > 0 else { return nil }
    own.alpha *= Double(rank) / Double(own.rank)
    own.rank = rank
    return own
  }

  /// A place for a tensor; where there is one of that name already, the same place: it is shared.
  ///
  /// - Parameters: `name` as in Hugging Face's model, without the block; `initial` is nil for what
  ///   the role gives
  package mutating func add(
    _ name: String, _ shape: [Int], _ role: TensorRole, initial: InitialValues? = nil
  ) -> TensorPlace {
    guard let adapter, !isBeside else { return addTrained(name, shape, role, initial: initial) }
    let tensor = tensor(name, shape, role, initial)
    if let known = frozen.known(tensor) { return known.place }
    guard role.isHiddenMatrix, let kind = adapter.method.besideWeights, let own = nextModule()
    else {
      return frozen.append(tensor, isFrozen: true, adapter: nil)
    }
    let place = frozen.append(tensor, isFrozen: true, adapter: adapters.count)
    let stem = name.hasSuffix(".weight") ? String(name.dropLast(".weight".count)) : name
    let beside = kind.init(own, weight: place, name: stem, plan: &self)
    adapters.append(beside)
    return place
  }

  /// A place among what is trained, whatever becomes of the model's own tensors.
  mutating func addTrained(
    _ name: String, _ shape: [Int], _ role: TensorRole, initial: InitialValues? = nil
  ) -> TensorPlace {
    let tensor = tensor(name, shape, role, initial)
    if let known = trained.known(tensor) { return known.place }
    return trained.append(tensor, isFrozen: false, adapter: nil)
  }

  /// A place in the trunk for what an adapter computes from a weight.
  mutating func addDerived(_ name: String, _ shape: [Int]) -> TensorPlace {
    frozen.append(tensor(name, shape, .fixed, nil), isFrozen: true, isDerived: true, adapter: nil)
  }

  private func tensor(
    _ name: String, _ shape: [Int], _ role: TensorRole, _ initial: InitialValues?
  ) -> ParameterTensor {
    ParameterTensor(
      name: prefix + name, shape: shape, offset: 0, role: role, layer: layer,
      initial: initial ?? role.initialValues)
  }

  mutating func enter(block: Int, prefix: String) {
    self.prefix = prefix
    layer = block
  }

  /// A network beside the model, all of which is trained, named in full.
  mutating func enterLadder() {
    (prefix, layer) = ("", nil)
    isBeside = true
  }

  mutating func leaveBlocks(_ stem: String) {
    prefix = stem
    layer = nil
  }

  /// Beside the model's own tensors, which are named in full.
  mutating func leaveModel() { prefix = "" }

  /// Last, where the engine, which sees the matrices alone, does not look: as many numbers as `share`
  /// of theirs.
  mutating func addSharedArray(_ share: Double) {
    let weights = trained.tensors.reduce(0) { $0 + ($1.role.isHiddenMatrix ? $1.count : 0) }
    let count = max(1, Int((Double(weights) * share).rounded()))
    layer = nil
    _ = add("model.shared.weight", [count], .sharedArray)
  }

  /// Last, where the engine, which sees the matrices alone, does not look.
  mutating func addSigmaGains() {
    for tensor in trained.tensors where tensor.role.isHiddenMatrix {
      layer = tensor.layer
      _ = add(tensor.sigmaGainName, [tensor.role.matrices], .sigmaGain)
    }
    layer = nil
  }
}

extension TensorPlan.Run {
  /// The tensor of that name.
  fileprivate func known(_ tensor: ParameterTensor) -> ParameterTensor? {
    guard let position = positions[tensor.name] else { return nil }
    precondition(tensors[position].shape == tensor.shape, "\(tensor.name) in two shapes")
    return tensors[position]
  }

  fileprivate mutating func append(
    _ tensor: ParameterTensor, isFrozen: Bool, isDerived: Bool = false, adapter: Int?
  ) -> TensorPlace {
    let tensor = ParameterTensor(
      name: tensor.name, shape: tensor.shape, offset: count, role: tensor.role,
      layer: tensor.layer, initial: tensor.initial, isFrozen: isFrozen, isDerived: isDerived,
      adapter: adapter)
    positions[tensor.name] = tensors.count
    tensors.append(tensor)
    count += (tensor.count + 15) / 16 * 16
    return tensor.place
  }
}
