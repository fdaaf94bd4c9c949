/// GELU in its tanh form, x·σ(2u) with u = sqrt(2/π)·(x + 0.044715·x³), which keeps small results
/// exact where 1 + tanh(u) would cancel.
///
/// - Shapes: `x`, `output` [M, F]; `x` is overwritten by the derivative, kept for the backward
///   pass, so that the exponential is computed once.
/// - Source: Hendrycks and Gimpel 2016; PyTorch's `approximate="tanh"`
package func gelu(_ x: Matrix, output: Matrix) {
  assert(output.rows == x.rows && output.columns == x.columns)
  for row in 0..<x.rows {
    let source = x.row(row)
    let target = output.row(row)
    forEachLanes(x.columns) { index, lanes in
      let value = source.lanes(index, count: lanes)
      let (result, slope) = geluAndSlope(value)
      target.store(result, index, count: lanes)
      source.store(slope, index, count: lanes)
    }
  }
}

/// dx = dy · slope, in place over dy.
///
/// - Shapes: `dOutput`, `slope` [M, F]
package func geluBackward(_ dOutput: Matrix, slope: Matrix) {
  assert(dOutput.rows <= slope.rows && dOutput.columns == slope.columns)
  for row in 0..<dOutput.rows {
    let gradient = dOutput.row(row)
    let factor = slope.row(row)
    forEachLanes(dOutput.columns) { index, lanes in
      gradient.store(
        gradient.lanes(index, count: lanes) * factor.lanes(index, count: lanes), index,
        count: lanes)
    }
  }
}

@inline(__always)
private func geluAndSlope(_ x: Lanes) -> (Lanes, Lanes) {
  let square = x * x
  // −2u = x·(a + b·x²) and −2u' = a + 3b·x², with a = −2·sqrt(2/π), b = 0.044715·a.
  let a = Lanes(repeating: -1.595_769_122)
  let exponent = x * a.addingProduct(square, Lanes(repeating: -0.071_354_816_3))
  let slopeOfExponent = a.addingProduct(square, Lanes(repeating: -0.214_064_449))
  let sigmoid = 1 / (exponent.exponential + 1)
  let result = x * sigmoid
  let slope = sigmoid - result * (1 - sigmoid) * slopeOfExponent
  return (result, slope)
}
