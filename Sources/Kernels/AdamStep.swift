/// The numbers of one AdamW update that are the same for every parameter.
package struct AdamCoefficients: Sendable {
  package var gradientScale: Float = 1
  package var learningRate: Float
  package var beta1: Float
  package var beta2: Float
  /// 1/(1 − beta1ᵗ) and 1/(1 − beta2ᵗ).
  package var correction1: Float
  package var correction2: Float
  package var epsilon: Float
  /// What the parameter loses of itself, the schedule's share already in it.
  package var decay: Float

  package init(
    learningRate: Float, beta1: Float, beta2: Float, correction1: Float, correction2: Float,
    epsilon: Float, decay: Float
  ) {
    self.learningRate = learningRate
    self.beta1 = beta1
    self.beta2 = beta2
    self.correction1 = correction1
    self.correction2 = correction2
    self.epsilon = epsilon
    self.decay = decay
  }
}

/// Sums of squares over a piece of the parameters.
package struct UpdateSquares: Sendable, BitwiseCopyable {
  package var update = 0.0
  package var parameter = 0.0

  package init() {}
}

/// What both walks over the parameters need of the coefficients, eight times over.
private struct AdamLanes {
  let scale: Lanes
  let beta1: Lanes
  let beta2: Lanes
  let rest1: Lanes
  let rest2: Lanes
  let step: Lanes
  let correction2: Lanes
  let epsilon: Lanes

  @inline(__always)
  init(_ coefficients: AdamCoefficients) {
    scale = Lanes(repeating: coefficients.gradientScale)
    beta1 = Lanes(repeating: coefficients.beta1)
    beta2 = Lanes(repeating: coefficients.beta2)
    rest1 = 1 - beta1
    rest2 = 1 - beta2
    step = Lanes(repeating: coefficients.learningRate * coefficients.correction1)
    correction2 = Lanes(repeating: coefficients.correction2)
    epsilon = Lanes(repeating: coefficients.epsilon)
  }

  /// m = β₁m + (1−β₁)g and v = β₂v + (1−β₂)g², of a gradient that is scaled already.
  @inline(__always)
  func moments(_ gradient: Lanes, _ mean: Lanes, _ variance: Lanes) -> (Lanes, Lanes) {
    (
      (rest1 * gradient).addingProduct(mean, beta1),
      (rest2 * gradient * gradient).addingProduct(variance, beta2)
    )
  }

  /// lr·m̂/(sqrt(v̂) + ε)
  @inline(__always)
  func update(_ mean: Lanes, _ variance: Lanes) -> Lanes {
    step * mean / ((variance * correction2).root + epsilon)
  }
}

/// One AdamW update of a piece of the parameters, decay independent of the learning rate.
///
/// m = β₁m + (1−β₁)g, v = β₂v + (1−β₂)g², Δ = m̂/(sqrt(v̂) + ε), θ −= lr·Δ + decay·θ.
/// - Returns: Σ (lr·Δ)² and Σ θ² after the update
/// - Source: Loshchilov and Hutter 2019, with the decay of Wortsman et al. 2023
package func adamStep(
  parameters: FloatBuffer, gradient: FloatBuffer, first: FloatBuffer, second: FloatBuffer,
  from start: Int, count: Int, _ coefficients: AdamCoefficients
) -> UpdateSquares {
  let (theta, g) = (parameters.base + start, gradient.base + start)
  let (m, v) = (first.base + start, second.base + start)
  let adam = AdamLanes(coefficients)
  let keep = Lanes(repeating: 1 - coefficients.decay)
  var squares = UpdateSquares()
  var block = 0
  while block < count {
    let length = min(squareBlock, count - block)
    var updates = Lanes.zero
    var norms = Lanes.zero
    forEachLanes(length) { offset, lanes in
      let index = block &+ offset
      let gradient = g.lanes(index, count: lanes) * adam.scale
      let (mean, variance) = adam.moments(
        gradient, m.lanes(index, count: lanes), v.lanes(index, count: lanes))
      m.store(mean, index, count: lanes)
      v.store(variance, index, count: lanes)
      let update = adam.update(mean, variance)
      let next = theta.lanes(index, count: lanes) * keep - update
      theta.store(next, index, count: lanes)
      // Unused lanes divide 0 by epsilon, which may be 0 too.
      updates.addProduct(lanes == 8 ? update : whole(update, lanes), update)
      norms.addProduct(next, next)
    }
    squares.update += Double(updates.sum())
    squares.parameter += Double(norms.sum())
    block += length
  }
  return squares
}

/// What ``adamStep(parameters:gradient:first:second:from:count:_:)`` would change. Reads only.
/// - Returns: Σ (lr·Δ + decay·θ)², and Σ θ² before the update
package func adamChange(
  parameters: FloatBuffer, gradient: FloatBuffer, first: FloatBuffer, second: FloatBuffer,
  from start: Int, count: Int, _ coefficients: AdamCoefficients
) -> UpdateSquares {
  let (theta, g) = (parameters.base + start, gradient.base + start)
  let (m, v) = (first.base + start, second.base + start)
  let adam = AdamLanes(coefficients)
  let decay = Lanes(repeating: coefficients.decay)
  return changeSquares(theta, count) { index, lanes in
    let gradient = g.lanes(index, count: lanes) * adam.scale
    let (mean, variance) = adam.moments(
      gradient, m.lanes(index, count: lanes), v.lanes(index, count: lanes))
    let change = adam.update(mean, variance)
      .addingProduct(theta.lanes(index, count: lanes), decay)
    return lanes == 8 ? change : whole(change, lanes)
  }
}

@inline(__always)
private func whole(_ value: Lanes, _ lanes: Int) -> Lanes {
  var result = Lanes.zero
  for lane in 0..<lanes { result[lane] = value[lane] }
  return result
}
