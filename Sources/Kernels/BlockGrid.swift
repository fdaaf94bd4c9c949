/// A matrix in a buffer as blocks of 16 by 16 numbers, row after row; those at its edges have what is
/// left.
package struct BlockGrid: Sendable, Hashable {
  package static let side = 16

  package let offset: Int
  package let rows: Int
  package let columns: Int

  package init(offset: Int, rows: Int, columns: Int) {
    self.offset = offset
    self.rows = rows
    self.columns = columns
  }

  /// Blocks in a column of them, and in a row.
  package var down: Int { (rows + Self.side - 1) / Self.side }
  package var across: Int { (columns + Self.side - 1) / Self.side }
  package var count: Int { down * across }

  /// Σ |x| of every block.
  ///
  /// - Parameters: `sums` are overwritten from `start` on
  /// - Cost: one pass over the matrix, no allocation
  package func sizes(in buffer: FloatBuffer, into sums: FloatBuffer, from start: Int) {
    for block in 0..<count {
      var sum = Lanes.zero
      forEachRow(of: block, in: buffer) { row, width in
        forEachLanes(width) { index, lanes in sum += row.lanes(index, count: lanes).size }
      }
      sums.base[start + block] = sum.sum()
    }
  }

  /// Sets a block's numbers to 0.
  package func clear(_ block: Int, in buffer: FloatBuffer) {
    forEachRow(of: block, in: buffer) { row, width in row.update(repeating: 0, count: width) }
  }

  @inline(__always)
  private func forEachRow(
    of block: Int, in buffer: FloatBuffer,
    _ body: (_ row: UnsafeMutablePointer<Float>, _ width: Int) -> Void
  ) {
    let (top, left) = (block / across * Self.side, block % across * Self.side)
    let width = min(Self.side, columns - left)
    for row in top..<min(top + Self.side, rows) {
      body(buffer.base + (offset + row * columns + left), width)
    }
  }
}
