/// A depthwise convolution over a row and the two before it, then SiLU.
///
/// p_t = b + w₀·x_{t−2} + w₁·x_{t−1} + w₂·x_t, y = p·σ(p); rows before the first are zeros, so that
/// no row sees a later one.
/// - Shapes: `weight` [3, c], `bias` [1, c]; x, y [M, c]
package struct CausalConvolution: Sendable {
  package static let width = 3

  package let weight: Matrix
  package let bias: Matrix

  package init(weight: Matrix, bias: Matrix) {
    assert(weight.rows == Self.width && bias.columns == weight.columns)
    self.weight = weight
    self.bias = bias
  }

  private typealias Row = UnsafeMutablePointer<Float>

  /// Over windows of `positions` rows.
  ///
  /// - Shapes: `slope` [M, c], SiLU's, kept for the backward pass
  package func forward(_ x: Matrix, positions: Int, output: Matrix, slope: Matrix) {
    for row in 0..<x.rows {
      let position = row % positions
      convolve(
        x.row(row), position > 0 ? x.row(row - 1) : nil, position > 1 ? x.row(row - 2) : nil,
        into: output.row(row), slope: slope.row(row))
    }
  }

  /// Of rows that each are a position of a text.
  ///
  /// - Shapes: `tails` [2·slots, c]: of each text the rows before, the last one first
  package func forward(_ x: Matrix, texts: TextRows, tails: Matrix, output: Matrix, slope: Matrix) {
    for row in 0..<texts.count {
      let (slot, position) = (Int(texts[row].slot), texts[row].position)
      let (last, before) = (tails.row(2 * slot), tails.row(2 * slot + 1))
      convolve(
        x.row(row), position > 0 ? last : nil, position > 1 ? before : nil,
        into: output.row(row), slope: slope.row(row))
      before.update(from: last, count: x.columns)
      last.update(from: x.row(row), count: x.columns)
    }
  }

  @inline(__always)
  private func convolve(_ x: Row, _ last: Row?, _ before: Row?, into y: Row, slope: Row) {
    let (first, second, third) = (weight.row(0), weight.row(1), weight.row(2))
    forEachLanes(weight.columns) { index, lanes in
      var p = bias.base.lanes(index, count: lanes)
        .addingProduct(third.lanes(index, count: lanes), x.lanes(index, count: lanes))
      if let last {
        p.addProduct(second.lanes(index, count: lanes), last.lanes(index, count: lanes))
      }
      if let before {
        p.addProduct(first.lanes(index, count: lanes), before.lanes(index, count: lanes))
      }
      let silu = p.silu
      y.store(silu.value, index, count: lanes)
      slope.store(silu.slope, index, count: lanes)
    }
  }

  /// The backward pass over windows.
  ///
  /// - Shapes: `dOutput` [M, c] becomes dp; `dx` [M, c], overwritten; `gradients`, those of the
  ///   weights, are added to
  package func backward(
    _ dOutput: Matrix, x: Matrix, positions: Int, slope: Matrix, dx: Matrix,
    gradients: CausalConvolution
  ) {
    geluBackward(dOutput, slope: slope)
    for row in 0..<x.rows {
      let position = row % positions
      let dp = dOutput.row(row)
      addRow(dp, times: 1, to: gradients.bias.base, x.columns)
      for tap in 0..<Self.width {
        let distance = Self.width - 1 - tap
        guard position >= distance else { continue }
        addProduct(dp, x.row(row - distance), to: gradients.weight.row(tap))
      }
      spread(dOutput, row, ahead: positions - 1 - position, into: dx.row(row))
    }
  }

  @inline(__always)
  private func addProduct(_ a: Row, _ b: Row, to sums: Row) {
    forEachLanes(weight.columns) { index, lanes in
      let sum = sums.lanes(index, count: lanes)
        .addingProduct(a.lanes(index, count: lanes), b.lanes(index, count: lanes))
      sums.store(sum, index, count: lanes)
    }
  }

  /// dx of a row that has so many after it.
  @inline(__always)
  private func spread(_ dp: Matrix, _ row: Int, ahead: Int, into dx: Row) {
    forEachLanes(weight.columns) { index, lanes in
      var sum = Lanes.zero
      for distance in 0...min(ahead, Self.width - 1) {
        sum.addProduct(
          weight.row(Self.width - 1 - distance).lanes(index, count: lanes),
          dp.row(row + distance).lanes(index, count: lanes))
      }
      dx.store(sum, index, count: lanes)
    }
  }
}

extension SIMD8<Float> {
  /// x·σ(x) and its slope, σ(x)·(1 + x·(1 − σ(x))), of each lane.
  @inline(__always)
  var silu: (value: Lanes, slope: Lanes) {
    let sigmoid = self.sigmoid
    let value = self * sigmoid
    return (value, sigmoid.addingProduct(value, 1 - sigmoid))
  }
}
