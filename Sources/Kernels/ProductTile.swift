/// The inside of a matrix product: a tile of C, up to 6 by 16, kept in registers over the depth.
///
/// With eight lanes a register, twelve accumulators, two of B and one of A fill the sixteen there
/// are; with sixteen lanes it is half of that, and half the instructions. Every element is one
/// chain of fused multiply-adds in ascending k, so that its bits depend neither on the number of
/// rows nor on the machine.
///
/// The loops of six and four rows are functions of their own, never inlined: among the values of a
/// caller the twelve accumulators do not always find their registers, and a loop that spills one
/// takes half as long again.
enum ProductTile {
  static let rows = 6
  static let columns = 16

  /// Where a tile of A is read: element (row, k) at row·rowStride + k·depthStride.
  struct Left {
    var base: UnsafePointer<Float>
    var rowStride: Int
    var depthStride: Int

    @inline(__always)
    func row(_ row: Int) -> Left {
      Left(base: base + row &* rowStride, rowStride: rowStride, depthStride: depthStride)
    }

    /// The offset of a row; past the last one that row again, whose result nobody stores.
    @inline(__always)
    func offset(_ row: Int, of rows: Int) -> Int { min(row, rows &- 1) &* rowStride }
  }

  /// Where the tile goes.
  struct Target {
    var base: UnsafeMutablePointer<Float>
    var stride: Int
    var adding: Bool

    @inline(__always)
    func store(_ result: TileRow, row: Int, of rows: Int) {
      guard row < rows else { return }
      let c = base + row &* stride
      let sum = adding ? UnsafePointer(c).tileRow + result : result
      UnsafeMutableRawPointer(c).storeBytes(of: sum, as: TileRow.self)
    }
  }

  /// `rows` of up to six rows of A times a packed panel of B, [depth, 16].
  @inline(never)
  static func six(
    _ a: Left, rows: Int, _ panel: UnsafePointer<Float>, depth: Int, into c: Target
  ) {
    var (c0, c1, c2) = (TileRow.zero, TileRow.zero, TileRow.zero)
    var (c3, c4, c5) = (TileRow.zero, TileRow.zero, TileRow.zero)
    let (o1, o2, o3) = (a.offset(1, of: rows), a.offset(2, of: rows), a.offset(3, of: rows))
    let (o4, o5) = (a.offset(4, of: rows), a.offset(5, of: rows))
    var left = a.base
    var b = panel
    for _ in 0..<depth {
      let row = b.tileRow
      c0.addProduct(TileRow(repeating: left[0]), row)
      c1.addProduct(TileRow(repeating: left[o1]), row)
      c2.addProduct(TileRow(repeating: left[o2]), row)
      c3.addProduct(TileRow(repeating: left[o3]), row)
      c4.addProduct(TileRow(repeating: left[o4]), row)
      c5.addProduct(TileRow(repeating: left[o5]), row)
      left += a.depthStride
      b += columns
    }
    c.store(c0, row: 0, of: rows)
    c.store(c1, row: 1, of: rows)
    c.store(c2, row: 2, of: rows)
    c.store(c3, row: 3, of: rows)
    c.store(c4, row: 4, of: rows)
    c.store(c5, row: 5, of: rows)
  }

  /// `rows` of up to four rows of A times a packed panel of B: what sixes leave over.
  @inline(never)
  static func four(
    _ a: Left, rows: Int, _ panel: UnsafePointer<Float>, depth: Int, into c: Target
  ) {
    var (c0, c1, c2, c3) = (TileRow.zero, TileRow.zero, TileRow.zero, TileRow.zero)
    let (o1, o2, o3) = (a.offset(1, of: rows), a.offset(2, of: rows), a.offset(3, of: rows))
    var left = a.base
    var b = panel
    for _ in 0..<depth {
      let row = b.tileRow
      c0.addProduct(TileRow(repeating: left[0]), row)
      c1.addProduct(TileRow(repeating: left[o1]), row)
      c2.addProduct(TileRow(repeating: left[o2]), row)
      c3.addProduct(TileRow(repeating: left[o3]), row)
      left += a.depthStride
      b += columns
    }
    c.store(c0, row: 0, of: rows)
    c.store(c1, row: 1, of: rows)
    c.store(c2, row: 2, of: rows)
    c.store(c3, row: 3, of: rows)
  }
}

/// Sixteen numbers: two AVX registers, one of AVX-512.
typealias TileRow = SIMD16<Float>

extension UnsafePointer<Float> {
  @inline(__always)
  var tileRow: TileRow { UnsafeRawPointer(self).loadUnaligned(as: TileRow.self) }

  @inline(__always)
  func lanes(_ index: Int) -> Lanes {
    UnsafeRawPointer(self + index).loadUnaligned(as: Lanes.self)
  }
}
