/// One step of power iteration for a matrix's largest singular value.
///
/// v = Wᵀu/‖Wᵀu‖, u = Wv/‖Wv‖, σ = uᵀWv.
/// - Shapes: `left` u [rows], overwritten after it was read; `right` v [columns], overwritten
/// - Returns: σ
package func powerIteration(
  _ weights: FloatBuffer, at place: MatrixPlace, left: UnsafeMutablePointer<Float>,
  right: UnsafeMutablePointer<Float>
) -> Float {
  right.update(repeating: 0, count: place.columns)
  for row in 0..<place.rows {
    addRow(weights.base + place.start(of: row), times: left[row], to: right, place.columns)
  }
  normalise(right, place.columns)
  return singularValue(weights, at: place, left: left, right: right)
}

/// The second half of a power iteration: u = Wv/‖Wv‖ and σ = uᵀWv = ‖Wv‖.
package func singularValue(
  _ weights: FloatBuffer, at place: MatrixPlace, left: UnsafeMutablePointer<Float>,
  right: UnsafeMutablePointer<Float>
) -> Float {
  for row in 0..<place.rows {
    left[row] = dot(weights.base + place.start(of: row), right, place.columns)
  }
  return normalise(left, place.rows)
}

/// - Returns: the norm before; at least the smallest that divides without overflow.
@discardableResult
private func normalise(_ x: UnsafeMutablePointer<Float>, _ count: Int) -> Float {
  let norm = max(Float(sumOfSquares(x, count).squareRoot()), 1e-20)
  scaleRow(x, count, 1 / norm)
  return norm
}

/// target = factor·source, at one place of both.
package func copy(
  _ source: FloatBuffer, at place: MatrixPlace, times factor: Float, into target: FloatBuffer
) {
  let factor = Lanes(repeating: factor)
  for row in 0..<place.rows {
    let start = place.start(of: row)
    let (from, to) = (source.base + start, target.base + start)
    forEachLanes(place.columns) { index, lanes in
      to.store(from.lanes(index, count: lanes) * factor, index, count: lanes)
    }
  }
}

/// From the gradient of Ŵ = γ·W/σ to that of W, in place, and of γ.
///
/// With u and v held fixed σ = uᵀWv has the gradient u·vᵀ, so that dγ = ⟨dŴ, W⟩/σ and
/// dW = (γ/σ)·(dŴ − dγ·u·vᵀ).
/// - Returns: dγ
package func spectralScaleBackward(
  _ gradient: FloatBuffer, weights: FloatBuffer, at place: MatrixPlace,
  left: UnsafeMutablePointer<Float>, right: UnsafeMutablePointer<Float>, sigma: Float, gain: Float
) -> Float {
  var product = 0.0
  for row in 0..<place.rows {
    let start = place.start(of: row)
    product += Double(dot(gradient.base + start, weights.base + start, place.columns))
  }
  let dGain = Float(product) / sigma
  for row in 0..<place.rows {
    let target = gradient.base + place.start(of: row)
    addRow(right, times: -dGain * left[row], to: target, place.columns)
    scaleRow(target, place.columns, gain / sigma)
  }
  return dGain
}
