/// A view of row-major numbers in a buffer: what every kernel reads and writes.
///
/// The letters in this room: B batch, T position, D width, H heads, Dh head width, F feed-forward
/// width, V vocabulary, L layer, E expert, M = B·T rows of a slice. Gradients are `d` and the name.
/// Gradients overwrite unless a label says `adding`; those of gains, embeddings and routers add.
///
/// A view does not keep its buffer alive; whoever planned the memory does.
package struct Matrix: Sendable {
  // It never changes and points into a `Buffer`: the argument at `Buffer.base` is about the memory,
  // whatever it is reached by. A view crosses threads only inside a `WorkerPool.run`, whose caller
  // holds the buffer, or the `Arena` with it, until the run has ended.
  nonisolated(unsafe) let base: UnsafeMutablePointer<Float>
  package let rows: Int
  package let columns: Int
  /// Elements from one row's start to the next's.
  package let stride: Int

  package init(_ buffer: FloatBuffer, offset: Int = 0, rows: Int, columns: Int) {
    precondition(
      offset >= 0 && offset + rows * columns <= buffer.count,
      "a view of [\(rows), \(columns)] at \(offset) in \(buffer.count) elements")
    self.init(base: buffer.base + offset, rows: rows, columns: columns, stride: columns)
  }

  init(base: UnsafeMutablePointer<Float>, rows: Int, columns: Int, stride: Int) {
    self.base = base
    self.rows = rows
    self.columns = columns
    self.stride = stride
  }

  /// The rows from `start` on.
  package func rows(from start: Int, count: Int) -> Matrix {
    assert(start >= 0 && count >= 0 && start + count <= rows)
    return Matrix(base: base + start * stride, rows: count, columns: columns, stride: stride)
  }

  /// The columns from `start` on, in the same rows.
  package func columns(from start: Int, count: Int) -> Matrix {
    assert(start >= 0 && count >= 0 && start + count <= columns)
    return Matrix(base: base + start, rows: rows, columns: count, stride: stride)
  }

  /// The same contiguous memory in other rows.
  package func reshaped(rows: Int, columns: Int) -> Matrix {
    assert(stride == self.columns && rows * columns <= self.rows * self.columns)
    return Matrix(base: base, rows: rows, columns: columns, stride: columns)
  }

  /// Rows of `columns` in the same contiguous memory, the first of them at `offset`.
  package func part(at offset: Int, rows: Int, columns: Int) -> Matrix {
    assert(stride == self.columns && offset >= 0)
    assert(offset + rows * columns <= self.rows * self.columns)
    return Matrix(base: base + offset, rows: rows, columns: columns, stride: columns)
  }

  /// Each row cut in pieces of `width`, of which the one at `offset` is seen: [rows·pieces, count].
  package func pieces(of width: Int, offset: Int, count: Int) -> Matrix {
    assert(stride == columns && columns % width == 0 && offset + count <= width)
    return Matrix(
      base: base + offset, rows: rows * (columns / width), columns: count, stride: width)
  }

  @inline(__always)
  func row(_ index: Int) -> UnsafeMutablePointer<Float> { base + index &* stride }

  package subscript(row: Int, column: Int) -> Float {
    get {
      assert(row >= 0 && row < rows && column >= 0 && column < columns)
      return base[row * stride + column]
    }
    nonmutating set {
      assert(row >= 0 && row < rows && column >= 0 && column < columns)
      base[row * stride + column] = newValue
    }
  }

  /// A copy, row after row.
  package var values: [Float] {
    (0..<rows).flatMap { UnsafeBufferPointer(start: row($0), count: columns) }
  }

  /// - Shapes: `other` as this one
  package func copy(from other: Matrix) {
    assert(rows == other.rows && columns == other.columns)
    for row in 0..<rows { self.row(row).update(from: other.row(row), count: columns) }
  }

  package func clear() {
    for row in 0..<rows {
      UnsafeMutableRawPointer(self.row(row)).initializeMemory(
        as: UInt8.self, repeating: 0, count: columns * MemoryLayout<Float>.stride)
    }
  }
}
