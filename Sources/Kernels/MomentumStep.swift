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
  let scale = Lanes(repeating: coefficients.gradientScale)
  let momentum = Lanes(repeating: coefficients.momentum)
  let rate = Lanes(repeating: coefficients.learningRate)
  let keep = Lanes(repeating: 1 - coefficients.decay)
  var squares = UpdateSquares()
  forEachSquareBlock(count) { block, length in
    var updates = Lanes.zero
    var norms = Lanes.zero
    forEachLanes(length) { offset, lanes in
      let index = block &+ offset
      let mean = (g.lanes(index, count: lanes) * scale).addingProduct(
        b.lanes(index, count: lanes), momentum)
      b.store(mean, index, count: lanes)
      let update = rate * mean
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

/// What ``momentumStep(parameters:gradient:velocity:from:count:_:)`` would change. Reads only.
/// - Returns: Σ (lr·b + decay·θ)², and Σ θ² before the update
package func momentumChange(
  parameters: FloatBuffer, gradient: FloatBuffer, velocity: FloatBuffer, from start: Int,
  count: Int, _ coefficients: MomentumCoefficients
) -> UpdateSquares {
  let (theta, g) = (parameters.base + start, gradient.base + start)
  let b = velocity.base + start
  let scale = Lanes(repeating: coefficients.gradientScale)
  let momentum = Lanes(repeating: coefficients.momentum)
  let rate = Lanes(repeating: coefficients.learningRate)
  let decay = Lanes(repeating: coefficients.decay)
  return changeSquares(theta, count) { index, lanes in
    let mean = (g.lanes(index, count: lanes) * scale).addingProduct(
      b.lanes(index, count: lanes), momentum)
    return (rate * mean).addingProduct(theta.lanes(index, count: lanes), decay)
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

/// Walks 0..<count in blocks whose sums may be taken in Float32.
@inline(__always)
func forEachSquareBlock(_ count: Int, _ body: (_ block: Int, _ length: Int) -> Void) {
  var block = 0
  while block < count {
    let length = min(512, count &- block)
    body(block, length)
    block &+= length
  }
}

/// Σ x² over a piece of the numbers.
package func squareSum(_ numbers: FloatBuffer, from start: Int, count: Int) -> Double {
  sumOfSquares(numbers.base + start, count)
}
