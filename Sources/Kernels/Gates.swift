/// y = x·silu(z).
///
/// - Shapes: `x`, `gate` z, `output` [M, c]
package func gate(_ x: Matrix, by gate: Matrix, output: Matrix) {
  for row in 0..<x.rows {
    let (x, z, y) = (x.row(row), gate.row(row), output.row(row))
    forEachLanes(output.columns) { index, lanes in
      y.store(
        x.lanes(index, count: lanes) * z.lanes(index, count: lanes).silu.value, index,
        count: lanes)
    }
  }
}

/// The backward pass of `gate`.
///
/// - Shapes: `dOutput` [M, c] becomes dx; `dGate` [M, c], overwritten
package func gateBackward(_ dOutput: Matrix, _ x: Matrix, by gate: Matrix, dGate: Matrix) {
  for row in 0..<x.rows {
    let (dy, x, z, dz) = (dOutput.row(row), x.row(row), gate.row(row), dGate.row(row))
    forEachLanes(dOutput.columns) { index, lanes in
      let (gradient, silu) = (dy.lanes(index, count: lanes), z.lanes(index, count: lanes).silu)
      dz.store(gradient * x.lanes(index, count: lanes) * silu.slope, index, count: lanes)
      dy.store(gradient * silu.value, index, count: lanes)
    }
  }
}

/// max(x, 0), in place.
package func rectify(_ x: Matrix) {
  for row in 0..<x.rows {
    let values = x.row(row)
    forEachLanes(x.columns) { index, lanes in
      values.store(values.lanes(index, count: lanes).largest(.zero), index, count: lanes)
    }
  }
}

/// Clears the gradients of what was below 0, in place.
///
/// - Shapes: `dOutput`, `output`, as `rectify` left it, [M, c]
package func rectifyBackward(_ dOutput: Matrix, output: Matrix) {
  for row in 0..<dOutput.rows {
    let (dy, y) = (dOutput.row(row), output.row(row))
    forEachLanes(dOutput.columns) { index, lanes in
      let gradient = dy.lanes(index, count: lanes)
      dy.store(
        gradient.replacing(with: Lanes.zero, where: y.lanes(index, count: lanes) .<= 0), index,
        count: lanes)
    }
  }
}

/// y = k·v·x·σ(l): what the mixed channels make of their input, each channel weighed by a gate.
///
/// - Shapes: `mixed` v, `x`, `output` [M, D]; `gates` [M, D] are the logits l and become σ(l);
///   `scale` k [1, 1]
package func modulate(_ mixed: Matrix, _ x: Matrix, gates: Matrix, scale: Matrix, output: Matrix) {
  let k = Lanes(repeating: scale.base[0])
  for row in 0..<mixed.rows {
    let (v, x, s, y) = (mixed.row(row), x.row(row), gates.row(row), output.row(row))
    forEachLanes(output.columns) { index, lanes in
      let gate = s.lanes(index, count: lanes).sigmoid
      s.store(gate, index, count: lanes)
      let product = v.lanes(index, count: lanes) * x.lanes(index, count: lanes)
      y.store(product * gate * k, index, count: lanes)
    }
  }
}

/// The backward pass of `modulate`.
///
/// - Shapes: `gates` as the forward pass left them; `dOutput` [M, D] becomes the gradient of l;
///   `dMixed`, `dx` [M, D], overwritten; `dScale` [1, 1], added to
package func modulateBackward(
  _ dOutput: Matrix, _ mixed: Matrix, _ x: Matrix, gates: Matrix, scale: Matrix, dMixed: Matrix,
  dx: Matrix, dScale: Matrix
) {
  let k = Lanes(repeating: scale.base[0])
  for row in 0..<mixed.rows {
    let (v, x, s) = (mixed.row(row), x.row(row), gates.row(row))
    let (dy, dv, dx) = (dOutput.row(row), dMixed.row(row), dx.row(row))
    var sum = Lanes.zero
    forEachLanes(dOutput.columns) { index, lanes in
      let gradient = dy.lanes(index, count: lanes)
      let (value, input) = (v.lanes(index, count: lanes), x.lanes(index, count: lanes))
      let gate = s.lanes(index, count: lanes)
      let weighed = gradient * gate
      sum.addProduct(weighed, value * input)
      dv.store(weighed * k * input, index, count: lanes)
      dx.store(weighed * k * value, index, count: lanes)
      dy.store(weighed * k * value * input * (1 - gate), index, count: lanes)
    }
    dScale.base[0] += sum.sum()
  }
}

/// Σ x over all rows and columns.
package func sum(of x: Matrix) -> Double {
  var total = 0.0
  for row in 0..<x.rows {
    let values = x.row(row)
    var sum = Lanes.zero
    forEachLanes(x.columns) { index, lanes in sum += values.lanes(index, count: lanes) }
    total += Double(sum.sum())
  }
  return total
}
