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
    if let positions = ends.positions { addPositions(parameters[positions], to: residual) }
    activations.ladder?.begin(residual, in: inputs)
    for (layer, block) in activations.blocks.enumerated() {
      let squares = block.forward(residual, in: inputs)
      if layer > 0 { sums.layers[layer - 1].meanSquares = squares }
      activations.ladder?.forward(residual, behind: layer, in: inputs)
    }
    activations.ladder?.finish(addingTo: residual, in: inputs)
    let squares = activations.final.normalise(residual, by: ends.finalNorm, in: inputs)
    if configuration.layers > 0 { sums.layers[configuration.layers - 1].meanSquares = squares }
    multiply(
      activations.final.output, transposed: parameters[ends.unembedding],
      into: activations.logits)
    if let weight, let tokenLoss = inputs.tokenLoss {
      sums.output[0] = tokenLoss.becomeGradient(
        of: activations.logits, tokens: inputs.tokens, zLoss: settings.zLoss,
        cap: settings.outputSoftCap, weight: weight, firstRow: inputs.firstToken)
      return
    }
    sums.output[0] = crossEntropy(
      activations.logits, tokens: inputs.tokens, zLoss: settings.zLoss,
      cap: settings.outputSoftCap, weight: weight, rowLosses: tokenLosses,
      firstRow: inputs.firstToken)
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
    inputs.multiplyBackward(
      activations.logits, ends.unembedding, input: activations.final.output, dInput: dInput,
      gradients: gradients)
    dResidual.clear()
    activations.final.backward(
      dInput, addingTo: dResidual, by: ends.finalNorm, gradients, in: inputs)
    // Below it all is frozen.
    if let ladder = activations.ladder {
      return ladder.backward(dResidual, gradients: gradients, in: inputs)
    }
    for block in activations.blocks.reversed() {
      block.backward(dResidual, dInput: dInput, gradients: gradients, in: inputs)
    }
    if let positions = ends.positions, let dTable = gradients.unlessFrozen(positions) {
      addPositionsBackward(dResidual, dTable: dTable)
    }
    guard let dTable = gradients.unlessFrozen(ends.embedding) else { return }
    embedBackward(dResidual, tokens: inputs.tokens, dTable: dTable)
  }
}
