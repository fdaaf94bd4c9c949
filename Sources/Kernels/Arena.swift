/// Hands out matrices from memory that is planned once and reused by every step.
///
/// Few large blocks instead of one allocation a matrix: neighbours in use are neighbours in
/// memory, and their starts do not all fall on the same cache sets.
package final class Arena {
  private static let blockCount = 1 << 20
  private var blocks: [FloatBuffer] = []
  private var indexBlocks: [Buffer<Int32>] = []
  private var used = 0

  package init() {}

  package var bytes: Int {
    blocks.reduce(0) { $0 + $1.bytes } + indexBlocks.reduce(0) { $0 + $1.bytes }
  }

  package func matrix(rows: Int, columns: Int) -> Matrix {
    let count = (rows * columns + 15) / 16 * 16
    if let block = blocks.last, used + count <= block.count {
      defer { used += count }
      return Matrix(block, offset: used, rows: rows, columns: columns)
    }
    let block = FloatBuffer(count: max(count, Self.blockCount))
    blocks.append(block)
    used = count
    return Matrix(block, rows: rows, columns: columns)
  }

  package func indices(count: Int) -> Buffer<Int32> {
    let buffer = Buffer<Int32>(count: count)
    indexBlocks.append(buffer)
    return buffer
  }
}
