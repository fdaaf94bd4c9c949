/// C = A·Bᵀ, or C += A·Bᵀ. The form of a linear layer: y = x·Wᵀ.
///
/// - Shapes: `a` [m, k], `b` [n, k], `c` [m, n]
/// - Cost: 2·m·n·k operations
package func multiply(_ a: Matrix, transposed b: Matrix, into c: Matrix, adding: Bool = false) {
  assert(a.columns == b.columns && c.rows == a.rows && c.columns == b.rows)
  PackedProduct(
    left: .init(base: a.base, rowStride: a.stride, depthStride: 1), rows: a.rows, columns: b.rows,
    depth: a.columns, right: .transposed, rightBase: b.base, rightStride: b.stride, target: c,
    adding: adding
  ).run()
}

/// C = A·B, or C += A·B. The form of an input's gradient: dx = dy·W.
///
/// - Shapes: `a` [m, k], `b` [k, n], `c` [m, n]
/// - Cost: 2·m·n·k operations
package func multiply(_ a: Matrix, _ b: Matrix, into c: Matrix, adding: Bool = false) {
  assert(a.columns == b.rows && c.rows == a.rows && c.columns == b.columns)
  PackedProduct(
    left: .init(base: a.base, rowStride: a.stride, depthStride: 1), rows: a.rows,
    columns: b.columns,
    depth: a.columns, right: .plain, rightBase: b.base, rightStride: b.stride, target: c,
    adding: adding
  ).run()
}

/// C = Aᵀ·B, or C += Aᵀ·B. The form of a weight's gradient: dW += dyᵀ·x.
///
/// - Shapes: `a` [k, m], `b` [k, n], `c` [m, n]
/// - Cost: 2·m·n·k operations
package func multiply(transposed a: Matrix, _ b: Matrix, into c: Matrix, adding: Bool = false) {
  assert(a.rows == b.rows && c.rows == a.columns && c.columns == b.columns)
  if a.rows == 0, !adding { c.clear() }
  PackedProduct(
    left: .init(base: a.base, rowStride: 1, depthStride: a.stride), rows: a.columns,
    columns: b.columns,
    depth: a.rows, right: .plain, rightBase: b.base, rightStride: b.stride, target: c,
    adding: adding
  ).run()
}
