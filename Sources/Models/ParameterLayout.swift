/// Where every tensor lies in one flat run of numbers, under the names of Hugging Face's Persimmon.
///
/// Each tensor starts at a cache line; the numbers between two tensors stay zero. Parameters,
/// gradients and moments all have this layout.
package struct ParameterLayout: Sendable, Hashable {
  package let tensors: [ParameterTensor]
  /// All numbers, those between tensors included.
  package let count: Int
  private let positions: [String: Int]

  package init(_ configuration: ModelConfiguration) {
    self = Transformer(configuration).layout
  }

  init(_ plan: TensorPlan) {
    tensors = plan.tensors
    count = plan.count
    positions = plan.positions
  }

  /// Of numbers that are trained in the place of a model's: one tensor of them.
  package init(subspace dimensions: Int) {
    var plan = TensorPlan()
    _ = plan.add("subspace", [dimensions], .subspace)
    self.init(plan)
  }

  package subscript(name: String) -> ParameterTensor? {
    positions[name].map { tensors[$0] }
  }
}

/// Gives tensors their places, one after the other.
package struct TensorPlan {
  private(set) var tensors: [ParameterTensor] = []
  private(set) var count = 0
  private(set) var positions: [String: Int] = [:]
  /// What names begin with for now: a block's tensors are told by their names within it.
  private var prefix = ""
  private var layer: Int?

  /// A place for a tensor; where there is one of that name already, the same place: it is shared.
  ///
  /// - Parameters: `name` as in Persimmon, without the block; `initial` is nil for what the role
  ///   gives
  package mutating func add(
    _ name: String, _ shape: [Int], _ role: TensorRole, initial: InitialValues? = nil
  ) -> TensorPlace {
    let name = prefix + name
    if let position = positions[name] {
      precondition(tensors[position].shape == shape, "\(name) in two shapes")
      return tensors[position].place
    }
    let tensor = ParameterTensor(
      name: name, shape: shape, offset: count, role: role, layer: layer,
      initial: initial ?? role.initialValues)
    positions[name] = tensors.count
    tensors.append(tensor)
    count += (tensor.count + 15) / 16 * 16
    return tensor.place
  }

  mutating func enter(block: Int) {
    prefix = "model.layers.\(block)."
    layer = block
  }

  mutating func leaveBlocks() {
    prefix = "model."
    layer = nil
  }

  /// Beside the model's own tensors, which are named in full.
  mutating func leaveModel() { prefix = "" }

  /// Last, where the engine, which sees the matrices alone, does not look.
  mutating func addSigmaGains() {
    for tensor in tensors where tensor.role.isHiddenMatrix {
      layer = tensor.layer
      _ = add(tensor.sigmaGainName, [tensor.role.matrices], .sigmaGain)
    }
    layer = nil
  }
}
