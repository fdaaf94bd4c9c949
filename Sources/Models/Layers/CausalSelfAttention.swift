internal import Kernels

/// Causal self-attention between its two projections, with rotary positions and, where it is on,
/// qk-layernorm.
package struct CausalSelfAttention: Layer {
  package static let name = "attention"
  package static let hasAttentionLogits = true

  let configuration: ModelConfiguration
  fileprivate let layer: Int
  /// [3D, D], rows of [H][q|k|v][Dh]
  let queryKeyValue: TensorPlace
  /// [1, Dh]
  fileprivate let queryGain: TensorPlace
  fileprivate let keyGain: TensorPlace
  /// [D, D]
  let output: TensorPlace
  private let prefix: PrefixAdapter?

  package init(_ configuration: ModelConfiguration, layer: Int, plan: inout TensorPlan) {
    let (width, headWidth) = (configuration.width, configuration.headWidth)
    precondition(
      configuration.heads > 0 && width % (2 * configuration.heads) == 0,
      "width \(width) in \(configuration.heads) heads of even width")
    self.configuration = configuration
    self.layer = layer
    queryKeyValue = plan.add(
      "self_attn.query_key_value.weight", [3 * width, width],
      .queryKeyValue(headWidth: headWidth))
    queryGain = plan.add("self_attn.q_layernorm.weight", [headWidth], .queryKeyGain)
    keyGain = plan.add("self_attn.k_layernorm.weight", [headWidth], .queryKeyGain)
    output = plan.add("self_attn.dense.weight", [width, width], .matrix)
    prefix = PrefixAdapter(configuration, plan: &plan)
  }

  /// The projections and, as causal attention is half of 12·D·T operations, D·T.
  package static func weightsPerToken(_ configuration: ModelConfiguration) -> Int {
    configuration.width * (4 * configuration.width + configuration.context)
  }

  package static func keptPerToken(_ configuration: ModelConfiguration) -> Int {
    4 * configuration.width
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
      heads: configuration.heads, rotary: rotary, weight: pass.settings.qkLayerNormWeight,
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

  init(_ layer: CausalSelfAttention, _ plan: inout MemoryPlan) {
    let configuration = layer.configuration
    let width = configuration.width
    self.layer = layer
    firstHead = configuration.attentionIndex(ofLayer: layer.layer) * configuration.heads
    rotary = plan.constant {
      RotaryPositions(positions: configuration.context, headWidth: configuration.headWidth)
    }
    queryKeyValue = plan.matrix(columns: 3 * width)
    output = plan.matrix(columns: width)
    logSumExp = plan.arena.matrix(
      rows: plan.rows / configuration.context * configuration.heads,
      columns: configuration.context)
    scratch = plan.scratch { HeadScratch(configuration, $0) }
  }

  func prefix(_ rows: Int) -> AttentionPass {
    var result = self
    result.queryKeyValue = queryKeyValue.rows(from: 0, count: rows)
    result.output = output.rows(from: 0, count: rows)
    result.scratch = scratch.prefix(rows)
    return result
  }

  func forward(_ input: Matrix, addingTo residual: Matrix, in pass: PassInputs) {
    pass.multiply(input, transposed: layer.queryKeyValue, into: queryKeyValue)
    var statistics = AttentionStatistics()
    heads(pass).forward(
      statistics: &statistics, headLogitMax: pass.sums.headLogitMax.base + firstHead)
    pass.sums.layers[layer.layer].attention = statistics
    pass.multiply(output, transposed: layer.output, into: residual, adding: true)
  }

  func backward(
    _ dOutput: Matrix, input: Matrix, dInput: Matrix, gradients: PassGradients, in pass: PassInputs
  ) {
    pass.multiplyBackward(
      dOutput, layer.output, input: output, dInput: scratch.dOutput, gradients: gradients)
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

/// What the attention of a layer needs for its length alone.
struct HeadScratch: Sendable {
  fileprivate(set) var dQueryKeyValue: Matrix
  fileprivate(set) var dOutput: Matrix
  /// Queries and keys as attention sees them while qk-layernorm has a weight.
  fileprivate(set) var query: BlendedScratch
  fileprivate(set) var key: BlendedScratch
  let attention: AttentionScratch

  init(_ configuration: ModelConfiguration, _ plan: MemoryPlan) {
    dQueryKeyValue = plan.matrix(columns: 3 * configuration.width)
    dOutput = plan.matrix(columns: configuration.width)
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
  /// [M, D] seen as [M·H, Dh]
  private(set) var normalised: Matrix
  private(set) var output: Matrix
  let reciprocal: Matrix

  fileprivate init(_ configuration: ModelConfiguration, _ plan: MemoryPlan) {
    values = plan.matrix(columns: 2 * configuration.width)
    gradients = plan.matrix(columns: 2 * configuration.width)
    normalised = plan.matrix(columns: configuration.width)
    output = plan.matrix(columns: configuration.width)
    reciprocal = plan.arena.matrix(rows: 1, columns: plan.rows * configuration.heads)
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
