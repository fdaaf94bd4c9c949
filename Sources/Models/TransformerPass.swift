internal import Kernels

/// One forward, and after it one backward pass over a slice of the batch.
struct TransformerPass {
  let configuration: ModelConfiguration
  let ends: Transformer.Ends
  let inputs: PassInputs
  let activations: Activations
  /// Each token's own loss, by the windows of the call; nil where none is asked for.
  var tokenLosses: Buffer<Double>?

  private var settings: LossSettings { inputs.settings }
  private var sums: PassSums { inputs.sums }
  private var parameters: ParameterView { inputs.parameters }

  /// - Parameters: `weight` is one over the batch's tokens, and the logits become their gradient;
  ///   `nil` for a loss without gradients
  func forward(weight: Float?) {
    let residual = activations.residual
    embed(inputs.tokens, table: parameters[ends.embedding], output: residual)
    for (layer, block) in activations.blocks.enumerated() {
      let squares = normalise(block.mixerInput, by: block.mixerGain)
      if layer > 0 { sums.layers[layer - 1].meanSquares = squares }
      block.mixer.forward(block.mixerInput.output, addingTo: residual, in: inputs)
      _ = normalise(block.feedForwardInput, by: block.feedForwardGain)
      block.feedForward.forward(block.feedForwardInput.output, addingTo: residual, in: inputs)
    }
    let squares = normalise(activations.final, by: ends.finalGain)
    if configuration.layers > 0 { sums.layers[configuration.layers - 1].meanSquares = squares }
    multiply(
      activations.final.output, transposed: parameters[ends.unembedding],
      into: activations.logits)
    sums.output[0] = crossEntropy(
      activations.logits, tokens: inputs.tokens, zLoss: settings.zLoss,
      cap: settings.outputSoftCap, weight: weight, rowLosses: tokenLosses,
      firstRow: inputs.firstToken)
  }

  private func normalise(_ norm: NormActivations, by gain: TensorPlace) -> Double {
    layerNorm(
      activations.residual, gain: parameters[gain], normalised: norm.normalised,
      reciprocal: norm.reciprocal, output: norm.output)
  }

  /// Turns the logits of this pass and of the other one over the same tokens into their gradients.
  func meet(_ other: TransformerPass, weight: Float) {
    let divergence = consistencyGradients(
      first: activations.logits, second: other.activations.logits, tokens: inputs.tokens,
      zLoss: settings.zLoss, cap: settings.outputSoftCap, consistency: settings.consistency,
      weight: weight)
    // In both, since both passes' tokens are counted.
    sums.output[0].divergence = divergence
    other.sums.output[0].divergence = divergence
  }
}

extension TransformerPass {
  /// This slice's gradients, in the place of what was there before; a step's second pass adds its
  /// own. `balance` [L, E] is the balance loss's gradient for a probability.
  func backward(gradients tensors: ParameterView, balance: FloatBuffer) {
    let gradients = PassGradients(
      tensors: tensors, adds: inputs.number == 1, balance: balance)
    let (dResidual, dInput) = (activations.dResidual, activations.dInput)
    if !gradients.adds { for place in ends.sums { tensors[place].clear() } }
    multiply(
      transposed: activations.logits, activations.final.output,
      into: tensors[ends.unembedding], adding: gradients.adds)
    multiply(activations.logits, parameters[ends.unembedding], into: dInput)
    dResidual.clear()
    normaliseBackward(activations.final, ends.finalGain, tensors)
    for block in activations.blocks.reversed() {
      block.feedForward.backward(
        dResidual, input: block.feedForwardInput.output, dInput: dInput, gradients: gradients,
        in: inputs)
      normaliseBackward(block.feedForwardInput, block.feedForwardGain, tensors)
      block.mixer.backward(
        dResidual, input: block.mixerInput.output, dInput: dInput, gradients: gradients,
        in: inputs)
      normaliseBackward(block.mixerInput, block.mixerGain, tensors)
    }
    embedBackward(dResidual, tokens: inputs.tokens, dTable: tensors[ends.embedding])
  }

  /// Adds what `dInput` holds to the residual stream's gradient, through the LayerNorm.
  private func normaliseBackward(
    _ norm: NormActivations, _ gain: TensorPlace, _ gradients: ParameterView
  ) {
    layerNormBackward(
      activations.dInput, normalised: norm.normalised, reciprocal: norm.reciprocal,
      gain: parameters[gain], addingTo: activations.dResidual, dGain: gradients[gain])
  }
}
