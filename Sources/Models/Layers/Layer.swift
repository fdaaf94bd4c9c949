package import Kernels

/// Half a block: it reads the normalised residual stream and adds to the stream.
///
/// A sequence mixer takes information from earlier positions to later ones; a feed-forward layer
/// works on each position by itself. A conformer is a file in this folder and a line in `LayerKind`:
/// it names its tensors with their roles, plans its memory, and runs forward and backward.
package protocol Layer: Sendable {
  /// The word for it in options and checkpoints.
  static var name: String { get }

  /// Its tensors take their places in the plan, named within the block.
  init(_ configuration: ModelConfiguration, layer: Int, plan: inout TensorPlan)

  /// Tensors that several blocks use, after the last block; the first of them adds a name, the
  /// others get its place.
  mutating func planShared(_ plan: inout TensorPlan)

  /// The weights that a token meets, as many as six operations each stand for; other products
  /// counted as the weights they cost as much as.
  static func weightsPerToken(_ configuration: ModelConfiguration) -> Int

  /// About how many numbers it keeps of a token for the backward pass, beside its input's norm.
  static func keptPerToken(_ configuration: ModelConfiguration) -> Int

  /// Whether it has attention logits: their largest, by head too, and the attention's entropy are
  /// then told of each step.
  static var hasAttentionLogits: Bool { get }

  /// What else it measures in every step.
  static func signals(_ configuration: ModelConfiguration) -> [LayerSignal]

  /// The weights of each of its experts; empty for a layer without.
  var expertTensors: [[TensorPlace]] { get }

  /// Its functions whose coefficients are trained, in the order in which they are met; empty for a
  /// layer without.
  var functions: [RationalPlaces] { get }

  /// One pass's memory.
  func memory(_ plan: inout MemoryPlan) -> any LayerPass

  /// The memory of passes over texts that grow, one position after the other: what positions before
  /// have left is kept by text.
  func inference(_ plan: inout InferencePlan) -> any LayerInference
}

extension Layer {
  /// Right for a layer that works on each position by itself; a mixer has its own.
  package func inference(_ plan: inout InferencePlan) -> any LayerInference {
    PositionwiseInference(pass: memory(&plan.memory))
  }

  package mutating func planShared(_ plan: inout TensorPlan) {}
  package static var hasAttentionLogits: Bool { false }
  package static func signals(_ configuration: ModelConfiguration) -> [LayerSignal] { [] }
  package var expertTensors: [[TensorPlace]] { [] }
  package var functions: [RationalPlaces] { [] }
}

/// A layer in the memory of one pass.
package protocol LayerPass: Sendable {
  /// The same memory for fewer rows.
  func prefix(_ rows: Int) -> Self

  /// - Shapes: `input` [M, D]; `residual` [M, D], added to
  func forward(_ input: Matrix, addingTo residual: Matrix, in pass: PassInputs)

  /// Of the same input as the forward pass before it.
  ///
  /// - Shapes: `dOutput`, the residual stream's gradient, and `input` [M, D]; `dInput` [M, D],
  ///   overwritten
  /// - Parameters: `gradients` of matrices are overwritten, or added to in a step's second pass;
  ///   those of other roles are added to what was cleared before
  func backward(
    _ dOutput: Matrix, input: Matrix, dInput: Matrix, gradients: PassGradients, in pass: PassInputs)

  /// Which token went to which expert in the last forward pass; nil for a layer without experts.
  var routing: ExpertRouting? { get }
}

extension LayerPass {
  package var routing: ExpertRouting? { nil }
}

/// A number that a layer measures in every step, by layer.
package struct LayerSignal: Sendable, Hashable {
  package enum Reduction: Sendable {
    /// The passes leave sums over their tokens.
    case mean
    /// The passes leave their largest.
    case largest
    /// The passes leave their smallest.
    case smallest
  }

  /// The metric's name, to which the layer is added.
  package let name: String
  package let reduction: Reduction
  /// The layer's part that it is of, which is added to the name too; nil where it is of all.
  package let part: Int?

  package init(name: String, reduction: Reduction, part: Int? = nil) {
    self.name = name
    self.reduction = reduction
    self.part = part
  }
}

/// What a pass is computed from, and where it leaves what it measures.
package struct PassInputs: Sendable {
  package let parameters: ParameterView
  package let settings: LossSettings
  package let tokens: TokenRows
  /// Tokens of the whole batch, of which this slice is a part.
  package let batchTokens: Int
  /// 0 or 1 of a step's passes; nil for a loss without gradients.
  package let number: Int?
  /// The number of the first token in the call.
  package let firstToken: Int
  var sums: PassSums
  /// [L, E] by the layers that have experts.
  let routerBias: FloatBuffer
  /// What the rows are where texts grow; nil where they are the windows of `tokens`.
  var texts: TextRows?
  /// The weights of products, packed for few rows, where texts grow.
  var packed: PackedWeights?
  /// What is trained beside frozen weights; nil where nothing is.
  var adapters: AdapterPass?
  /// The tokens' loss where it is no plain mean; of no account to a loss without gradients.
  var tokenLoss: (any TokenLoss)?
  /// Matrices with empty blocks; nil where all are whole.
  var sparse: SparseMatrices?

  /// y = x·Wᵀ, or y += x·Wᵀ, of the weight at `place` and what is trained beside it: the same bits
  /// packed or not.
  ///
  /// - Shapes: `x` [M, in], `y` [M, out]
  package func multiply(
    _ x: Matrix, transposed place: TensorPlace, into y: Matrix, adding: Bool = false
  ) {
    if let adapters, adapters.multiply(x, transposed: place, into: y, adding: adding, in: self) {
      return
    }
    if let packed, packed.holds(place) {
      packed.multiply(x, transposed: place, into: y, adding: adding)
    } else if let blocks = sparse?[place] {
      Kernels.multiply(x, transposed: parameters[place], blocks: blocks, into: y, adding: adding)
    } else {
      Kernels.multiply(x, transposed: parameters[place], into: y, adding: adding)
    }
    adapters?.forward(x, place, addingTo: y, parameters)
  }

  /// The backward pass of `multiply`: the weight's gradient, unless it is frozen, then dX = dY·W, or
  /// dX += dY·W. Of a sparse matrix only the gradients of blocks that are there are written, unless
  /// all are asked for.
  ///
  /// - Shapes: `dY` [M, out], `x` and `dX` [M, in]
  package func multiplyBackward(
    _ dY: Matrix, _ place: TensorPlace, input x: Matrix, dInput dX: Matrix, adding: Bool = false,
    gradients: PassGradients
  ) {
    if let sparse, let blocks = sparse[place] {
      if sparse.takesWholeGradients {
        Kernels.multiply(transposed: dY, x, into: gradients.tensors[place], adding: gradients.adds)
      } else {
        Kernels.multiply(
          transposed: dY, x, into: gradients.tensors[place], blocks: blocks, adding: gradients.adds)
      }
      return Kernels.multiply(dY, parameters[place], blocks: blocks, into: dX, adding: adding)
    }
    if !place.isFrozen {
      Kernels.multiply(transposed: dY, x, into: gradients.tensors[place], adding: gradients.adds)
    }
    Kernels.multiply(dY, parameters[place], into: dX, adding: adding)
    adapters?.backward(dY, place, input: x, addingTo: dX, gradients, parameters)
  }

  /// - Parameters: `signal` is a place that the memory's plan gave; `value` overwrites
  package func measure(_ value: Double, as signal: Int) { sums.signals[signal] = value }
}

/// Where a backward pass leaves the gradients of a slice.
package struct PassGradients: Sendable {
  package let tensors: ParameterView
  /// Whether they hold those of a first pass over the same tokens, to which this one's are added.
  package let adds: Bool
  /// [L, E], the balance loss's gradient for a probability.
  let balance: FloatBuffer

  /// The gradient of a tensor that may be frozen; nil where it is.
  package func unlessFrozen(_ place: TensorPlace) -> Matrix? {
    place.isFrozen ? nil : tensors[place]
  }
}
