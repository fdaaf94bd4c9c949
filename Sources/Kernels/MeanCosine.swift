/// The mean cosine of the angles between all pairs of some long vectors, each in the same parts.
///
/// With unit vectors u, Σ over pairs of u·u' is (|Σ u|² − E)/2, so that the cost is that of two
/// walks over the vectors and not of one for each pair.
/// - Shapes: `vectors` [E] of parts of the same shapes; `sum` has room for one vector
/// - Returns: 1 for vectors that all point one way, 0 for right angles, −1/(E − 1) at the least;
///   NaN for fewer than two vectors or one of zeros.
package func meanCosine(_ vectors: [[Matrix]], sum: FloatBuffer) -> Double {
  let count = Double(vectors.count)
  guard vectors.count > 1 else { return .nan }
  sum.clear()
  for vector in vectors {
    let square = vector.reduce(0.0) { $0 + squares($1) }
    let factor = Float(1 / square.squareRoot())
    var target = sum.base
    for part in vector {
      for row in 0..<part.rows {
        addRow(part.row(row), times: factor, to: target, part.columns)
        target += part.columns
      }
    }
  }
  var square = 0.0
  var source = sum.base
  for part in vectors[0] {
    for _ in 0..<part.rows {
      square += sumOfSquares(source, part.columns)
      source += part.columns
    }
  }
  return (square - count) / (count * (count - 1))
}

private func squares(_ matrix: Matrix) -> Double {
  (0..<matrix.rows).reduce(0.0) { $0 + sumOfSquares(matrix.row($1), matrix.columns) }
}
