internal import Kernels

/// Causal self-attention between its two projections, with rotary positions and, where it is on,
/// qk-layernorm.
package struct CausalSelfAttention: Layer {
  package static let name = "attention"
  package static let hasAttentionLogits = true

  let configuration: ModelConfiguration
  fileprivate let layer: Int
  let projection: HeadProjection
  /// [1, Dh]
  fileprivate let queryGain: TensorPlace
  fileprivate let keyGain: TensorPlace
  /// [D, H·Dh]
  let output: Linear
  /// [1, H], a factor of each head's output; nil for none.
  let mask: TensorPlace?
  private let prefix: PrefixAdapter?

  package init(_ configuration: ModelConfiguration, layer: Int, plan: inout TensorPlan) {
    let (width, headWidth) = (configuration.width, configuration.headWidth)
    precondition(
      configuration.heads > 0 && width % configuration.heads == 0
        && (headWidth % 2 == 0 || !configuration.turnsPairs),
      "width \(width) in \(configuration.heads) heads")
    self.configuration = configuration
    self.layer = layer
    precondition(
      configuration.heads % (configuration.keyValueHeads ?? 1) == 0,
      "\(configuration.heads) heads share \(configuration.keyValueHeads ?? 1)")
    projection = HeadProjection(configuration, plan: &plan)
    let names = configuration.architecture.names
    queryGain = plan.add(names.attention + "q_layernorm.weight", [headWidth], .queryKeyGain)
    keyGain = plan.add(names.attention + "k_layernorm.weight", [headWidth], .queryKeyGain)
    output = plan.addLinear(
      names.attention + names.attentionOutput, [width, configuration.attentionWidth],
      hasBias: configuration.architecture.hasBiases)
    mask =
      configuration.isMasked
      ? plan.addTrained(
        "self_attn.head_mask", [configuration.heads], .coefficients, initial: .repeating([1]))
      : nil
    prefix = PrefixAdapter(configuration, plan: &plan)
  }

  /// The projections and, as causal attention is half of 12·H·Dh·T operations, H·Dh·T.
  package static func weightsPerToken(_ configuration: ModelConfiguration) -> Int {
    configuration.attentionWidth * (2 * configuration.width + configuration.context)
      + 2 * configuration.keyWidth * configuration.width
  }

  package static func keptPerToken(_ configuration: ModelConfiguration) -> Int {
    2 * (configuration.attentionWidth + configuration.keyWidth)
  }

  package func memory(_ plan: inout MemoryPlan) -> any LayerPass {
    AttentionPass(self, &plan)
  }

  package func inference(_ plan: inout InferencePlan) -> any LayerInference {
    AttentionInference(self, &plan)
  }

  /// The attention between the projections, over rows whose places are those of `rotary`.
  func heads(
    _ pass: PassInputs, rotary: RotaryPositions, rows: HeadRows, output: Matrix,
    logSumExp: Matrix, scratch: HeadScratch, gradients: PassGradients? = nil
  ) -> AttentionHeads {
    AttentionHeads(
      heads: configuration.keptHeads, keyHeads: configuration.keyHeads, rotary: rotary,
      weight: pass.settings.qkLayerNormWeight,
      epsilon: Float(configuration.normEpsilon), cap: pass.settings.logitSoftCap,
      queryGain: pass.parameters[queryGain],
      keyGain: pass.parameters[keyGain], rows: rows, output: output,
      logSumExp: logSumExp, scratch: scratch,
      prefix: prefix?.heads(pass.parameters, gradients: gradients))
  }
}

extension LayerKind {
  /// Causal self-attention.
  public static let attention = LayerKind(CausalSelfAttention.self)
}

/// What a pass keeps of an attention layer, and its scratch.
private struct AttentionPass: LayerPass {
  let layer: CausalSelfAttention
  let rotary: RotaryPositions
  /// Among the layers that have attention logits.
  let firstHead: Int
  /// Queries and keys are rotated in place while qk-layernorm is off.
  var rows: HeadRows
  var output: Matrix
  /// [samples·H, T]
  let logSumExp: Matrix
  var scratch: HeadScratch
  /// Nil without masks.
  var masked: MaskedHeads?

  init(_ layer: CausalSelfAttention, _ plan: inout MemoryPlan) {
    let configuration = layer.configuration
    let width = configuration.attentionWidth
    self.layer = layer
    firstHead = configuration.attentionIndex(ofLayer: layer.layer) * configuration.keptHeads
    rotary = plan.constant {
      RotaryPositions(
        positions: configuration.context, headWidth: configuration.headWidth,
        base: configuration.rotation)
    }
    rows = HeadRows(configuration, plan)
    output = plan.matrix(columns: width)
    logSumExp = plan.arena.matrix(
      rows: plan.rows / configuration.context * configuration.keptHeads,
      columns: configuration.context)
    scratch = plan.scratch { HeadScratch(configuration, $0) }
    masked = layer.mask.map { MaskedHeads(mask: $0, configuration, plan) }
  }

  func prefix(_ rows: Int) -> AttentionPass {
    var result = self
    result.rows = self.rows.prefix(rows)
    result.output = output.rows(from: 0, count: rows)
    result.scratch = scratch.prefix(rows)
    result.masked = masked?.prefix(rows)
    return result
  }

  func forward(_ input: Matrix, addingTo residual: Matrix, in pass: PassInputs) {
    layer.projection.forward(input, into: rows, in: pass)
    var statistics = AttentionStatistics()
    heads(pass).forward(
      statistics: &statistics, headLogitMax: pass.sums.headLogitMax.base + firstHead)
    pass.sums.layers[layer.layer].attention = statistics
    let output = masked?.apply(to: output, pass) ?? output
    pass.multiply(output, by: layer.output, into: residual, adding: true)
  }

  func backward(
    _ dOutput: Matrix, input: Matrix, dInput: Matrix, gradients: PassGradients, in pass: PassInputs
  ) {
    pass.multiplyBackward(
      dOutput, by: layer.output, input: masked?.output ?? output, dInput: scratch.dOutput,
      gradients: gradients)
    masked?.backward(scratch.dOutput, of: output, gradients)
    heads(pass, gradients: gradients).backward(
      dQueryGain: gradients.unlessFrozen(layer.queryGain),
      dKeyGain: gradients.unlessFrozen(layer.keyGain))
    layer.projection.backward(
      scratch.dRows, input: input, dInput: dInput, gradients: gradients, in: pass)
  }

  private func heads(_ pass: PassInputs, gradients: PassGradients? = nil) -> AttentionHeads {
    layer.heads(
      pass, rotary: rotary, rows: rows, output: output, logSumExp: logSumExp,
      scratch: scratch, gradients: gradients)
  }
}

/// The outputs of a layer's heads times their masks.
private struct MaskedHeads: Sendable {
  private let mask: TensorPlace
  private let headWidth: Int
  /// [M, H·Dh]
  private(set) var output: Matrix
  /// [1, H·Dh], a head's factor in each of its columns, and what a backward pass adds up by column.
  private let factors: Matrix
  private let sums: Matrix

  init(mask: TensorPlace, _ configuration: ModelConfiguration, _ plan: MemoryPlan) {
    self.mask = mask
    headWidth = configuration.headWidth
    output = plan.matrix(columns: configuration.attentionWidth)
    factors = plan.arena.matrix(rows: 1, columns: configuration.attentionWidth)
    sums = plan.arena.matrix(rows: 1, columns: configuration.attentionWidth)
  }

  func prefix(_ rows: Int) -> MaskedHeads {
    var result = self
    result.output = output.rows(from: 0, count: rows)
    return result
  }

  func apply(to heads: Matrix, _ pass: PassInputs) -> Matrix {
    for column in 0..<factors.columns {
      factors[0, column] = pass.parameters[mask][0, column / headWidth]
    }
    copyRows(heads, into: output)
    scaleColumns(output, by: factors)
    return output
  }

  /// dm_h = Σ dO'·O over the head's columns, and dO = m·dO' in the place of dO'.
  func backward(_ dOutput: Matrix, of heads: Matrix, _ gradients: PassGradients) {
    sums.clear()
    addColumnProducts(dOutput, heads, to: sums)
    for column in 0..<sums.columns {
      gradients.tensors[mask][0, column / headWidth] += sums[0, column]
    }
    scaleColumns(dOutput, by: factors)
  }
}

/// What the attention of a layer needs for its length alone.
struct HeadScratch: Sendable {
  fileprivate(set) var dRows: HeadRows
  fileprivate(set) var dOutput: Matrix
  /// Queries and keys as attention sees them while qk-layernorm has a weight.
  fileprivate(set) var query: BlendedScratch
  fileprivate(set) var key: BlendedScratch
  let attention: AttentionScratch

  init(_ configuration: ModelConfiguration, _ plan: MemoryPlan) {
    dRows = HeadRows(configuration, plan)
    dOutput = plan.matrix(columns: configuration.attentionWidth)
    query = BlendedScratch(heads: configuration.keptHeads, configuration, plan)
    key = BlendedScratch(heads: configuration.keyHeads, configuration, plan)
    attention = AttentionScratch(arena: plan.arena, positions: configuration.context)
  }

  func prefix(_ rows: Int) -> HeadScratch {
    var result = self
    result.dRows = dRows.prefix(rows)
    result.dOutput = dOutput.rows(from: 0, count: rows)
    result.query = query.prefix(rows)
    result.key = key.prefix(rows)
    return result
  }
}

/// Queries or keys beside their normalised selves: [M, H·2Dh], and what the LayerNorm keeps.
struct BlendedScratch: Sendable {
  private(set) var values: Matrix
  private(set) var gradients: Matrix
  /// [M, H·Dh] seen as [M·H, Dh]
  private(set) var normalised: Matrix
  private(set) var output: Matrix
  let reciprocal: Matrix

  fileprivate init(heads: Int, _ configuration: ModelConfiguration, _ plan: MemoryPlan) {
    let width = heads * configuration.headWidth
    values = plan.matrix(columns: 2 * width)
    gradients = plan.matrix(columns: 2 * width)
    normalised = plan.matrix(columns: width)
    output = plan.matrix(columns: width)
    reciprocal = plan.arena.matrix(rows: 1, columns: plan.rows * heads)
  }

  fileprivate func prefix(_ rows: Int) -> BlendedScratch {
    var result = self
    result.values = values.rows(from: 0, count: rows)
    result.gradients = gradients.rows(from: 0, count: rows)
    result.normalised = normalised.rows(from: 0, count: rows)
    result.output = output.rows(from: 0, count: rows)
    return result
  }
}
