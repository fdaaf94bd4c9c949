internal import Kernels

/// Two linear layers with GELU between them, added to the residual stream.
struct FeedForward {
  let parameters: DenseTensors
  let activations: DenseActivations

  /// - Shapes: `input` [M, D]; `residual` [M, D], added to
  func forward(_ input: Matrix, addingTo residual: Matrix) {
    multiply(input, transposed: parameters.up, into: activations.slope)
    gelu(activations.slope, output: activations.activated)
    multiply(activations.activated, transposed: parameters.down, into: residual, adding: true)
  }

  /// - Shapes: `dOutput` [M, D]; `dInput` [M, D], overwritten or added to; `dHidden` [M, F],
  ///   scratch; `gradients` are overwritten or added to
  func backward(
    _ dOutput: Matrix, input: Matrix, gradients: DenseTensors, dHidden: Matrix, dInput: Matrix,
    adding: Bool = false, addsGradients: Bool
  ) {
    multiply(
      transposed: dOutput, activations.activated, into: gradients.down, adding: addsGradients)
    multiply(dOutput, parameters.down, into: dHidden)
    geluBackward(dHidden, slope: activations.slope)
    multiply(transposed: dHidden, input, into: gradients.up, adding: addsGradients)
    multiply(dHidden, parameters.up, into: dInput, adding: adding)
  }
}
