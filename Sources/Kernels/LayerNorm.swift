internal import Foundation

/// LayerNorm over the columns, gains and no biases: y = x̂·gain, x̂ = (x − mean)·rstd; RMSNorm where
/// it does not centre, so that the mean counts as 0 and the variance is the mean square.
///
/// - Shapes: `x`, `output` [M, D], `gain` [1, D]; kept for the backward pass: `normalised` x̂ [M,
///   D] and `reciprocal` [1, M], 1/sqrt(variance + epsilon)
/// - Returns: the sum over rows of the mean square of x, which measures the residual stream for
///   free
/// - Cost: three passes over a row in cache, no allocation
/// - Source: Ba et al. 2016 (1607.06450); without the mean Zhang and Sennrich 2019 (1910.07467)
@discardableResult
package func layerNorm(
  _ x: Matrix, gain: Matrix, isCentred: Bool = true, epsilon: Float = 1e-5, normalised: Matrix,
  reciprocal: Matrix, output: Matrix
) -> Double {
  assert(gain.columns == x.columns && reciprocal.columns >= x.rows)
  assert(normalised.rows >= x.rows && output.rows >= x.rows)
  let width = x.columns
  let scale = 1 / Float(width)
  let g = gain.base
  var meanSquares = 0.0
  for row in 0..<x.rows {
    let source = x.row(row)
    let mean = isCentred ? sum(of: source, width) * scale : 0
    let centre = Lanes(repeating: mean)
    var squares = Lanes.zero
    forEachLanes(width) { index, lanes in
      // A partial vector's unused lanes must not count (0 − mean)².
      let delta = lanes == 8 ? source.lanes(index) - centre : tail(source, index, lanes, mean)
      squares.addProduct(delta, delta)
    }
    let variance = squares.sum() * scale
    let rstd = 1 / (variance + epsilon).squareRoot()
    let factor = Lanes(repeating: rstd)
    let hat = normalised.row(row)
    let y = output.row(row)
    forEachLanes(width) { index, lanes in
      let value = (source.lanes(index, count: lanes) - centre) * factor
      hat.store(value, index, count: lanes)
      y.store(value * g.lanes(index, count: lanes), index, count: lanes)
    }
    reciprocal.base[row] = rstd
    meanSquares += Double(variance + mean * mean)
  }
  return meanSquares
}

@inline(__always)
private func sum(of row: UnsafeMutablePointer<Float>, _ count: Int) -> Float {
  var sums = Lanes.zero
  forEachLanes(count) { index, lanes in sums += row.lanes(index, count: lanes) }
  return sums.sum()
}

@inline(__always)
private func tail(
  _ source: UnsafeMutablePointer<Float>, _ index: Int, _ lanes: Int, _ mean: Float
) -> Lanes {
  var result = Lanes.zero
  for lane in 0..<lanes { result[lane] = source[index + lane] - mean }
  return result
}

/// The backward pass of `layerNorm`: adds to dx, because what comes before is a residual stream.
///
/// dx += rstd·(dx̂ − mean(dx̂) − x̂·mean(dx̂·x̂)) with dx̂ = dy·gain, without mean(dx̂) where it does not
/// centre; dGain += Σ dy·x̂.
/// - Shapes: `dOutput`, `normalised`, `dx` [M, D], `gain`, `dGain` [1, D], nil for a gain that is not
///   trained, `reciprocal` [1, M]
package func layerNormBackward(
  _ dOutput: Matrix, normalised: Matrix, reciprocal: Matrix, gain: Matrix, isCentred: Bool = true,
  addingTo dx: Matrix, dGain: Matrix?
) {
  let width = dOutput.columns
  let scale = 1 / Float(width)
  let g = gain.base
  let dg = dGain?.base
  for row in 0..<dOutput.rows {
    let dy = dOutput.row(row)
    let hat = normalised.row(row)
    let target = dx.row(row)
    var sums = Lanes.zero
    var products = Lanes.zero
    forEachLanes(width) { index, lanes in
      let gradient = dy.lanes(index, count: lanes)
      let x = hat.lanes(index, count: lanes)
      let dHat = gradient * g.lanes(index, count: lanes)
      sums += dHat
      products.addProduct(dHat, x)
      if let dg {
        dg.store(dg.lanes(index, count: lanes).addingProduct(gradient, x), index, count: lanes)
      }
    }
    let rstd = Lanes(repeating: reciprocal.base[row])
    let mean = Lanes(repeating: isCentred ? sums.sum() * scale : 0)
    let projection = Lanes(repeating: products.sum() * scale)
    forEachLanes(width) { index, lanes in
      let dHat = dy.lanes(index, count: lanes) * g.lanes(index, count: lanes)
      let inner = (dHat - mean) - hat.lanes(index, count: lanes) * projection
      target.store(
        target.lanes(index, count: lanes).addingProduct(inner, rstd), index, count: lanes)
    }
  }
}
