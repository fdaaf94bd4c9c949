/// The numbers of one update with momentum that are the same for every parameter of a tensor.
package struct MomentumCoefficients: Sendable {
  package var gradientScale: Float
  package var learningRate: Float
  package var momentum: Float
  /// What the parameter loses of itself, the schedule's share already in it.
  package var decay: Float
  /// The largest change of a matrix that Muon updates, as a share of its norm; 0 for any.
  package var cap: Float = 0

  package init(gradientScale: Float, learningRate: Float, momentum: Float, decay: Float) {
    self.gradientScale = gradientScale
    self.learningRate = learningRate
    self.momentum = momentum
    self.decay = decay
  }
}

/// What walks over the parameters need of the coefficients, eight times over.
struct MomentumLanes {
  private let scale: Lanes
  private let momentum: Lanes
  fileprivate let rate: Lanes

  @inline(__always)
  init(_ coefficients: MomentumCoefficients) {
    scale = Lanes(repeating: coefficients.gradientScale)
    momentum = Lanes(repeating: coefficients.momentum)
    rate = Lanes(repeating: coefficients.learningRate)
  }

  /// μ·b + g
  @inline(__always)
  func velocity(_ before: Lanes, gradient: Lanes) -> Lanes {
    (gradient * scale).addingProduct(before, momentum)
  }
}

/// One update of a piece of the parameters by stochastic gradient descent with momentum.
///
/// b = μ·b + g, θ −= lr·b + decay·θ.
/// - Returns: Σ (lr·b)² and Σ θ² after the update
/// - Source: Sutskever et al. 2013, in PyTorch's form
package func momentumStep(
  parameters: FloatBuffer, gradient: FloatBuffer, velocity: FloatBuffer, from start: Int,
  count: Int, _ coefficients: MomentumCoefficients
) -> UpdateSquares {
  let (theta, g) = (parameters.base + start, gradient.base + start)
  let b = velocity.base + start
  let momentum = MomentumLanes(coefficients)
  return stepSquares(theta, count, decay: coefficients.decay) { index, lanes in
    let velocity = momentum.velocity(
      b.lanes(index, count: lanes), gradient: g.lanes(index, count: lanes))
    b.store(velocity, index, count: lanes)
    return momentum.rate * velocity
  }
}

/// What ``momentumStep(parameters:gradient:velocity:from:count:_:)`` would change. Reads only.
/// - Returns: Σ (lr·b + decay·θ)², and Σ θ² before the update
package func momentumChange(
  parameters: FloatBuffer, gradient: FloatBuffer, velocity: FloatBuffer, from start: Int,
  count: Int, _ coefficients: MomentumCoefficients
) -> UpdateSquares {
  let (theta, g) = (parameters.base + start, gradient.base + start)
  let b = velocity.base + start
  let momentum = MomentumLanes(coefficients)
  return changeSquares(theta, count, decay: coefficients.decay) { index, lanes in
    momentum.rate
      * momentum.velocity(b.lanes(index, count: lanes), gradient: g.lanes(index, count: lanes))
  }
}
