internal import Kernels

/// One forward, and after it one backward pass over a slice of the batch.
struct TransformerPass {
  let configuration: ModelConfiguration
  let rotary: RotaryPositions
  let settings: LossSettings
  let parameters: ModelTensors
  let tokens: TokenRows
  /// Tokens of the whole batch, of which this slice is a part.
  let batchTokens: Int
  let activations: Activations
  let sums: PassSums
  /// [L, E]
  let routerBias: FloatBuffer
  /// 0 or 1 of a step's passes; nil for a loss without gradients.
  let number: Int?
  /// The number of the first window in the call.
  let firstWindow: Int
  /// Each token's own loss, by the windows of the call; nil where none is asked for.
  var tokenLosses: Buffer<Double>?

  /// - Parameters: `weight` is one over the batch's tokens, and the logits become their gradient;
  ///   `nil` for a loss without gradients
  func forward(weight: Float?) {
    embed(tokens, table: parameters.embedding, output: activations.residual)
    for layer in 0..<configuration.layers {
      let squares = normalise(activations.layers[layer].attentionInput, by: gain(layer))
      if layer > 0 { sums.layers[layer - 1].meanSquares = squares }
      forwardAttention(layer)
      forwardFeedForward(layer)
    }
    let squares = normalise(activations.final, by: parameters.finalGain)
    if configuration.layers > 0 { sums.layers[configuration.layers - 1].meanSquares = squares }
    multiply(
      activations.final.output, transposed: parameters.unembedding, into: activations.logits)
    sums.output[0] = crossEntropy(
      activations.logits, tokens: tokens, zLoss: settings.zLoss, cap: settings.outputSoftCap,
      weight: weight, rowLosses: tokenLosses, firstRow: firstWindow * configuration.context)
  }

  private func gain(_ layer: Int) -> Matrix { parameters.layers[layer].inputGain }

  private func normalise(_ norm: NormActivations, by gain: Matrix) -> Double {
    layerNorm(
      activations.residual, gain: gain, normalised: norm.normalised, reciprocal: norm.reciprocal,
      output: norm.output)
  }

  private func attention(_ layer: Int) -> Attention {
    Attention(
      configuration: configuration, rotary: rotary, weight: settings.qkLayerNormWeight,
      cap: settings.logitSoftCap,
      parameters: parameters.layers[layer], activations: activations.layers[layer],
      scratch: activations.scratch)
  }

  private func forwardAttention(_ layer: Int) {
    let kept = activations.layers[layer]
    let weights = parameters.layers[layer]
    multiply(
      kept.attentionInput.output, transposed: weights.queryKeyValue, into: kept.queryKeyValue)
    var statistics = AttentionStatistics()
    attention(layer).forward(
      statistics: &statistics,
      headLogitMax: sums.headLogitMax.base + layer * configuration.heads)
    sums.layers[layer].attention = statistics
    multiply(
      kept.attentionOutput, transposed: weights.attentionOutput, into: activations.residual,
      adding: true)
    _ = normalise(kept.feedForwardInput, by: weights.feedForwardGain)
  }

  private func forwardFeedForward(_ layer: Int) {
    let kept = activations.layers[layer]
    let input = kept.feedForwardInput.output
    switch (parameters.layers[layer].feedForward, kept.feedForward) {
    case (.dense(let weights), .dense(let hidden)):
      FeedForward(parameters: weights, activations: hidden)
        .forward(input, addingTo: activations.residual)
    case (.mixture(let weights), .mixture(let hidden)):
      let entry = configuration.mixtureIndex(ofLayer: layer) * weights.experts.count
      sums.layers[layer].router = experts(layer, weights, hidden).forward(
        input, addingTo: activations.residual, bias: routerBias.base + entry,
        capacity: capacity(weights.experts.count, hidden.routing.active),
        counts: sums.expertCounts.base + entry,
        probabilitySums: sums.probabilities.base + entry,
        histogram: sums.gates[configuration.mixtureIndex(ofLayer: layer)])
    default: preconditionFailure("activations of another model")
    }
  }

  private func experts(
    _ layer: Int, _ weights: MixtureTensors, _ hidden: MixtureActivations
  ) -> Experts {
    Experts(
      parameters: weights, activations: hidden, recurrence: recurrence(layer, weights, hidden),
      deal: deal(layer), isFixed: configuration.experts?.router == .random)
  }

  private func deal(_ layer: Int) -> ExpertDeal? {
    switch configuration.experts?.router {
    case .hash: hashDeal(of: tokens, layer: layer)
    case .thor:
      stochasticDeal(
        layer: layer, draw: settings.draw, pass: number,
        first: firstWindow * configuration.context)
    default: nil
    }
  }

  /// The state it goes on from is that of the layer with experts before it.
  private func recurrence(
    _ layer: Int, _ weights: MixtureTensors, _ hidden: MixtureActivations
  ) -> RecurrentRouter? {
    guard let cell = parameters.cell, let projection = weights.projection,
      let kept = hidden.recurrent
    else { return nil }
    let before = layer - (configuration.experts?.every ?? 1)
    var previous: Matrix?
    if before >= 0, case .mixture(let earlier) = activations.layers[before].feedForward {
      previous = earlier.recurrent?.state
    }
    return RecurrentRouter(
      cell: cell, projection: projection, activations: kept, previous: previous)
  }

  /// Turns the logits of this pass and of the other one over the same tokens into their gradients.
  func meet(_ other: TransformerPass, weight: Float) {
    let divergence = consistencyGradients(
      first: activations.logits, second: other.activations.logits, tokens: tokens,
      zLoss: settings.zLoss, cap: settings.outputSoftCap, consistency: settings.consistency,
      weight: weight)
    // In both, since both passes' tokens are counted.
    sums.output[0].divergence = divergence
    other.sums.output[0].divergence = divergence
  }

  private func capacity(_ experts: Int, _ active: Int) -> ExpertCapacity {
    ExpertCapacity(
      factor: settings.capacity, window: configuration.context, experts: experts, active: active)
  }
}

extension TransformerPass {
  /// Whether the gradients hold those of a first pass over the same tokens.
  private var adds: Bool { number == 1 }

  /// This slice's gradients, in the place of what was there before; a step's second pass adds its
  /// own. `balance` [L, E] is the balance loss's gradient for a probability.
  func backward(gradients: ModelTensors, balance: FloatBuffer) {
    let scratch = activations.scratch
    if !adds { gradients.clearSums() }
    multiply(
      transposed: activations.logits, activations.final.output, into: gradients.unembedding,
      adding: adds)
    multiply(activations.logits, parameters.unembedding, into: scratch.dInput)
    scratch.dResidual.clear()
    scratch.mixture?.recurrent?.dState.clear()
    normaliseBackward(activations.final, parameters.finalGain, gradients.finalGain)
    for layer in stride(from: configuration.layers - 1, through: 0, by: -1) {
      backwardFeedForward(layer, gradients, balance: balance)
      backwardAttention(layer, gradients.layers[layer])
    }
    embedBackward(scratch.dResidual, tokens: tokens, dTable: gradients.embedding)
  }

  /// Adds what `dInput` holds to the residual stream's gradient, through the LayerNorm.
  private func normaliseBackward(_ norm: NormActivations, _ gain: Matrix, _ dGain: Matrix) {
    let scratch = activations.scratch
    layerNormBackward(
      scratch.dInput, normalised: norm.normalised, reciprocal: norm.reciprocal, gain: gain,
      addingTo: scratch.dResidual, dGain: dGain)
  }

  private func backwardFeedForward(
    _ layer: Int, _ model: ModelTensors, balance: FloatBuffer
  ) {
    let gradients = model.layers[layer]
    let kept = activations.layers[layer]
    let scratch = activations.scratch
    let input = kept.feedForwardInput.output
    switch (parameters.layers[layer].feedForward, kept.feedForward, gradients.feedForward) {
    case (.dense(let weights), .dense(let hidden), .dense(let dWeights)):
      FeedForward(parameters: weights, activations: hidden).backward(
        scratch.dResidual, input: input, gradients: dWeights,
        dHidden: scratch.dHidden.rows(from: 0, count: input.rows), dInput: scratch.dInput,
        addsGradients: adds)
    case (.mixture(let weights), .mixture(let hidden), .mixture(let dWeights)):
      guard let mixture = scratch.mixture else { preconditionFailure("no mixture scratch") }
      experts(layer, weights, hidden).backward(
        scratch.dResidual, input: input, gradients: dWeights, cell: model.cell, scratch: mixture,
        balance: balance.base + configuration.mixtureIndex(ofLayer: layer) * weights.experts.count,
        zLoss: 2 * settings.routerZLoss / Float(batchTokens), dInput: scratch.dInput,
        addsGradients: adds)
    default: preconditionFailure("gradients of another model")
    }
    normaliseBackward(
      kept.feedForwardInput, parameters.layers[layer].feedForwardGain, gradients.feedForwardGain)
  }

  private func backwardAttention(_ layer: Int, _ gradients: LayerTensors) {
    let kept = activations.layers[layer]
    let weights = parameters.layers[layer]
    let scratch = activations.scratch
    multiply(
      transposed: scratch.dResidual, kept.attentionOutput, into: gradients.attentionOutput,
      adding: adds)
    multiply(scratch.dResidual, weights.attentionOutput, into: scratch.dAttentionOutput)
    attention(layer).backward(gradients: gradients)
    multiply(
      transposed: scratch.dQueryKeyValue, kept.attentionInput.output,
      into: gradients.queryKeyValue, adding: adds)
    multiply(scratch.dQueryKeyValue, weights.queryKeyValue, into: scratch.dInput)
    normaliseBackward(kept.attentionInput, weights.inputGain, gradients.inputGain)
  }
}
