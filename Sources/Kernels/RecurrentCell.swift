/// A GRU's step for many rows at once, after the products with its weights.
///
/// r = σ(W_r·x + U_r·h + b_r + c_r), z = σ(W_z·x + U_z·h + b_z + c_z), m = U_n·h + c_n,
/// n = tanh(W_n·x + b_n + r·m), next = (1 − z)·n + z·h. All rows share the weights and no row sees
/// another.
/// - Shapes: `gates` [M, 4p] holds the products of r and z, summed over x and h, then W_n·x, then
///   U_n·h; it is overwritten by r, z, n and m, kept for the backward pass. `inputBias` b and
///   `stateBias` c [1, 3p] in the order r, z, n; `state` h [M, p], nil for zeros; `next` [M, p].
/// - Source: Cho et al. 2014, in the form of PyTorch's `GRUCell`
package func recurrentCell(
  _ gates: Matrix, inputBias: Matrix, stateBias: Matrix, state: Matrix?, next: Matrix
) {
  let width = next.columns
  assert(gates.columns == 4 * width && inputBias.columns == 3 * width && gates.rows == next.rows)
  let (b, c) = (inputBias.base, stateBias.base)
  for row in 0..<next.rows {
    let gate = gates.row(row)
    let target = next.row(row)
    let previous = state?.row(row)
    forEachLanes(width) { index, lanes in
      let r = sigmoid(gate, index, lanes, b, c)
      let z = sigmoid(gate, width + index, lanes, b, c)
      let m =
        gate.lanes(3 * width + index, count: lanes)
        + c.lanes(2 * width + index, count: lanes)
      let x =
        gate.lanes(2 * width + index, count: lanes)
        + b.lanes(2 * width + index, count: lanes)
      let n = x.addingProduct(r, m).tanh
      let h = previous?.lanes(index, count: lanes) ?? .zero
      gate.store(r, index, count: lanes)
      gate.store(z, width + index, count: lanes)
      gate.store(n, 2 * width + index, count: lanes)
      gate.store(m, 3 * width + index, count: lanes)
      target.store(n.addingProduct(z, h - n), index, count: lanes)
    }
  }
}

/// The backward pass of `recurrentCell`, but for the products with its weights.
///
/// - Shapes: `dNext` [M, p] becomes the part of the state's gradient that comes straight through z;
///   `gates` [M, 4p] as the forward pass left them; `dGates` [M, 4p], overwritten, are the
///   gradients of the products: of r, z, W_n·x and U_n·h; the biases' gradients are added to
package func recurrentCellBackward(
  _ dNext: Matrix, gates: Matrix, state: Matrix?, dGates: Matrix, dInputBias: Matrix,
  dStateBias: Matrix
) {
  let width = dNext.columns
  assert(gates.columns == 4 * width && dGates.columns == 4 * width && dNext.rows == gates.rows)
  for row in 0..<dNext.rows {
    let gate = gates.row(row)
    let target = dGates.row(row)
    let gradient = dNext.row(row)
    let previous = state?.row(row)
    forEachLanes(width) { index, lanes in
      let dh = gradient.lanes(index, count: lanes)
      let r = gate.lanes(index, count: lanes)
      let z = gate.lanes(width + index, count: lanes)
      let n = gate.lanes(2 * width + index, count: lanes)
      let m = gate.lanes(3 * width + index, count: lanes)
      let h = previous?.lanes(index, count: lanes) ?? .zero
      let dn = dh * (1 - z) * (1 - n * n)
      target.store(dn * m * r * (1 - r), index, count: lanes)
      target.store(dh * (h - n) * z * (1 - z), width + index, count: lanes)
      target.store(dn, 2 * width + index, count: lanes)
      target.store(dn * r, 3 * width + index, count: lanes)
      gradient.store(dh * z, index, count: lanes)
    }
    addRow(target, times: 1, to: dInputBias.base, 3 * width)
    addRow(target, times: 1, to: dStateBias.base, 2 * width)
    addRow(target + 3 * width, times: 1, to: dStateBias.base + 2 * width, width)
  }
}

@inline(__always)
private func sigmoid(
  _ gate: UnsafeMutablePointer<Float>, _ index: Int, _ lanes: Int,
  _ b: UnsafeMutablePointer<Float>, _ c: UnsafeMutablePointer<Float>
) -> Lanes {
  let sum =
    gate.lanes(index, count: lanes)
    + (b.lanes(index, count: lanes) + c.lanes(index, count: lanes))
  return sum.sigmoid
}
