internal import Kernels

/// A norm's tensors, and what of it is the family's.
struct Norm: Sendable {
  let gain: TensorPlace
  /// [1, D]; nil for none.
  let bias: TensorPlace?
  let isCentred: Bool
  let epsilon: Float
}

extension TensorPlan {
  /// The places of a norm of the stream of such a model.
  mutating func addNorm(_ name: String, _ configuration: ModelConfiguration) -> Norm {
    let (shape, family) = ([configuration.width], configuration.architecture)
    return Norm(
      gain: add(name + ".weight", shape, .gain),
      bias: family.hasBiases ? add(name + ".bias", shape, .bias) : nil,
      isCentred: family.centresNorms, epsilon: Float(configuration.normEpsilon))
  }
}

/// What a norm keeps.
struct NormActivations: Sendable {
  private(set) var normalised: Matrix
  let reciprocal: Matrix
  private(set) var output: Matrix

  init(columns: Int, _ plan: MemoryPlan) {
    normalised = plan.matrix(columns: columns)
    output = plan.matrix(columns: columns)
    reciprocal = plan.arena.matrix(rows: 1, columns: plan.rows)
  }

  /// - Returns: the sum over rows of the mean square of `x`
  @discardableResult
  func normalise(_ x: Matrix, by norm: Norm, in pass: PassInputs) -> Double {
    let squares = layerNorm(
      x, gain: pass.parameters[norm.gain], isCentred: norm.isCentred, epsilon: norm.epsilon,
      normalised: normalised, reciprocal: reciprocal, output: output)
    if let bias = norm.bias {
      addToRows(pass.parameters[bias], of: output.rows(from: 0, count: x.rows))
    }
    return squares
  }

  /// Adds what `dOutput` holds to the gradient of what was normalised.
  func backward(
    _ dOutput: Matrix, addingTo dx: Matrix, by norm: Norm, _ gradients: PassGradients,
    in pass: PassInputs
  ) {
    if let bias = norm.bias, let dBias = gradients.unlessFrozen(bias) {
      addColumnSums(dOutput, to: dBias)
    }
    layerNormBackward(
      dOutput, normalised: normalised, reciprocal: reciprocal, gain: pass.parameters[norm.gain],
      isCentred: norm.isCentred, addingTo: dx, dGain: gradients.unlessFrozen(norm.gain))
  }

  func prefix(_ rows: Int) -> NormActivations {
    var result = self
    result.normalised = normalised.rows(from: 0, count: rows)
    result.output = output.rows(from: 0, count: rows)
    return result
  }
}
