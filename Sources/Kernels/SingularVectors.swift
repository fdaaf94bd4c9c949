/// The singular vectors of a matrix that belong to its largest singular values.
package struct SingularVectors {
  /// Descending.
  package let values: [Double]
  /// [count][rows] and [count][columns], of unit length; a right or left one of a singular value of 0
  /// is zeros.
  private let left: [[Double]]
  private let right: [[Double]]

  /// From the eigenvectors of W·Wᵀ or Wᵀ·W, whichever is smaller, in Float64.
  ///
  /// - Shapes: `matrix` [rows, columns]
  /// - Cost: about 9·n³ operations, n the smaller side
  package init(of matrix: Matrix, count: Int) {
    let (rows, columns) = (matrix.rows, matrix.columns)
    precondition(count <= min(rows, columns), "\(count) singular values of [\(rows), \(columns)]")
    let isWide = rows <= columns
    let turned = FloatBuffer(count: rows * columns)
    let transposed = Matrix(turned, rows: columns, columns: rows)
    for row in 0..<rows {
      for column in 0..<columns { transposed[column, row] = matrix[row, column] }
    }
    var gram = SymmetricMatrix(size: min(rows, columns))
    gram.addProducts(ofRowsOf: isWide ? matrix : transposed)
    let eigen = gram.eigen(vectors: true)
    let largest = (0..<count).map { eigen.values.count - 1 - $0 }
    values = largest.map { max(eigen.values[$0], 0).squareRoot() }
    let own = largest.map { eigen.vectors[$0] }
    // Each row of the other side's is Wᵀ·u/σ or W·v/σ.
    let other = own.map { vector in Self.image(of: vector, rowsOf: isWide ? transposed : matrix) }
    (left, right) = isWide ? (own, other) : (other, own)
  }

  /// The unit vector along A·x; zeros where that is 0.
  private static func image(of x: [Double], rowsOf a: Matrix) -> [Double] {
    var image = (0..<a.rows).map { row in
      x.indices.reduce(0.0) { $0 + Double(a[row, $1]) * x[$1] }
    }
    let norm = image.reduce(0) { $0 + $1 * $1 }.squareRoot()
    guard norm > 0 else { return image }
    for index in image.indices { image[index] /= norm }
    return image
  }

  /// - Shapes: `left` [count, rows], `right` [count, columns]
  package func write(left target: Matrix, right other: Matrix) {
    for (row, vector) in left.enumerated() {
      for (column, value) in vector.enumerated() { target[row, column] = Float(value) }
    }
    for (row, vector) in right.enumerated() {
      for (column, value) in vector.enumerated() { other[row, column] = Float(value) }
    }
  }
}
