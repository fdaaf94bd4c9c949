internal import Kernels

/// A weight and the bias that is added behind it.
struct Linear: Sendable {
  let weight: TensorPlace
  /// [1, out]; nil for none.
  var bias: TensorPlace?
}

extension TensorPlan {
  /// A linear layer's places.
  mutating func addLinear(
    _ name: String, _ shape: [Int], _ role: TensorRole = .matrix, hasBias: Bool
  ) -> Linear {
    Linear(
      weight: add(name + ".weight", shape, role),
      bias: hasBias ? add(name + ".bias", [shape[0]], .bias) : nil)
  }
}

extension PassInputs {
  /// y = x·Wᵀ + b, or y += x·Wᵀ + b.
  ///
  /// - Shapes: `x` [M, in], `y` [M, out]
  func multiply(_ x: Matrix, by linear: Linear, into y: Matrix, adding: Bool = false) {
    multiply(x, transposed: linear.weight, into: y, adding: adding)
    if let bias = linear.bias { addToRows(parameters[bias], of: y) }
  }

  /// The backward pass of that.
  ///
  /// - Shapes: `dY` [M, out], `x` and `dX` [M, in]
  func multiplyBackward(
    _ dY: Matrix, by linear: Linear, input x: Matrix, dInput dX: Matrix, adding: Bool = false,
    gradients: PassGradients
  ) {
    if let bias = linear.bias, let dBias = gradients.unlessFrozen(bias) {
      addColumnSums(dY, to: dBias)
    }
    multiplyBackward(
      dY, linear.weight, input: x, dInput: dX, adding: adding, gradients: gradients)
  }
}
