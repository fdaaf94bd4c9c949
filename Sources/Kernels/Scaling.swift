/// x *= factor.
package func scaleRows(_ x: Matrix, by factor: Float) {
  for row in 0..<x.rows { scaleRow(x.row(row), x.columns, factor) }
}

/// target = source.
package func copyRows(_ source: Matrix, into target: Matrix) {
  assert(source.rows == target.rows && source.columns == target.columns)
  for row in 0..<source.rows {
    target.row(row).update(from: source.row(row), count: source.columns)
  }
}

/// target += factor·source.
package func addRows(_ source: Matrix, times factor: Float = 1, to target: Matrix) {
  assert(source.rows == target.rows && source.columns == target.columns)
  for row in 0..<source.rows {
    addRow(source.row(row), times: factor, to: target.row(row), source.columns)
  }
}

/// x[i, j] *= factors[j].
///
/// - Shapes: `x` [M, r], `factors` [1, r]
package func scaleColumns(_ x: Matrix, by factors: Matrix) {
  assert(factors.rows == 1 && factors.columns == x.columns)
  for row in 0..<x.rows {
    let values = x.row(row)
    forEachLanes(x.columns) { index, lanes in
      let scaled = values.lanes(index, count: lanes) * factors.base.lanes(index, count: lanes)
      values.store(scaled, index, count: lanes)
    }
  }
}

/// sums[j] += Σ_i a[i, j]·b[i, j], in the rows' order.
///
/// - Shapes: `a`, `b` [M, r], `sums` [1, r]
package func addColumnProducts(_ a: Matrix, _ b: Matrix, to sums: Matrix) {
  assert(a.rows == b.rows && a.columns == b.columns && sums.columns == a.columns)
  for row in 0..<a.rows {
    let (x, y) = (a.row(row), b.row(row))
    forEachLanes(a.columns) { index, lanes in
      let sum = sums.base.lanes(index, count: lanes).addingProduct(
        x.lanes(index, count: lanes), y.lanes(index, count: lanes))
      sums.base.store(sum, index, count: lanes)
    }
  }
}

/// x[i, j] += values[j].
///
/// - Shapes: `x` [M, D], `values` [1, D]
package func addToRows(_ values: Matrix, of x: Matrix) {
  assert(values.rows == 1 && values.columns == x.columns)
  for row in 0..<x.rows { addRow(values.base, times: 1, to: x.row(row), x.columns) }
}

/// sums[j] += Σ_i x[i, j], in the rows' order.
///
/// - Shapes: `x` [M, D], `sums` [1, D]
package func addColumnSums(_ x: Matrix, to sums: Matrix) {
  assert(sums.rows == 1 && sums.columns == x.columns)
  for row in 0..<x.rows { addRow(x.row(row), times: 1, to: sums.base, x.columns) }
}

/// Σ a∘b, each row's in Float32, the rows' in Float64 and in their order.
///
/// - Shapes: `a`, `b` [M, D]
package func rowProducts(_ a: Matrix, _ b: Matrix) -> Double {
  assert(a.rows == b.rows && a.columns == b.columns)
  return (0..<a.rows).reduce(0) { $0 + Double(dot(a.row($1), b.row($1), a.columns)) }
}
