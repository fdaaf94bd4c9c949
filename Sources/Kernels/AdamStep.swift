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

/// What both walks over the parameters need of the coefficients, eight times over.
private struct AdamLanes {
  private let scale: Lanes
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

  /// m = β₁m + (1−β₁)g and v = β₂v + (1−β₂)g², of a gradient that is not scaled yet.
  @inline(__always)
  func moments(_ gradient: Lanes, _ mean: Lanes, _ variance: Lanes) -> (Lanes, Lanes) {
    let gradient = gradient * scale
    return (
      (rest1 * gradient).addingProduct(mean, beta1),
      (rest2 * gradient * gradient).addingProduct(variance, beta2)
    )
  }

  /// lr·m̂/(sqrt(v̂) + ε), and 0 in lanes that are not used, which would divide 0 by an ε that may be 0.
  @inline(__always)
  func update(_ mean: Lanes, _ variance: Lanes, _ lanes: Int) -> Lanes {
    let update = step * mean / ((variance * correction2).root + epsilon)
    guard lanes < Lanes.scalarCount else { return update }
    var used = Lanes.zero
    for lane in 0..<lanes { used[lane] = update[lane] }
    return used
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
  return stepSquares(theta, count, decay: coefficients.decay) { index, lanes in
    let (mean, variance) = adam.moments(
      g.lanes(index, count: lanes), m.lanes(index, count: lanes), v.lanes(index, count: lanes))
    m.store(mean, index, count: lanes)
    v.store(variance, index, count: lanes)
    return adam.update(mean, variance, lanes)
  }
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
  return changeSquares(theta, count, decay: coefficients.decay) { index, lanes in
    let (mean, variance) = adam.moments(
      g.lanes(index, count: lanes), m.lanes(index, count: lanes), v.lanes(index, count: lanes))
    return adam.update(mean, variance, lanes)
  }
}

/// Σ g²/max(v̂, ε²) over a piece of the gradient, v̂ being what the second moment becomes with g.
///
/// Reads only: the root of its mean over a tensor says how stale the second moment is.
/// - Source: Wortsman et al. 2023, "Stable and low-precision training", section 3.5 (StableAdamW)
package func squareRatio(
  gradient: FloatBuffer, second: FloatBuffer, from start: Int, count: Int,
  _ coefficients: AdamCoefficients
) -> Double {
  let (g, v) = (gradient.base + start, second.base + start)
  let scale = Lanes(repeating: coefficients.gradientScale)
  let beta2 = Lanes(repeating: coefficients.beta2)
  let rest2 = 1 - beta2
  let correction = Lanes(repeating: coefficients.correction2)
  // Never 0, so that a gradient that was always 0 counts nothing.
  let floor = Lanes(
    repeating: max(coefficients.epsilon * coefficients.epsilon, .leastNormalMagnitude))
  var total = 0.0
  forEachSquareBlock(count) { block, length in
    var sum = Lanes.zero
    forEachLanes(length) { offset, lanes in
      let index = block &+ offset
      let gradient = g.lanes(index, count: lanes) * scale
      let square = gradient * gradient
      let variance = (rest2 * square).addingProduct(v.lanes(index, count: lanes), beta2)
      sum += square / floor.largest(variance * correction)
    }
    total += Double(sum.sum())
  }
  return total
}
