/// A matrix B [n, k] as a product with few rows of A reads it: strips of sixteen rows of B, each
/// [k, 16], rows that do not exist zero.
///
/// A product packs its right factor anew each time, which is nothing beside many rows of A and most
/// of the work beside one. Weights that stay, and keys and values that only grow, are packed once.
package struct PackedMatrix: Sendable {
  /// n
  package let rows: Int
  /// k
  package let columns: Int
  /// [strips·k, 16]
  private let panels: Matrix

  /// All zeros.
  package init(rows: Int, columns: Int, arena: Arena) {
    self.rows = rows
    self.columns = columns
    panels = arena.matrix(
      rows: Self.strips(rows) * columns, columns: ProductTile.columns)
  }

  private static func strips(_ rows: Int) -> Int {
    (rows + ProductTile.columns - 1) / ProductTile.columns
  }

  /// The columns that a product may write: those of whole strips.
  var paddedRows: Int { Self.strips(rows) * ProductTile.columns }

  /// [k, 16]
  @inline(__always)
  func panel(_ strip: Int) -> UnsafeMutablePointer<Float> { panels.row(strip &* columns) }

  /// - Shapes: `matrix` [n, k]
  package func fill(from matrix: Matrix) {
    assert(matrix.rows == rows && matrix.columns == columns)
    for strip in 0..<Self.strips(rows) {
      let first = strip * ProductTile.columns
      PackedPanel(
        base: panel(strip), depth: columns, width: min(ProductTile.columns, rows - first)
      ).fill(transposed: matrix.row(first), stride: matrix.stride)
    }
  }

  /// - Shapes: `source` [k]
  @inline(__always)
  func setRow(_ row: Int, from source: UnsafePointer<Float>) {
    let target = panel(row / ProductTile.columns) + row % ProductTile.columns
    for column in 0..<columns { target[column &* ProductTile.columns] = source[column] }
  }

  /// - Shapes: `source` [n]
  @inline(__always)
  func setColumn(_ column: Int, from source: UnsafePointer<Float>) {
    for strip in 0..<Self.strips(rows) {
      let first = strip * ProductTile.columns
      (panel(strip) + column &* ProductTile.columns).update(
        from: source + first, count: min(ProductTile.columns, rows - first))
    }
  }

  /// The first rows of another one of the same columns.
  func copyRows(_ count: Int, of other: PackedMatrix) {
    panels.base.update(
      from: other.panels.base, count: Self.strips(count) * columns * ProductTile.columns)
  }

  /// The first columns of another one of the same rows.
  func copyColumns(_ count: Int, of other: PackedMatrix) {
    for strip in 0..<Self.strips(rows) {
      panel(strip).update(from: other.panel(strip), count: count * ProductTile.columns)
    }
  }
}

/// C = A·Bᵀ, or C += A·Bᵀ, the bits those of the product that packs B itself.
///
/// A depth below B's takes its first columns, fewer columns of C its first rows; C may have the
/// columns that pad the last strip.
/// - Shapes: `a` [m, k], `b` [n, k], `c` [m, n]
/// - Parameters: `strips` of sixteen columns of C; nil for all
/// - Cost: 2·m·n·k operations
package func multiply(
  _ a: Matrix, packed b: PackedMatrix, into c: Matrix, adding: Bool = false,
  strips: Range<Int>? = nil
) {
  assert(a.columns <= b.columns && c.rows == a.rows && c.columns <= b.paddedRows)
  guard a.rows > 0 else { return }
  let all = strips ?? 0..<c.strips
  let edge = ThreadScratch.base()
  for start in stride(from: 0, to: a.columns, by: PackedProduct.depthBlock) {
    let part = PackedPart(
      left: .init(base: a.base + start, rowStride: a.stride, depthStride: 1), rows: a.rows,
      right: b, start: start, depth: min(PackedProduct.depthBlock, a.columns - start), target: c,
      adding: adding || start > 0, edge: edge)
    part.run(all)
  }
}

extension Matrix {
  /// Of sixteen columns, the last one what is left.
  package var strips: Int { (columns + ProductTile.columns - 1) / ProductTile.columns }
}

/// A block of depth of such a product.
///
/// Of one or two rows several strips are taken at once: a tile's chains of additions must be enough
/// to keep the adders busy.
private struct PackedPart {
  let left: ProductTile.Left
  let rows: Int
  let right: PackedMatrix
  let start: Int
  let depth: Int
  let target: Matrix
  let adding: Bool
  let edge: UnsafeMutablePointer<Float>

  func run(_ strips: Range<Int>) {
    var strip = strips.lowerBound
    // The strips that are whole.
    let whole = min(strips.upperBound, target.columns / ProductTile.columns)
    if rows == 1 {
      while strip + 4 <= whole {
        ProductTile.four(left.base, panel(strip), right.stripStride, depth, output(strip), adding)
        strip += 4
      }
    }
    if rows <= 2 {
      while strip + 2 <= whole {
        ProductTile.two(left, rows, panel(strip), right.stripStride, depth, tile(strip))
        strip += 2
      }
    }
    while strip < strips.upperBound {
      let column = strip * ProductTile.columns
      ProductStrip(
        column: column, width: min(ProductTile.columns, target.columns - column),
        stride: target.stride, adding: adding
      ).run(left, rows: rows, panel(strip), depth: depth, target.base, edge: edge)
      strip += 1
    }
  }

  private func panel(_ strip: Int) -> UnsafePointer<Float> {
    UnsafePointer(right.panel(strip) + start * ProductTile.columns)
  }

  private func output(_ strip: Int) -> UnsafeMutablePointer<Float> {
    target.base + strip * ProductTile.columns
  }

  private func tile(_ strip: Int) -> ProductTile.Target {
    ProductTile.Target(base: output(strip), stride: target.stride, adding: adding)
  }
}

extension PackedMatrix {
  /// From one strip's panel to the next one's.
  fileprivate var stripStride: Int { columns * ProductTile.columns }
}

extension ProductTile {
  /// One row of A times four panels.
  @inline(__always)
  fileprivate static func four(
    _ a: UnsafePointer<Float>, _ panel: UnsafePointer<Float>, _ stride: Int, _ depth: Int,
    _ c: UnsafeMutablePointer<Float>, _ adding: Bool
  ) {
    var (c0, c1, c2, c3) = (TileRow.zero, TileRow.zero, TileRow.zero, TileRow.zero)
    var b = panel
    for k in 0..<depth {
      let value = TileRow(repeating: a[k])
      c0.addProduct(value, b.tileRow)
      c1.addProduct(value, (b + stride).tileRow)
      c2.addProduct(value, (b + 2 &* stride).tileRow)
      c3.addProduct(value, (b + 3 &* stride).tileRow)
      b += columns
    }
    let target = { (strip: Int) in
      Target(base: c + strip * columns, stride: 0, adding: adding)
    }
    target(0).store(c0, row: 0, of: 1)
    target(1).store(c1, row: 0, of: 1)
    target(2).store(c2, row: 0, of: 1)
    target(3).store(c3, row: 0, of: 1)
  }

  /// One row of A or two times two panels.
  @inline(__always)
  fileprivate static func two(
    _ a: Left, _ rows: Int, _ panel: UnsafePointer<Float>, _ stride: Int, _ depth: Int, _ c: Target
  ) {
    var (c0, c1, d0, d1) = (TileRow.zero, TileRow.zero, TileRow.zero, TileRow.zero)
    let second = a.offset(1, of: rows)
    var (left, b) = (a.base, panel)
    for _ in 0..<depth {
      let (first, next) = (b.tileRow, (b + stride).tileRow)
      c0.addProduct(TileRow(repeating: left[0]), first)
      c1.addProduct(TileRow(repeating: left[0]), next)
      d0.addProduct(TileRow(repeating: left[second]), first)
      d1.addProduct(TileRow(repeating: left[second]), next)
      left += 1
      b += columns
    }
    var beside = c
    beside.base += columns
    c.store(c0, row: 0, of: rows)
    c.store(d0, row: 1, of: rows)
    beside.store(c1, row: 0, of: rows)
    beside.store(d1, row: 1, of: rows)
  }
}
