/// Which blocks of a matrix are there, in the order of its grid; all others hold zeros.
package struct BlockPattern: Sendable {
  let grid: BlockGrid
  private let mask: FloatBuffer
  private let first: Int

  /// - Parameters: `mask` has 1 for a block that is there and 0 for one that is not, from `first` on
  package init(_ grid: BlockGrid, mask: FloatBuffer, from first: Int) {
    precondition(first + grid.count <= mask.count, "\(grid.count) blocks in \(mask.count) places")
    self.grid = grid
    self.mask = mask
    self.first = first
  }

  @inline(__always)
  func isPresent(_ row: Int, _ column: Int) -> Bool {
    mask.base[first &+ row &* grid.across &+ column] != 0
  }

  /// Runs of blocks that are there, one below the other in a column of blocks.
  @inline(__always)
  func forEachRun(
    in column: Int, rows: Range<Int>, _ body: (_ blocks: Range<Int>) -> Void
  ) {
    var row = rows.lowerBound
    while row < rows.upperBound {
      guard isPresent(row, column) else {
        row &+= 1
        continue
      }
      let start = row
      while row < rows.upperBound, isPresent(row, column) { row &+= 1 }
      body(start..<row)
    }
  }

  /// Sets the blocks of a matrix that are there to 0.
  func clear(_ matrix: Matrix) {
    let side = BlockGrid.side
    for column in 0..<grid.across {
      let part = matrix.columns(
        from: column * side, count: min(side, matrix.columns - column * side))
      forEachRun(in: column, rows: 0..<grid.down) { run in
        let end = min(run.upperBound * side, matrix.rows)
        part.rows(from: run.lowerBound * side, count: end - run.lowerBound * side).clear()
      }
    }
  }
}
