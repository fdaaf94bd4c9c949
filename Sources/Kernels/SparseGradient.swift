/// A product Aᵀ·B of which only some blocks are wanted, in strips as `PackedProduct`: tiles go down
/// the runs of blocks that are there.
struct SparseGradient {
  /// [k, m] and [k, n]
  let left: Matrix
  let right: Matrix
  let blocks: BlockPattern
  let target: Matrix
  let adding: Bool

  /// Blocks of rows whose part of A is packed at once.
  private static let packedBlocks = 12

  func run() {
    let step = packsLeft ? Self.packedBlocks : blocks.grid.down
    for start in stride(from: 0, to: left.rows, by: PackedProduct.depthBlock) {
      let depth = start..<min(start + PackedProduct.depthBlock, left.rows)
      for first in stride(from: 0, to: blocks.grid.down, by: step) {
        run(first..<min(first + step, blocks.grid.down), depth)
      }
    }
  }

  /// As for the whole product: its bits do not depend on it.
  private var packsLeft: Bool {
    PackedProduct.packsLeft(stride: left.stride, columns: target.columns)
  }

  private func run(_ rows: Range<Int>, _ depth: Range<Int>) {
    let scratch = ThreadScratch.base()
    let edge = scratch + PackedProduct.depthBlock * ProductTile.columns
    let packed = edge + ProductTile.rows * ProductTile.columns
    if packsLeft { for row in rows { pack(row, depth, behind: rows.lowerBound, at: packed) } }
    for column in 0..<target.strips {
      var isPacked = false
      let strip = strip(column, adding: adding || depth.lowerBound > 0)
      blocks.forEachRun(in: column, rows: rows) { run in
        if !isPacked { pack(strip, depth, into: scratch) }
        isPacked = true
        guard packsLeft else { return take(run, strip, depth, scratch, edge) }
        for row in run {
          let part = part(row, depth, behind: rows.lowerBound, at: packed)
          strip.run(
            part, rows: height(row..<row + 1), scratch, depth: depth.count, output(row), edge: edge)
        }
      }
    }
  }

  /// A run of blocks whose part of A is read where it lies.
  private func take(
    _ run: Range<Int>, _ strip: ProductStrip, _ depth: Range<Int>,
    _ panel: UnsafePointer<Float>, _ edge: UnsafeMutablePointer<Float>
  ) {
    let part = ProductTile.Left(
      base: left.row(depth.lowerBound) + run.lowerBound * BlockGrid.side, rowStride: 1,
      depthStride: left.stride)
    strip.run(
      part, rows: height(run), panel, depth: depth.count, output(run.lowerBound), edge: edge)
  }

  private func strip(_ number: Int, adding: Bool) -> ProductStrip {
    let column = number * ProductTile.columns
    return ProductStrip(
      column: column, width: min(ProductTile.columns, target.columns - column),
      stride: target.stride, adding: adding)
  }

  private func pack(
    _ strip: ProductStrip, _ depth: Range<Int>, into panel: UnsafeMutablePointer<Float>
  ) {
    PackedPanel(base: panel, depth: depth.count, width: strip.width).fill(
      plain: right.row(depth.lowerBound) + strip.column, stride: right.stride)
  }

  private func pack(
    _ row: Int, _ depth: Range<Int>, behind first: Int, at scratch: UnsafeMutablePointer<Float>
  ) {
    part(row, depth, behind: first, at: scratch).fill(
      from: left.row(depth.lowerBound) + row * BlockGrid.side, stride: left.stride,
      rows: height(row..<row + 1))
  }

  /// Where a block of rows of A is packed.
  private func part(
    _ row: Int, _ depth: Range<Int>, behind first: Int, at scratch: UnsafeMutablePointer<Float>
  ) -> PackedLeft {
    let size = PackedLeft.count(rows: BlockGrid.side, depth: depth.count)
    return PackedLeft(scratch + (row - first) * size, depth: depth.count)
  }

  /// Rows of C in a run of blocks.
  private func height(_ blocks: Range<Int>) -> Int {
    min(blocks.upperBound * BlockGrid.side, target.rows) - blocks.lowerBound * BlockGrid.side
  }

  private func output(_ row: Int) -> UnsafeMutablePointer<Float> {
    target.row(row * BlockGrid.side)
  }
}
