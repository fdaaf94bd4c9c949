/// Hands out matrices from memory that is planned once and reused by every step.
///
/// Few large blocks instead of one allocation a matrix: neighbours in use are neighbours in
/// memory, and their starts do not all fall on the same cache sets.
package final class Arena {
  private static let blockCount = 1 << 20
  private var blocks: [FloatBuffer] = []
  private var indexBlocks: [Buffer<Int32>] = []
  /// The block that matrices are taken from, and how much of it is taken.
  private var current = 0
  private var used = 0

  package init() {}

  /// Where the next matrix is taken from.
  package struct Mark {
    fileprivate let block: Int
    fileprivate let used: Int
  }

  package var mark: Mark { Mark(block: current, used: used) }

  /// Takes what was handed out since `mark` again for what is planned from now on: neither may be in
  /// use while the other is.
  package func reuse(from mark: Mark) { (current, used) = (mark.block, mark.used) }

  package var bytes: Int {
    blocks.reduce(0) { $0 + $1.bytes } + indexBlocks.reduce(0) { $0 + $1.bytes }
  }

  package func matrix(rows: Int, columns: Int) -> Matrix {
    let count = (rows * columns + 15) / 16 * 16
    if current < blocks.count, used + count <= blocks[current].count {
      defer { used += count }
      return Matrix(blocks[current], offset: used, rows: rows, columns: columns)
    }
    current = blocks.isEmpty ? 0 : current + 1
    used = count
    if current >= blocks.count || blocks[current].count < count {
      blocks.insert(FloatBuffer(count: max(count, Self.blockCount)), at: current)
    }
    return Matrix(blocks[current], rows: rows, columns: columns)
  }

  package func indices(count: Int) -> Buffer<Int32> {
    let buffer = Buffer<Int32>(count: count)
    indexBlocks.append(buffer)
    return buffer
  }
}
