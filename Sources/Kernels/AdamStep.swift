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

/// Sums of squares over a piece of the slices' gradients.
package struct SliceSquares: Sendable, BitwiseCopyable {
  /// Of the slices' sum.
  package var total = 0.0
  /// Of each slice.
  package var slices = SIMD4<Double>.zero

  package init() {}
}

/// Adds the slices' gradients over a binary tree.
///
/// - Parameters: `slices` are 1, 2 or 4 gradients; `sum` is overwritten
package func sumSlices(
  _ slices: [FloatBuffer], into sum: FloatBuffer, from start: Int, count: Int
) -> SliceSquares {
  var squares = SliceSquares()
  let (first, total) = (slices[0].base + start, sum.base + start)
  switch slices.count {
  case 1:
    total.update(from: first, count: count)
    squares.total = sumOfSquares(first, count)
    squares.slices[0] = squares.total
  case 2:
    let other = slices[1].base + start
    squares.slices[0] = sumOfSquares(first, count)
    squares.slices[1] = sumOfSquares(other, count)
    total.update(from: first, count: count)
    addRow(other, times: 1, to: total, count)
    squares.total = sumOfSquares(total, count)
  default:
    precondition(slices.count == 4, "\(slices.count) slices, not 1, 2 or 4")
    let rest = (slices[1].base + start, slices[2].base + start, slices[3].base + start)
    sumFour((first, rest.0, rest.1, rest.2), into: total, count, &squares)
  }
  return squares
}

/// Numbers added in Float32 before the sum goes on in Float64.
private let squareBlock = 512

func sumOfSquares(_ x: UnsafeMutablePointer<Float>, _ count: Int) -> Double {
  var total = 0.0
  var start = 0
  while start < count {
    let length = min(squareBlock, count - start)
    total += Double(dot(x + start, x + start, length))
    start += length
  }
  return total
}

private typealias FourPointers = (
  UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>,
  UnsafeMutablePointer<Float>
)

private func sumFour(
  _ slices: FourPointers, into target: UnsafeMutablePointer<Float>, _ count: Int,
  _ squares: inout SliceSquares
) {
  let (a, b, c, d) = slices
  var start = 0
  while start < count {
    let length = min(squareBlock, count - start)
    var sums = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
    forEachLanes(length) { offset, lanes in
      let index = start &+ offset
      let (p, q) = (a.lanes(index, count: lanes), b.lanes(index, count: lanes))
      let (r, s) = (c.lanes(index, count: lanes), d.lanes(index, count: lanes))
      let sum = (p + q) + (r + s)
      target.store(sum, index, count: lanes)
      sums.0.addProduct(p, p)
      sums.1.addProduct(q, q)
      sums.2.addProduct(r, r)
      sums.3.addProduct(s, s)
      sums.4.addProduct(sum, sum)
    }
    squares.slices += SIMD4(
      Double(sums.0.sum()), Double(sums.1.sum()), Double(sums.2.sum()), Double(sums.3.sum()))
    squares.total += Double(sums.4.sum())
    start += length
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
  let scale = Lanes(repeating: coefficients.gradientScale)
  let (beta1, beta2) = (Lanes(repeating: coefficients.beta1), Lanes(repeating: coefficients.beta2))
  let (rest1, rest2) = (1 - beta1, 1 - beta2)
  let step = Lanes(repeating: coefficients.learningRate * coefficients.correction1)
  let correction2 = Lanes(repeating: coefficients.correction2)
  let epsilon = Lanes(repeating: coefficients.epsilon)
  let keep = Lanes(repeating: 1 - coefficients.decay)
  var squares = UpdateSquares()
  var block = 0
  while block < count {
    let length = min(squareBlock, count - block)
    var updates = Lanes.zero
    var norms = Lanes.zero
    forEachLanes(length) { offset, lanes in
      let index = block &+ offset
      let gradient = g.lanes(index, count: lanes) * scale
      let mean = (rest1 * gradient).addingProduct(m.lanes(index, count: lanes), beta1)
      let variance = (rest2 * gradient * gradient).addingProduct(
        v.lanes(index, count: lanes), beta2)
      m.store(mean, index, count: lanes)
      v.store(variance, index, count: lanes)
      let update = step * mean / ((variance * correction2).root + epsilon)
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

@inline(__always)
private func whole(_ value: Lanes, _ lanes: Int) -> Lanes {
  var result = Lanes.zero
  for lane in 0..<lanes { result[lane] = value[lane] }
  return result
}
