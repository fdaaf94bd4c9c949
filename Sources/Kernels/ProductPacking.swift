/// Sixteen columns of B, [depth, 16] contiguous; columns that do not exist are zero.
struct PackedPanel {
  let base: UnsafeMutablePointer<Float>
  let depth: Int
  let width: Int

  /// From B[k, n] at k·stride + n.
  @inline(__always)
  func fill(plain source: UnsafePointer<Float>, stride: Int) {
    var from = source
    var to = base
    guard width == ProductTile.columns else {
      for _ in 0..<depth {
        for column in 0..<ProductTile.columns { to[column] = column < width ? from[column] : 0 }
        from += stride
        to += ProductTile.columns
      }
      return
    }
    for _ in 0..<depth {
      to.store(from.lanes(0), 0)
      to.store(from.lanes(8), 8)
      from += stride
      to += ProductTile.columns
    }
  }

  /// From B[k, n] at n·stride + k.
  @inline(__always)
  func fill(transposed source: UnsafePointer<Float>, stride: Int) {
    var column = 0
    while column &+ 8 <= width {
      var k = 0
      while k &+ 8 <= depth {
        transposeBlock(
          source + (column &* stride &+ k), stride, base + (k &* ProductTile.columns &+ column))
        k &+= 8
      }
      while k < depth {
        for lane in 0..<8 {
          base[k &* ProductTile.columns &+ column &+ lane] = source[(column &+ lane) &* stride &+ k]
        }
        k &+= 1
      }
      column &+= 8
    }
    while column < ProductTile.columns {
      for k in 0..<depth {
        base[k &* ProductTile.columns &+ column] =
          column < width ? source[column &* stride &+ k] : 0
      }
      column &+= 1
    }
  }

  /// Eight by eight numbers: three rounds of interleaving row i with row i + 4.
  @inline(__always)
  private func transposeBlock(
    _ source: UnsafePointer<Float>, _ stride: Int, _ target: UnsafeMutablePointer<Float>
  ) {
    let far = source + 4 &* stride
    let first = interleave(
      (source.lanes(0), source.lanes(stride), source.lanes(2 &* stride), source.lanes(3 &* stride)),
      (far.lanes(0), far.lanes(stride), far.lanes(2 &* stride), far.lanes(3 &* stride)))
    let second = interleave(first.0, first.1)
    let third = interleave(second.0, second.1)
    target.store(third.0.0, 0)
    target.store(third.0.1, 16)
    target.store(third.0.2, 32)
    target.store(third.0.3, 48)
    target.store(third.1.0, 64)
    target.store(third.1.1, 80)
    target.store(third.1.2, 96)
    target.store(third.1.3, 112)
  }
}

private typealias FourLanes = (Lanes, Lanes, Lanes, Lanes)

@inline(__always)
private func interleave(_ a: FourLanes, _ b: FourLanes) -> (FourLanes, FourLanes) {
  (
    (low(a.0, b.0), high(a.0, b.0), low(a.1, b.1), high(a.1, b.1)),
    (low(a.2, b.2), high(a.2, b.2), low(a.3, b.3), high(a.3, b.3))
  )
}

/// a0 b0 a1 b1 a2 b2 a3 b3
@inline(__always)
private func low(_ a: Lanes, _ b: Lanes) -> Lanes {
  Lanes(a[0], b[0], a[1], b[1], a[2], b[2], a[3], b[3])
}

/// a4 b4 a5 b5 a6 b6 a7 b7
@inline(__always)
private func high(_ a: Lanes, _ b: Lanes) -> Lanes {
  Lanes(a[4], b[4], a[5], b[5], a[6], b[6], a[7], b[7])
}

/// Rows of A in tiles of six, [depth, 6] each: for a factor whose rows are columns in memory.
struct PackedLeft {
  private let base: UnsafeMutablePointer<Float>
  private let depth: Int

  init(_ base: UnsafeMutablePointer<Float>, depth: Int) {
    self.base = base
    self.depth = depth
  }

  /// An odd number of cache lines a tile keeps tiles off each other's cache sets.
  private static func tileStride(_ depth: Int) -> Int {
    ((depth * ProductTile.rows + 2 + 15) / 16 | 1) * 16
  }

  static func count(rows: Int, depth: Int) -> Int {
    (rows + ProductTile.rows - 1) / ProductTile.rows * tileStride(depth)
  }

  /// From A[row, k] at k·stride + row: whole vectors, of which the next one overwrites two lanes.
  @inline(__always)
  func fill(from source: UnsafePointer<Float>, stride: Int, rows: Int) {
    let step = Self.tileStride(depth)
    for k in 0..<depth {
      let from = source + k &* stride
      var to = base + k &* ProductTile.rows
      var row = 0
      while row &+ 8 <= rows {
        to.store(from.lanes(row), 0)
        to += step
        row &+= ProductTile.rows
      }
      while row < rows {
        for lane in 0..<min(ProductTile.rows, rows &- row) { to[lane] = from[row &+ lane] }
        to += step
        row &+= ProductTile.rows
      }
    }
  }

  @inline(__always)
  func tile(_ row: Int) -> ProductTile.Left {
    ProductTile.Left(
      base: base + row / ProductTile.rows &* Self.tileStride(depth), rowStride: 1,
      depthStride: ProductTile.rows)
  }
}
