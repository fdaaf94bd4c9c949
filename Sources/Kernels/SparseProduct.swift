/// C = A·Bᵀ, or C += A·Bᵀ, where B has empty blocks, which are passed over.
///
/// The bits are those of the product of all of B as long as A is finite, but for the sign of a zero
/// that a product too small for a number left: every element is the same chain of additions, without
/// those of zeros. A depth that ends within a block is taken whole.
/// - Shapes: `a` [m, k], `b` [n, k], `c` [m, n]
/// - Parameters: `blocks` are those of `b`
/// - Cost: 2·m·n·k operations, times the share of blocks that are there
package func multiply(
  _ a: Matrix, transposed b: Matrix, blocks: BlockPattern, into c: Matrix, adding: Bool = false
) {
  assert(a.columns == b.columns && c.rows == a.rows && c.columns == b.rows)
  precondition(blocks.grid.rows == b.rows && blocks.grid.columns == b.columns)
  guard a.columns % BlockGrid.side == 0 else {
    return multiply(a, transposed: b, into: c, adding: adding)
  }
  SparseProduct(
    left: a, right: .transposed, weight: b, blocks: blocks, target: c, adding: adding
  ).run()
}

/// C = A·B, or C += A·B, where B has empty blocks, which are passed over: bits as in `A·Bᵀ`.
///
/// - Shapes: `a` [m, k], `b` [k, n], `c` [m, n]
/// - Parameters: `blocks` are those of `b`
/// - Cost: 2·m·n·k operations, times the share of blocks that are there
package func multiply(
  _ a: Matrix, _ b: Matrix, blocks: BlockPattern, into c: Matrix, adding: Bool = false
) {
  assert(a.columns == b.rows && c.rows == a.rows && c.columns == b.columns)
  precondition(blocks.grid.rows == b.rows && blocks.grid.columns == b.columns)
  guard a.columns % BlockGrid.side == 0 else { return multiply(a, b, into: c, adding: adding) }
  SparseProduct(left: a, right: .plain, weight: b, blocks: blocks, target: c, adding: adding).run()
}

/// The blocks that are there of C = Aᵀ·B, or of C += Aᵀ·B, each with the bits of the whole product;
/// the other ones are left as they are.
///
/// - Shapes: `a` [k, m], `b` [k, n], `c` [m, n]
/// - Parameters: `blocks` are those of `c`
/// - Cost: 2·m·n·k operations, times the share of blocks that are there
package func multiply(
  transposed a: Matrix, _ b: Matrix, into c: Matrix, blocks: BlockPattern, adding: Bool = false
) {
  assert(a.rows == b.rows && c.rows == a.columns && c.columns == b.columns)
  precondition(blocks.grid.rows == c.rows && blocks.grid.columns == c.columns)
  guard a.rows > 0 else {
    if !adding { blocks.clear(c) }
    return
  }
  SparseGradient(left: a, right: b, blocks: blocks, target: c, adding: adding).run()
}

/// A product whose right factor has empty blocks, in strips as `PackedProduct`: a strip is as wide
/// as a block, and of its depth only the blocks that are there are packed, one behind the other.
private struct SparseProduct {
  let left: Matrix
  let right: PackedProduct.Right
  let weight: Matrix
  let blocks: BlockPattern
  let target: Matrix
  let adding: Bool

  func run() {
    guard left.rows > 0 else { return }
    let panel = ThreadScratch.base()
    let edge = panel + PackedProduct.depthBlock * ProductTile.columns
    let places = UnsafeMutableRawPointer(edge + ProductTile.rows * ProductTile.columns)
    // The partial sums are those of the whole product.
    for start in stride(from: 0, to: left.columns, by: PackedProduct.depthBlock) {
      let count = min(PackedProduct.depthBlock, left.columns - start)
      for strip in 0..<target.strips {
        let column = strip * ProductTile.columns
        let packed = pack(strip, start..<start + count, PackedBlocks(panel, places: places))
        ProductStrip(
          column: column, width: min(ProductTile.columns, target.columns - column),
          stride: target.stride, adding: adding || start > 0
        ).run(left, packed, target.base, edge: edge)
      }
    }
  }

  private func pack(
    _ strip: Int, _ depth: Range<Int>, _ empty: PackedBlocks
  ) -> PackedBlocks {
    var packed = empty
    let column = strip * ProductTile.columns
    let width = min(ProductTile.columns, target.columns - column)
    for start in stride(from: depth.lowerBound, to: depth.upperBound, by: BlockGrid.side) {
      let block = start / BlockGrid.side
      switch right {
      case .transposed:
        guard blocks.isPresent(strip, block) else { continue }
        packed.append(at: start, width: width).fill(
          transposed: weight.row(column) + start, stride: weight.stride)
      case .plain:
        guard blocks.isPresent(block, strip) else { continue }
        packed.append(at: start, width: width).fill(
          plain: weight.row(start) + column, stride: weight.stride)
      }
    }
    return packed
  }
}

/// Blocks of a strip's depth, [count·16, 16], and where each of them begins in A's rows.
private struct PackedBlocks {
  let panel: UnsafeMutablePointer<Float>
  private(set) var count = 0
  private let places: UnsafeMutableRawPointer

  init(_ panel: UnsafeMutablePointer<Float>, places: UnsafeMutableRawPointer) {
    self.panel = panel
    self.places = places
  }

  @inline(__always)
  func place(_ block: Int) -> Int {
    places.load(fromByteOffset: block &* MemoryLayout<Int>.stride, as: Int.self)
  }

  mutating func append(at place: Int, width: Int) -> PackedPanel {
    let size = BlockGrid.side * ProductTile.columns
    defer { count += 1 }
    places.storeBytes(of: place, toByteOffset: count &* MemoryLayout<Int>.stride, as: Int.self)
    return PackedPanel(base: panel + count * size, depth: BlockGrid.side, width: width)
  }
}

extension ProductStrip {
  /// Tiles as those of a whole panel.
  @inline(__always)
  fileprivate func run(
    _ left: Matrix, _ blocks: PackedBlocks, _ c: UnsafeMutablePointer<Float>,
    edge: UnsafeMutablePointer<Float>
  ) {
    var row = 0
    while row < left.rows {
      let height = Self.height(left.rows &- row)
      place(row, height, c, edge) { target in
        if height > 4 {
          ProductTile.sparseSix(left.row(row), left.stride, rows: height, blocks, into: target)
        } else {
          ProductTile.sparseFour(left.row(row), left.stride, rows: height, blocks, into: target)
        }
      }
      row &+= height
    }
  }
}

extension ProductTile {
  /// Like `six`, over blocks of depth instead of all of it.
  @inline(never)
  fileprivate static func sparseSix(
    _ a: UnsafePointer<Float>, _ stride: Int, rows: Int, _ blocks: PackedBlocks,
    into c: Target
  ) {
    var (c0, c1, c2) = (TileRow.zero, TileRow.zero, TileRow.zero)
    var (c3, c4, c5) = (TileRow.zero, TileRow.zero, TileRow.zero)
    let rowOf = Left(base: a, rowStride: stride, depthStride: 1)
    let (o1, o2, o3) = (
      rowOf.offset(1, of: rows), rowOf.offset(2, of: rows), rowOf.offset(3, of: rows)
    )
    let (o4, o5) = (rowOf.offset(4, of: rows), rowOf.offset(5, of: rows))
    var b = UnsafePointer(blocks.panel)
    for block in 0..<blocks.count {
      var left = a + blocks.place(block)
      for _ in 0..<BlockGrid.side {
        let row = b.tileRow
        c0.addProduct(TileRow(repeating: left[0]), row)
        c1.addProduct(TileRow(repeating: left[o1]), row)
        c2.addProduct(TileRow(repeating: left[o2]), row)
        c3.addProduct(TileRow(repeating: left[o3]), row)
        c4.addProduct(TileRow(repeating: left[o4]), row)
        c5.addProduct(TileRow(repeating: left[o5]), row)
        left += 1
        b += columns
      }
    }
    c.store(c0, row: 0, of: rows)
    c.store(c1, row: 1, of: rows)
    c.store(c2, row: 2, of: rows)
    c.store(c3, row: 3, of: rows)
    c.store(c4, row: 4, of: rows)
    c.store(c5, row: 5, of: rows)
  }

  /// Like `four`, over blocks of depth instead of all of it.
  @inline(never)
  fileprivate static func sparseFour(
    _ a: UnsafePointer<Float>, _ stride: Int, rows: Int, _ blocks: PackedBlocks,
    into c: Target
  ) {
    var (c0, c1, c2, c3) = (TileRow.zero, TileRow.zero, TileRow.zero, TileRow.zero)
    let rowOf = Left(base: a, rowStride: stride, depthStride: 1)
    let (o1, o2, o3) = (
      rowOf.offset(1, of: rows), rowOf.offset(2, of: rows), rowOf.offset(3, of: rows)
    )
    var b = UnsafePointer(blocks.panel)
    for block in 0..<blocks.count {
      var left = a + blocks.place(block)
      for _ in 0..<BlockGrid.side {
        let row = b.tileRow
        c0.addProduct(TileRow(repeating: left[0]), row)
        c1.addProduct(TileRow(repeating: left[o1]), row)
        c2.addProduct(TileRow(repeating: left[o2]), row)
        c3.addProduct(TileRow(repeating: left[o3]), row)
        left += 1
        b += columns
      }
    }
    c.store(c0, row: 0, of: rows)
    c.store(c1, row: 1, of: rows)
    c.store(c2, row: 2, of: rows)
    c.store(c3, row: 3, of: rows)
  }
}
