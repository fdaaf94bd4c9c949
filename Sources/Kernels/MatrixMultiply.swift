internal import COpenBLAS

/// C = A·Bᵀ, or C += A·Bᵀ. The form of a linear layer: y = x·Wᵀ.
///
/// - Shapes: `a` [m, k], `b` [n, k], `c` [m, n]
/// - Cost: 2·m·n·k operations, no allocation
package func multiply(_ a: Matrix, transposed b: Matrix, into c: Matrix, adding: Bool = false) {
  assert(a.columns == b.columns && c.rows == a.rows && c.columns == b.rows)
  guard a.rows > 0 else { return }
  cblas_sgemm(
    CblasRowMajor, CblasNoTrans, CblasTrans,
    blasint(a.rows), blasint(b.rows), blasint(a.columns), 1,
    a.base, blasint(a.stride), b.base, blasint(b.stride),
    adding ? 1 : 0, c.base, blasint(c.stride))
}

/// C = A·B, or C += A·B. The form of an input's gradient: dx = dy·W.
///
/// - Shapes: `a` [m, k], `b` [k, n], `c` [m, n]
/// - Cost: 2·m·n·k operations, no allocation
package func multiply(_ a: Matrix, _ b: Matrix, into c: Matrix, adding: Bool = false) {
  assert(a.columns == b.rows && c.rows == a.rows && c.columns == b.columns)
  guard a.rows > 0 else { return }
  cblas_sgemm(
    CblasRowMajor, CblasNoTrans, CblasNoTrans,
    blasint(a.rows), blasint(b.columns), blasint(a.columns), 1,
    a.base, blasint(a.stride), b.base, blasint(b.stride),
    adding ? 1 : 0, c.base, blasint(c.stride))
}

/// C = Aᵀ·B, or C += Aᵀ·B. The form of a weight's gradient: dW += dyᵀ·x.
///
/// - Shapes: `a` [k, m], `b` [k, n], `c` [m, n]
/// - Cost: 2·m·n·k operations, no allocation
package func multiply(transposed a: Matrix, _ b: Matrix, into c: Matrix, adding: Bool = false) {
  assert(a.rows == b.rows && c.rows == a.columns && c.columns == b.columns)
  guard a.rows > 0 else {
    if !adding { c.fill(with: 0) }
    return
  }
  cblas_sgemm(
    CblasRowMajor, CblasTrans, CblasNoTrans,
    blasint(a.columns), blasint(b.columns), blasint(a.rows), 1,
    a.base, blasint(a.stride), b.base, blasint(b.stride),
    adding ? 1 : 0, c.base, blasint(c.stride))
}
