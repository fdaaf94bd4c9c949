/// The numbers of one update by Lion that are the same for every parameter of a tensor.
package struct LionCoefficients: Sendable {
  package var gradientScale: Float
  package var learningRate: Float
  /// What the momentum counts for in the direction, beside the gradient.
  package var beta1: Float = 0.9
  /// What the momentum keeps of itself.
  package var beta2: Float = 0.99
  /// What the parameter loses of itself, the schedule's share already in it.
  package var decay: Float

  package init(gradientScale: Float, learningRate: Float, decay: Float) {
    self.gradientScale = gradientScale
    self.learningRate = learningRate
    self.decay = decay
  }
}

/// What both walks over the parameters need of the coefficients, eight times over.
private struct LionLanes {
  private let scale: Lanes
  private let beta1: Lanes
  private let beta2: Lanes
  private let rate: Lanes

  @inline(__always)
  init(_ coefficients: LionCoefficients) {
    scale = Lanes(repeating: coefficients.gradientScale)
    beta1 = Lanes(repeating: coefficients.beta1)
    beta2 = Lanes(repeating: coefficients.beta2)
    rate = Lanes(repeating: coefficients.learningRate)
  }

  /// lr·sign(β₁m + (1 − β₁)g), of a gradient that is not scaled yet; 0 where that sum is 0.
  @inline(__always)
  func update(_ gradient: Lanes, _ momentum: Lanes) -> Lanes {
    let direction = ((1 - beta1) * (gradient * scale)).addingProduct(momentum, beta1)
    return Lanes.zero.replacing(with: rate, where: direction .> 0)
      .replacing(with: -rate, where: direction .< 0)
  }

  /// β₂m + (1 − β₂)g
  @inline(__always)
  func momentum(_ before: Lanes, _ gradient: Lanes) -> Lanes {
    ((1 - beta2) * (gradient * scale)).addingProduct(before, beta2)
  }
}

/// One update of a piece of the parameters by Lion, which moves each by the rate or not at all.
///
/// c = β₁m + (1 − β₁)g, θ −= lr·sign(c) + decay·θ, then m = β₂m + (1 − β₂)g; sign(0) = 0.
/// - Returns: Σ (lr·sign(c))² and Σ θ² after the update
/// - Source: Chen et al. 2023 (2302.06675), algorithm 2
package func lionStep(
  parameters: FloatBuffer, gradient: FloatBuffer, momentum: FloatBuffer, from start: Int,
  count: Int, _ coefficients: LionCoefficients
) -> UpdateSquares {
  let (theta, g) = (parameters.base + start, gradient.base + start)
  let m = momentum.base + start
  let lion = LionLanes(coefficients)
  return stepSquares(theta, count, decay: coefficients.decay) { index, lanes in
    let (gradient, momentum) = (g.lanes(index, count: lanes), m.lanes(index, count: lanes))
    m.store(lion.momentum(momentum, gradient), index, count: lanes)
    return lion.update(gradient, momentum)
  }
}

/// What ``lionStep(parameters:gradient:momentum:from:count:_:)`` would change. Reads only.
/// - Returns: Σ (lr·sign(c) + decay·θ)², and Σ θ² before the update
package func lionChange(
  parameters: FloatBuffer, gradient: FloatBuffer, momentum: FloatBuffer, from start: Int,
  count: Int, _ coefficients: LionCoefficients
) -> UpdateSquares {
  let (theta, g) = (parameters.base + start, gradient.base + start)
  let m = momentum.base + start
  let lion = LionLanes(coefficients)
  return changeSquares(theta, count, decay: coefficients.decay) { index, lanes in
    lion.update(g.lanes(index, count: lanes), m.lanes(index, count: lanes))
  }
}
