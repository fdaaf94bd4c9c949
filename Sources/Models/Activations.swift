internal import Kernels

/// What one slice's pass keeps between forward and backward, and the scratch of both.
struct Activations: Sendable {
  private(set) var blocks: [BlockPass]
  /// The residual stream: every block adds to it in place.
  private(set) var residual: Matrix
  private(set) var final: NormActivations
  private(set) var logits: Matrix
  /// The residual stream's gradient, [M, D]: the only one that lives through all layers.
  private(set) var dResidual: Matrix
  /// Of a layer's normalised input, [M, D].
  private(set) var dInput: Matrix
  /// Nil where no adapter stands beside a weight.
  let adapters: AdapterPass?
  /// Nil for a model without.
  private(set) var ladder: LadderPass?

  init(_ model: Transformer, _ plan: inout MemoryPlan) {
    let width = model.configuration.width
    plan.beginPass()
    residual = plan.matrix(columns: width)
    blocks = Self.blocks(model, &plan)
    final = NormActivations(columns: width, plan)
    logits = plan.matrix(columns: model.configuration.vocabulary)
    dResidual = plan.matrix(columns: width)
    dInput = plan.matrix(columns: width)
    adapters = AdapterPass(model, plan)
    ladder = LadderPass(model, plan)
  }

  /// Under a ladder no block keeps anything for a backward pass, so that those behind the first, which
  /// has what all share, lie in the same memory.
  private static func blocks(_ model: Transformer, _ plan: inout MemoryPlan) -> [BlockPass] {
    let width = model.configuration.width
    var mark: Arena.Mark?
    return model.blocks.map { block in
      defer { if mark == nil { mark = plan.arena.mark } }
      if model.ladder != nil, let mark { plan.arena.reuse(from: mark) }
      return BlockPass(block, width: width, &plan)
    }
  }

  /// The same memory for fewer rows.
  func prefix(_ rows: Int) -> Activations {
    guard rows < residual.rows else { return self }
    var result = self
    result.residual = residual.rows(from: 0, count: rows)
    result.blocks = blocks.map { $0.prefix(rows) }
    result.final = final.prefix(rows)
    result.logits = logits.rows(from: 0, count: rows)
    result.dResidual = dResidual.rows(from: 0, count: rows)
    result.dInput = dInput.rows(from: 0, count: rows)
    result.ladder = ladder?.prefix(rows)
    return result
  }
}

/// A block in the memory of one pass.
struct BlockPass: Sendable {
  let mixerNorm: Norm
  private(set) var mixerInput: NormActivations
  private(set) var mixer: any LayerPass
  let feedForwardNorm: Norm
  private(set) var feedForwardInput: NormActivations
  private(set) var feedForward: any LayerPass

  init(_ block: Transformer.Block, width: Int, _ plan: inout MemoryPlan) {
    mixerNorm = block.mixerNorm
    mixerInput = NormActivations(columns: width, plan)
    let mixer = block.mixer.memory(&plan)
    self.mixer = block.mixerAdapter?.memory(behind: mixer, &plan) ?? mixer
    feedForwardNorm = block.feedForwardNorm
    feedForwardInput = NormActivations(columns: width, plan)
    let feedForward = block.feedForward.memory(&plan)
    self.feedForward = block.feedForwardAdapter?.memory(behind: feedForward, &plan) ?? feedForward
  }

  /// - Shapes: `residual` [M, D], added to
  /// - Returns: the sum over rows of its mean square before
  @discardableResult
  func forward(_ residual: Matrix, in pass: PassInputs) -> Double {
    let squares = mixerInput.normalise(residual, by: mixerNorm, in: pass)
    mixer.forward(mixerInput.output, addingTo: residual, in: pass)
    feedForwardInput.normalise(residual, by: feedForwardNorm, in: pass)
    feedForward.forward(feedForwardInput.output, addingTo: residual, in: pass)
    return squares
  }

  /// - Shapes: `dResidual` [M, D], added to; `dInput` [M, D], scratch
  func backward(
    _ dResidual: Matrix, dInput: Matrix, gradients: PassGradients, in pass: PassInputs
  ) {
    feedForward.backward(
      dResidual, input: feedForwardInput.output, dInput: dInput, gradients: gradients, in: pass)
    feedForwardInput.backward(
      dInput, addingTo: dResidual, by: feedForwardNorm, gradients, in: pass)
    mixer.backward(
      dResidual, input: mixerInput.output, dInput: dInput, gradients: gradients, in: pass)
    mixerInput.backward(dInput, addingTo: dResidual, by: mixerNorm, gradients, in: pass)
  }

  func prefix(_ rows: Int) -> BlockPass {
    var result = self
    result.mixerInput = mixerInput.prefix(rows)
    result.mixer = mixer.prefix(rows)
    result.feedForwardInput = feedForwardInput.prefix(rows)
    result.feedForward = feedForward.prefix(rows)
    return result
  }
}
