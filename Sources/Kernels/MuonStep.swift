/// Where one matrix lies in the flat parameters: its rows may come in blocks that others share, as
/// queries, keys and values do head by head.
package struct MatrixPlace: Sendable, Hashable {
  package let offset: Int
  package let rows: Int
  package let columns: Int
  /// Rows that lie together, and the rows from one such block's start to the next's.
  package let blockRows: Int
  package let blockStride: Int

  package init(offset: Int, rows: Int, columns: Int, blockRows: Int, blockStride: Int) {
    precondition(rows > 0 && columns > 0 && blockRows > 0 && rows % blockRows == 0)
    self.offset = offset
    self.rows = rows
    self.columns = columns
    self.blockRows = blockRows
    self.blockStride = blockStride
  }

  /// The element at which `row` starts.
  package func start(of row: Int) -> Int {
    offset + (row / blockRows * blockStride + row % blockRows) * columns
  }
}

/// What a worker needs to orthogonalise a matrix; nothing lives in it from one matrix to the next.
package final class MuonScratch: Sendable {
  let x: FloatBuffer
  let next: FloatBuffer
  let gram: FloatBuffer
  let square: FloatBuffer

  /// Large enough for each of `places`.
  package init(places: [MatrixPlace]) {
    let full = places.map { $0.rows * $0.columns }.max() ?? 0
    let side = places.map { min($0.rows, $0.columns) }.max() ?? 0
    x = FloatBuffer(count: full)
    next = FloatBuffer(count: full)
    gram = FloatBuffer(count: side * side)
    square = FloatBuffer(count: side * side)
  }
}

/// What Muon's update of a matrix came to.
package struct MatrixUpdate: Sendable, BitwiseCopyable {
  package var squares = UpdateSquares()
  /// Whether its change was scaled down to what the cap allows.
  package var isCapped = false

  package init() {}
}

/// One update of a matrix by Muon: momentum whose singular values are brought near 1.
///
/// b = μ·b + g, G = g + μ·b, θ −= lr·0.2·sqrt(max(rows, columns))·O(G) + decay·θ; the factor gives
/// the update the root mean square of AdamW's, so that rate and decay can stay. Under a cap all that
/// is subtracted is scaled to at most that share of ‖θ‖.
/// - Returns: Σ of the squared update and Σ θ² after it
/// - Source: Jordan et al. 2024 with Nesterov's momentum; the scale of Liu et al. 2025 (Moonlight)
package func muonStep(
  parameters: FloatBuffer, gradient: FloatBuffer, velocity: FloatBuffer, at place: MatrixPlace,
  scratch: MuonScratch, _ coefficients: MomentumCoefficients
) -> MatrixUpdate {
  gatherMomentum(gradient, velocity, place, into: scratch.x, coefficients)
  let direction = orthogonalised(scratch, rows: place.rows, columns: place.columns)
  let scale = 0.2 * Float(max(place.rows, place.columns)).squareRoot()
  var (rate, decay) = (coefficients.learningRate * scale, coefficients.decay)
  var result = MatrixUpdate()
  if coefficients.cap > 0 {
    let change = changeSquares(parameters, direction, place, rate: rate, decay: decay)
    let factor = capFactor(
      change, count: place.rows * place.columns, cap: Double(coefficients.cap))
    result.isCapped = factor < 1
    rate *= Float(factor)
    decay *= Float(factor)
  }
  result.squares = subtract(direction, from: parameters, place, rate: rate, decay: decay)
  return result
}

/// θ −= rate·O + decay·θ.
/// - Returns: Σ (rate·O)² and Σ θ² after it
private func subtract(
  _ direction: Matrix, from parameters: FloatBuffer, _ place: MatrixPlace, rate: Float,
  decay: Float
) -> UpdateSquares {
  let rate = Lanes(repeating: rate)
  var squares = UpdateSquares()
  for row in 0..<place.rows {
    let theta = parameters.base + place.start(of: row)
    let source = direction.row(row)
    squares = stepSquares(theta, place.columns, decay: decay, addedTo: squares) { index, lanes in
      rate * source.lanes(index, count: lanes)
    }
  }
  return squares
}

/// Σ (rate·O + decay·θ)² and Σ θ².
private func changeSquares(
  _ parameters: FloatBuffer, _ direction: Matrix, _ place: MatrixPlace, rate: Float, decay: Float
) -> UpdateSquares {
  let rate = Lanes(repeating: rate)
  var squares = UpdateSquares()
  for row in 0..<place.rows {
    let theta = parameters.base + place.start(of: row)
    let source = direction.row(row)
    squares += changeSquares(theta, place.columns, decay: decay) { index, lanes in
      rate * source.lanes(index, count: lanes)
    }
  }
  return squares
}

private func gatherMomentum(
  _ gradient: FloatBuffer, _ velocity: FloatBuffer, _ place: MatrixPlace, into x: FloatBuffer,
  _ coefficients: MomentumCoefficients
) {
  let momentum = MomentumLanes(coefficients)
  for row in 0..<place.rows {
    let g = gradient.base + place.start(of: row)
    let b = velocity.base + place.start(of: row)
    let target = x.base + row * place.columns
    forEachLanes(place.columns) { index, lanes in
      let gradient = g.lanes(index, count: lanes)
      let velocity = momentum.velocity(b.lanes(index, count: lanes), gradient: gradient)
      b.store(velocity, index, count: lanes)
      target.store(momentum.velocity(velocity, gradient: gradient), index, count: lanes)
    }
  }
}

/// Brings the singular values of the matrix in `scratch.x` near 1, by five Newton–Schulz steps.
///
/// X = X/(‖X‖ + 1e-7), then five times A = X·Xᵀ, X = a·X + (b·A + c·A²)·X; with A = Xᵀ·X from the
/// right where there are fewer columns than rows. Singular values end in about 0.7 … 1.2, those
/// that were near 0 below it.
/// - Returns: a view of one of the scratch's buffers
/// - Cost: 5·(4·n²·m + 2·n³) operations for sides n ≤ m
/// - Source: Jordan et al. 2024, "Muon"
func orthogonalised(_ scratch: MuonScratch, rows: Int, columns: Int) -> Matrix {
  let side = min(rows, columns)
  var x = Matrix(scratch.x, rows: rows, columns: columns)
  var next = Matrix(scratch.next, rows: rows, columns: columns)
  let gram = Matrix(scratch.gram, rows: side, columns: side)
  let square = Matrix(scratch.square, rows: side, columns: side)
  let norm = sumOfSquares(x.base, rows * columns).squareRoot()
  scaleRow(x.base, rows * columns, Float(1 / (norm + 1e-7)))
  for _ in 0..<5 {
    if rows <= columns {
      multiply(x, transposed: x, into: gram)
    } else {
      multiply(transposed: x, x, into: gram)
    }
    multiply(gram, gram, into: square)
    newtonSchulzPolynomial(gram, square, side)
    if rows <= columns { multiply(gram, x, into: next) } else { multiply(x, gram, into: next) }
    swap(&x, &next)
  }
  return x
}

/// A = a·I + b·A + c·A², so that one product gives the next X.
private func newtonSchulzPolynomial(_ gram: Matrix, _ square: Matrix, _ side: Int) {
  let (a, b, c) = (Float(3.4445), Lanes(repeating: -4.775), Lanes(repeating: 2.0315))
  forEachLanes(side * side) { index, lanes in
    let value = (b * gram.base.lanes(index, count: lanes)).addingProduct(
      square.base.lanes(index, count: lanes), c)
    gram.base.store(value, index, count: lanes)
  }
  for diagonal in 0..<side { gram.base[diagonal * side + diagonal] += a }
}
