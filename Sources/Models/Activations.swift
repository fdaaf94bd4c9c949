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

  init(_ model: Transformer, _ plan: inout MemoryPlan) {
    let width = model.configuration.width
    plan.beginPass()
    residual = plan.matrix(columns: width)
    blocks = model.blocks.map { BlockPass($0, width: width, &plan) }
    final = NormActivations(columns: width, plan)
    logits = plan.matrix(columns: model.configuration.vocabulary)
    dResidual = plan.matrix(columns: width)
    dInput = plan.matrix(columns: width)
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
    return result
  }
}

/// A block in the memory of one pass.
struct BlockPass: Sendable {
  let mixerGain: TensorPlace
  private(set) var mixerInput: NormActivations
  private(set) var mixer: any LayerPass
  let feedForwardGain: TensorPlace
  private(set) var feedForwardInput: NormActivations
  private(set) var feedForward: any LayerPass

  fileprivate init(_ block: Transformer.Block, width: Int, _ plan: inout MemoryPlan) {
    mixerGain = block.mixerGain
    mixerInput = NormActivations(columns: width, plan)
    mixer = block.mixer.memory(&plan)
    feedForwardGain = block.feedForwardGain
    feedForwardInput = NormActivations(columns: width, plan)
    feedForward = block.feedForward.memory(&plan)
  }

  fileprivate func prefix(_ rows: Int) -> BlockPass {
    var result = self
    result.mixerInput = mixerInput.prefix(rows)
    result.mixer = mixer.prefix(rows)
    result.feedForwardInput = feedForwardInput.prefix(rows)
    result.feedForward = feedForward.prefix(rows)
    return result
  }
}

/// What a LayerNorm keeps.
struct NormActivations: Sendable {
  private(set) var normalised: Matrix
  let reciprocal: Matrix
  private(set) var output: Matrix

  init(columns: Int, _ plan: MemoryPlan) {
    normalised = plan.matrix(columns: columns)
    output = plan.matrix(columns: columns)
    reciprocal = plan.arena.matrix(rows: 1, columns: plan.rows)
  }

  func prefix(_ rows: Int) -> NormActivations {
    var result = self
    result.normalised = normalised.rows(from: 0, count: rows)
    result.output = output.rows(from: 0, count: rows)
    return result
  }
}
