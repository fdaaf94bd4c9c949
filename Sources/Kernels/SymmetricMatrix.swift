internal import COpenBLAS

/// A symmetric matrix of Float64, for what is measured seldom: sums of outer products and their
/// eigenvalues.
package struct SymmetricMatrix {
  package let size: Int
  /// [size, size], of which the part at and below the diagonal counts.
  private var numbers: [Double]

  package init(size: Int) {
    self.size = size
    numbers = [Double](repeating: 0, count: size * size)
  }

  package subscript(row: Int, column: Int) -> Double {
    row >= column ? numbers[row * size + column] : numbers[column * size + row]
  }

  package var trace: Double { (0..<size).reduce(0) { $0 + numbers[$1 * size + $1] } }

  /// Adds weight·x·xᵀ.
  package mutating func add(_ x: [Double], weight: Double = 1) {
    precondition(x.count == size, "\(x.count) numbers for \(size)")
    numbers.withUnsafeMutableBufferPointer { numbers in
      for row in 0..<size where x[row] != 0 {
        let factor = weight * x[row]
        for column in 0...row { numbers[row * size + column] += factor * x[column] }
      }
    }
  }

  /// Adds the products of all pairs of rows of A, A·Aᵀ.
  /// - Shapes: `a` [size, k]
  package mutating func addProducts(ofRowsOf a: Matrix) {
    precondition(a.rows == size, "\(a.rows) rows for \(size)")
    for row in 0..<size {
      for other in 0...row {
        numbers[row * size + other] += wideDot(a.row(row), a.row(other), a.columns)
      }
    }
  }

  /// Eigenvalues, ascending, and where asked for a unit eigenvector for each.
  ///
  /// - Cost: about 4/3·n³ operations, 9·n³ with the vectors
  /// - Source: LAPACK's `dsyev`.
  package func eigen(vectors: Bool = false) -> (values: [Double], vectors: [[Double]]) {
    guard size > 0 else { return ([], []) }
    _ = BLAS.isSerial
    var (matrix, values) = (numbers, [Double](repeating: 0, count: size))
    var work = [Double](repeating: 0, count: 34 * size)
    var (order, room, info) = (Int32(size), Int32(work.count), Int32(0))
    // Row-major and below the diagonal is column-major and above it.
    dsyev_(vectors ? "V" : "N", "U", &order, &matrix, &order, &values, &work, &room, &info)
    guard info == 0 else { return ([Double](repeating: .nan, count: size), []) }
    guard vectors else { return (values, []) }
    return (values, (0..<size).map { Array(matrix[$0 * size..<($0 + 1) * size]) })
  }
}

/// The scalar product of two rows in Float64: small eigenvalues of a matrix of such are else lost.
private func wideDot(
  _ a: UnsafeMutablePointer<Float>, _ b: UnsafeMutablePointer<Float>, _ count: Int
) -> Double {
  var sum = SIMD8<Double>.zero
  forEachLanes(count) { index, lanes in
    let (x, y) = (a.lanes(index, count: lanes), b.lanes(index, count: lanes))
    sum.addProduct(SIMD8<Double>(x), SIMD8<Double>(y))
  }
  return sum.sum()
}
