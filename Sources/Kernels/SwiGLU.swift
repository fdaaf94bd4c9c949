/// SwiGLU's gate: y = silu(g)·u, silu(g) = g·σ(g).
///
/// - Shapes: `gate`, `value`, `output` [M, F]
/// - Source: Shazeer 2020 (2002.05202)
package func swiGLU(gate: Matrix, value: Matrix, output: Matrix) {
  assert(gate.columns == value.columns && output.columns == value.columns)
  for row in 0..<gate.rows {
    let (g, u, y) = (gate.row(row), value.row(row), output.row(row))
    forEachLanes(gate.columns) { index, lanes in
      let gate = g.lanes(index, count: lanes).silu.value
      y.store(gate * u.lanes(index, count: lanes), index, count: lanes)
    }
  }
}

/// The backward pass of `swiGLU`: du = dy·silu(g) and dg = dy·u·silu'(g).
///
/// - Shapes: all [M, F]; `dGate` and `dValue` are overwritten; one of them may be `dOutput` itself
package func swiGLUBackward(
  _ dOutput: Matrix, gate: Matrix, value: Matrix, dGate: Matrix, dValue: Matrix
) {
  assert(gate.columns == value.columns && dOutput.columns == value.columns)
  for row in 0..<dOutput.rows {
    let (dy, g, u) = (dOutput.row(row), gate.row(row), value.row(row))
    let (dg, du) = (dGate.row(row), dValue.row(row))
    forEachLanes(gate.columns) { index, lanes in
      let gradient = dy.lanes(index, count: lanes)
      let gate = g.lanes(index, count: lanes).silu
      dg.store(gradient * u.lanes(index, count: lanes) * gate.slope, index, count: lanes)
      du.store(gradient * gate.value, index, count: lanes)
    }
  }
}
