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
  let scale: Lanes
  let beta1: Lanes
  let beta2: Lanes
  let rate: Lanes

  @inline(__always)
  init(_ coefficients: LionCoefficients) {
    scale = Lanes(repeating: coefficients.gradientScale)
    beta1 = Lanes(repeating: coefficients.beta1)
    beta2 = Lanes(repeating: coefficients.beta2)
    rate = Lanes(repeating: coefficients.learningRate)
  }

  /// lr·sign(β₁m + (1 − β₁)g), of a gradient that is scaled already; 0 where that sum is 0.
  @inline(__always)
  func update(_ gradient: Lanes, _ momentum: Lanes) -> Lanes {
    let direction = ((1 - beta1) * gradient).addingProduct(momentum, beta1)
    return Lanes.zero.replacing(with: rate, where: direction .> 0)
      .replacing(with: -rate, where: direction .< 0)
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
  let rest2 = 1 - lion.beta2
  let keep = Lanes(repeating: 1 - coefficients.decay)
  var squares = UpdateSquares()
  forEachSquareBlock(count) { block, length in
    var updates = Lanes.zero
    var norms = Lanes.zero
    forEachLanes(length) { offset, lanes in
      let index = block &+ offset
      let gradient = g.lanes(index, count: lanes) * lion.scale
      let mean = m.lanes(index, count: lanes)
      let update = lion.update(gradient, mean)
      m.store((rest2 * gradient).addingProduct(mean, lion.beta2), index, count: lanes)
      let next = theta.lanes(index, count: lanes) * keep - update
      theta.store(next, index, count: lanes)
      updates.addProduct(update, update)
      norms.addProduct(next, next)
    }
    squares.update += Double(updates.sum())
    squares.parameter += Double(norms.sum())
  }
  return squares
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
  let decay = Lanes(repeating: coefficients.decay)
  return changeSquares(theta, count) { index, lanes in
    let gradient = g.lanes(index, count: lanes) * lion.scale
    let update = lion.update(gradient, m.lanes(index, count: lanes))
    return update.addingProduct(theta.lanes(index, count: lanes), decay)
  }
}
