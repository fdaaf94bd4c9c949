internal import Kernels

/// Causal self-attention between its two projections, with rotary positions and, where it is on,
/// qk-layernorm.
package struct CausalSelfAttention: Layer {
  package static let name = "attention"
  package static let hasAttentionLogits = true

  let configuration: ModelConfiguration
  fileprivate let layer: Int
  /// [3·H·Dh, D], rows of [H][q|k|v][Dh]
  let queryKeyValue: TensorPlace
  /// [1, Dh]
  fileprivate let queryGain: TensorPlace
  fileprivate let keyGain: TensorPlace
  /// [D, H·Dh]
  let output: TensorPlace
  /// [1, H], a factor of each head's output; nil for none.
  let mask: TensorPlace?
  private let prefix: PrefixAdapter?

  package init(_ configuration: ModelConfiguration, layer: Int, plan: inout TensorPlan) {
    let (width, headWidth) = (configuration.width, configuration.headWidth)
    precondition(
      configuration.heads > 0 && width % (2 * configuration.heads) == 0,
      "width \(width) in \(configuration.heads) heads of even width")
    self.configuration = configuration
    self.layer = layer
    let kept = configuration.attentionWidth
    queryKeyValue = plan.add(
      "self_attn.query_key_value.weight", [3 * kept, width],
      .queryKeyValue(headWidth: headWidth))
    queryGain = plan.add("self_attn.q_layernorm.weight", [headWidth], .queryKeyGain)
    keyGain = plan.add("self_attn.k_layernorm.weight", [headWidth], .queryKeyGain)
    output = plan.add("self_attn.dense.weight", [width, kept], .matrix)
    mask =
      configuration.isMasked
      ? plan.addTrained(
        "self_attn.head_mask", [configuration.heads], .coefficients, initial: .repeating([1]))
      : nil
    prefix = PrefixAdapter(configuration, plan: &plan)
  }

  /// The projections and, as causal attention is half of 12·H·Dh·T operations, H·Dh·T.
  package static func weightsPerToken(_ configuration: ModelConfiguration) -> Int {
    configuration.attentionWidth * (4 * configuration.width + configuration.context)
  }

  package static func keptPerToken(_ configuration: ModelConfiguration) -> Int {
    4 * configuration.attentionWidth
  }

  package func memory(_ plan: inout MemoryPlan) -> any LayerPass {
    AttentionPass(self, &plan)
  }

  package func inference(_ plan: inout InferencePlan) -> any LayerInference {
    AttentionInference(self, &plan)
  }

  /// The attention between the projections, over rows whose places are those of `rotary`.
  func heads(
    _ pass: PassInputs, rotary: RotaryPositions, queryKeyValue: Matrix, output: Matrix,
    logSumExp: Matrix, scratch: HeadScratch, gradients: PassGradients? = nil
  ) -> AttentionHeads {
    AttentionHeads(
      heads: configuration.keptHeads, rotary: rotary, weight: pass.settings.qkLayerNormWeight,
      cap: pass.settings.logitSoftCap, queryGain: pass.parameters[queryGain],
      keyGain: pass.parameters[keyGain], queryKeyValue: queryKeyValue, output: output,
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
  /// Rows of [H][q|k|v][Dh]; queries and keys are rotated in place while qk-layernorm is off.
  var queryKeyValue: Matrix
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
      RotaryPositions(positions: configuration.context, headWidth: configuration.headWidth)
    }
    queryKeyValue = plan.matrix(columns: 3 * width)
    output = plan.matrix(columns: width)
    logSumExp = plan.arena.matrix(
      rows: plan.rows / configuration.context * configuration.keptHeads,
      columns: configuration.context)
    scratch = plan.scratch { HeadScratch(configuration, $0) }
    masked = layer.mask.map { MaskedHeads(mask: $0, configuration, plan) }
  }

  func prefix(_ rows: Int) -> AttentionPass {
    var result = self
    result.queryKeyValue = queryKeyValue.rows(from: 0, count: rows)
    result.output = output.rows(from: 0, count: rows)
    result.scratch = scratch.prefix(rows)
    result.masked = masked?.prefix(rows)
    return result
  }

  func forward(_ input: Matrix, addingTo residual: Matrix, in pass: PassInputs) {
    pass.multiply(input, transposed: layer.queryKeyValue, into: queryKeyValue)
    var statistics = AttentionStatistics()
    heads(pass).forward(
      statistics: &statistics, headLogitMax: pass.sums.headLogitMax.base + firstHead)
    pass.sums.layers[layer.layer].attention = statistics
    let output = masked?.apply(to: output, pass) ?? output
    pass.multiply(output, transposed: layer.output, into: residual, adding: true)
  }

  func backward(
    _ dOutput: Matrix, input: Matrix, dInput: Matrix, gradients: PassGradients, in pass: PassInputs
  ) {
    pass.multiplyBackward(
      dOutput, layer.output, input: masked?.output ?? output, dInput: scratch.dOutput,
      gradients: gradients)
    masked?.backward(scratch.dOutput, of: output, gradients)
    heads(pass, gradients: gradients).backward(
      dQueryGain: gradients.unlessFrozen(layer.queryGain),
      dKeyGain: gradients.unlessFrozen(layer.keyGain))
    pass.multiplyBackward(
      scratch.dQueryKeyValue, layer.queryKeyValue, input: input, dInput: dInput,
      gradients: gradients)
  }

  private func heads(_ pass: PassInputs, gradients: PassGradients? = nil) -> AttentionHeads {
    layer.heads(
      pass, rotary: rotary, queryKeyValue: queryKeyValue, output: output, logSumExp: logSumExp,
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
  fileprivate(set) var dQueryKeyValue: Matrix
  fileprivate(set) var dOutput: Matrix
  /// Queries and keys as attention sees them while qk-layernorm has a weight.
  fileprivate(set) var query: BlendedScratch
  fileprivate(set) var key: BlendedScratch
  let attention: AttentionScratch

  init(_ configuration: ModelConfiguration, _ plan: MemoryPlan) {
    dQueryKeyValue = plan.matrix(columns: 3 * configuration.attentionWidth)
    dOutput = plan.matrix(columns: configuration.attentionWidth)
    query = BlendedScratch(configuration, plan)
    key = BlendedScratch(configuration, plan)
    attention = AttentionScratch(arena: plan.arena, positions: configuration.context)
  }

  func prefix(_ rows: Int) -> HeadScratch {
    var result = self
    result.dQueryKeyValue = dQueryKeyValue.rows(from: 0, count: rows)
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

  fileprivate init(_ configuration: ModelConfiguration, _ plan: MemoryPlan) {
    let width = configuration.attentionWidth
    values = plan.matrix(columns: 2 * width)
    gradients = plan.matrix(columns: 2 * width)
    normalised = plan.matrix(columns: width)
    output = plan.matrix(columns: width)
    reciprocal = plan.arena.matrix(rows: 1, columns: plan.rows * configuration.keptHeads)
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
