/// The inside of a matrix product: a tile of C, up to 6 by 16, kept in registers over the depth.
///
/// Twelve accumulators of eight lanes, two of B and one of A fill the sixteen AVX registers. Every
/// element is one chain of fused multiply-adds in ascending k, so that its bits depend neither on
/// the number of rows nor on the machine.
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
    func store(_ first: Lanes, _ second: Lanes, row: Int, of rows: Int) {
      guard row < rows else { return }
      let c = base + row &* stride
      c.store(adding ? c.lanes(0) + first : first, 0)
      c.store(adding ? c.lanes(8) + second : second, 8)
    }
  }

  /// `rows` of up to six rows of A times a packed panel of B, [depth, 16].
  @inline(__always)
  static func six(
    _ a: Left, rows: Int, _ panel: UnsafePointer<Float>, depth: Int, into c: Target
  ) {
    var (c00, c01, c10, c11) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
    var (c20, c21, c30, c31) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
    var (c40, c41, c50, c51) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
    let (o1, o2, o3) = (a.offset(1, of: rows), a.offset(2, of: rows), a.offset(3, of: rows))
    let (o4, o5) = (a.offset(4, of: rows), a.offset(5, of: rows))
    var left = a.base
    var b = panel
    for _ in 0..<depth {
      let b0 = b.lanes(0)
      let b1 = b.lanes(8)
      let a0 = Lanes(repeating: left[0])
      c00.addProduct(a0, b0)
      c01.addProduct(a0, b1)
      let a1 = Lanes(repeating: left[o1])
      c10.addProduct(a1, b0)
      c11.addProduct(a1, b1)
      let a2 = Lanes(repeating: left[o2])
      c20.addProduct(a2, b0)
      c21.addProduct(a2, b1)
      let a3 = Lanes(repeating: left[o3])
      c30.addProduct(a3, b0)
      c31.addProduct(a3, b1)
      let a4 = Lanes(repeating: left[o4])
      c40.addProduct(a4, b0)
      c41.addProduct(a4, b1)
      let a5 = Lanes(repeating: left[o5])
      c50.addProduct(a5, b0)
      c51.addProduct(a5, b1)
      left += a.depthStride
      b += columns
    }
    c.store(c00, c01, row: 0, of: rows)
    c.store(c10, c11, row: 1, of: rows)
    c.store(c20, c21, row: 2, of: rows)
    c.store(c30, c31, row: 3, of: rows)
    c.store(c40, c41, row: 4, of: rows)
    c.store(c50, c51, row: 5, of: rows)
  }

  /// `rows` of up to four rows of A times a packed panel of B: what sixes leave over.
  @inline(__always)
  static func four(
    _ a: Left, rows: Int, _ panel: UnsafePointer<Float>, depth: Int, into c: Target
  ) {
    var (c00, c01, c10, c11) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
    var (c20, c21, c30, c31) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
    let (o1, o2, o3) = (a.offset(1, of: rows), a.offset(2, of: rows), a.offset(3, of: rows))
    var left = a.base
    var b = panel
    for _ in 0..<depth {
      let b0 = b.lanes(0)
      let b1 = b.lanes(8)
      let a0 = Lanes(repeating: left[0])
      c00.addProduct(a0, b0)
      c01.addProduct(a0, b1)
      let a1 = Lanes(repeating: left[o1])
      c10.addProduct(a1, b0)
      c11.addProduct(a1, b1)
      let a2 = Lanes(repeating: left[o2])
      c20.addProduct(a2, b0)
      c21.addProduct(a2, b1)
      let a3 = Lanes(repeating: left[o3])
      c30.addProduct(a3, b0)
      c31.addProduct(a3, b1)
      left += a.depthStride
      b += columns
    }
    c.store(c00, c01, row: 0, of: rows)
    c.store(c10, c11, row: 1, of: rows)
    c.store(c20, c21, row: 2, of: rows)
    c.store(c30, c31, row: 3, of: rows)
  }
}

extension UnsafePointer<Float> {
  @inline(__always)
  func lanes(_ index: Int) -> Lanes {
    UnsafeRawPointer(self + index).loadUnaligned(as: Lanes.self)
  }
}
