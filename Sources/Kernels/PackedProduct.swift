/// A product C = A·B or C += A·B, computed in strips of C sixteen columns wide.
///
/// Per strip and 256 steps of depth, the part of B is packed so that it stays in the first-level
/// cache while the rows of A pass by. A is read where it lies unless its rows are columns in
/// memory: then blocks of it are packed too, or every step of depth would be another cache line.
/// - Cost: 2·rows·columns·depth operations; scratch of the thread's own
struct PackedProduct {
  /// How B lies in memory.
  enum Right {
    /// B[k, n] at k·stride + n
    case plain
    /// B[k, n] at n·stride + k
    case transposed
  }

  static let depthBlock = 256
  private static let rowBlock = 192

  let left: ProductTile.Left
  let rows: Int
  let columns: Int
  let depth: Int
  let right: Right
  let rightBase: UnsafePointer<Float>
  let rightStride: Int
  let target: Matrix
  let adding: Bool

  func run() {
    guard rows > 0 else { return }
    let scratch = Scratch(ThreadScratch.base())
    for start in stride(from: 0, to: depth, by: Self.depthBlock) {
      let count = min(Self.depthBlock, depth - start)
      if packsLeft {
        packedBlocks(start, count, scratch)
      } else {
        let block = ProductTile.Left(
          base: left.base + start * left.depthStride, rowStride: left.rowStride,
          depthStride: left.depthStride)
        strips(start, count, scratch) { panel, strip in
          strip.run(block, rows: rows, panel, depth: count, target.base, edge: scratch.edge)
        }
      }
    }
  }

  private var packsLeft: Bool { Self.packsLeft(stride: left.depthStride, columns: columns) }

  /// Packing pays where the steps of depth fall on few cache sets and enough strips use the result.
  @inline(__always)
  static func packsLeft(stride: Int, columns: Int) -> Bool { stride > 256 && columns >= 128 }

  private struct Scratch {
    let panel: UnsafeMutablePointer<Float>
    let edge: UnsafeMutablePointer<Float>
    let left: UnsafeMutablePointer<Float>

    init(_ base: UnsafeMutablePointer<Float>) {
      panel = base
      edge = panel + depthBlock * ProductTile.columns
      left = edge + ProductTile.rows * ProductTile.columns
    }
  }

  private func packedBlocks(_ start: Int, _ count: Int, _ scratch: Scratch) {
    for row in stride(from: 0, to: rows, by: Self.rowBlock) {
      let height = min(Self.rowBlock, rows - row)
      let packed = PackedLeft(scratch.left, depth: count)
      packed.fill(
        from: left.base + start * left.depthStride + row, stride: left.depthStride, rows: height)
      strips(start, count, scratch) { panel, strip in
        strip.run(
          packed, rows: height, panel, depth: count, target.base + row * target.stride,
          edge: scratch.edge)
      }
    }
  }

  @inline(__always)
  private func strips(
    _ start: Int, _ count: Int, _ scratch: Scratch,
    _ body: (_ panel: UnsafePointer<Float>, _ strip: ProductStrip) -> Void
  ) {
    var column = 0
    while column < columns {
      let width = min(ProductTile.columns, columns - column)
      let panel = PackedPanel(base: scratch.panel, depth: count, width: width)
      switch right {
      case .plain:
        panel.fill(plain: rightBase + start * rightStride + column, stride: rightStride)
      case .transposed:
        panel.fill(transposed: rightBase + column * rightStride + start, stride: rightStride)
      }
      body(
        scratch.panel,
        ProductStrip(
          column: column, width: width, stride: target.stride, adding: adding || start > 0))
      column += ProductTile.columns
    }
  }
}

/// Sixteen columns of C, or what is left of them at the right edge.
struct ProductStrip {
  let column: Int
  let width: Int
  let stride: Int
  let adding: Bool

  /// Tiles of six rows down the strip; one to three rows left over make it two fours at the end.
  @inline(__always)
  func run(
    _ left: ProductTile.Left, rows: Int, _ panel: UnsafePointer<Float>, depth: Int,
    _ c: UnsafeMutablePointer<Float>, edge: UnsafeMutablePointer<Float>
  ) {
    var row = 0
    while row < rows {
      let height = Self.height(rows &- row)
      place(row, height, c, edge) { target in
        if height > 4 {
          ProductTile.six(left.row(row), rows: height, panel, depth: depth, into: target)
        } else {
          ProductTile.four(left.row(row), rows: height, panel, depth: depth, into: target)
        }
      }
      row &+= height
    }
  }

  @inline(__always)
  func run(
    _ left: PackedLeft, rows: Int, _ panel: UnsafePointer<Float>, depth: Int,
    _ c: UnsafeMutablePointer<Float>, edge: UnsafeMutablePointer<Float>
  ) {
    var row = 0
    while row < rows {
      let height = min(6, rows &- row)
      place(row, height, c, edge) { target in
        if height > 4 {
          ProductTile.six(left.tile(row), rows: height, panel, depth: depth, into: target)
        } else {
          ProductTile.four(left.tile(row), rows: height, panel, depth: depth, into: target)
        }
      }
      row &+= height
    }
  }

  /// 7 and 8 rows are two fours: a six and a rest of one or two would leave the adders waiting.
  @inline(__always)
  static func height(_ rest: Int) -> Int {
    rest > 8 ? 6 : rest > 6 ? 4 : rest
  }

  /// At the right edge the tile goes to scratch, of which the columns that exist are copied.
  @inline(__always)
  func place(
    _ row: Int, _ height: Int, _ c: UnsafeMutablePointer<Float>,
    _ edge: UnsafeMutablePointer<Float>, _ tile: (ProductTile.Target) -> Void
  ) {
    let destination = c + (row &* stride &+ column)
    guard width < ProductTile.columns else {
      tile(ProductTile.Target(base: destination, stride: stride, adding: adding))
      return
    }
    tile(ProductTile.Target(base: edge, stride: ProductTile.columns, adding: false))
    for tileRow in 0..<height {
      let source = edge + tileRow &* ProductTile.columns
      let output = destination + tileRow &* stride
      for index in 0..<width {
        output[index] = adding ? output[index] + source[index] : source[index]
      }
    }
  }
}
