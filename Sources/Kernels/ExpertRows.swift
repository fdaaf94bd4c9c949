extension ExpertRouting {
  /// Copies each assignment's token row: gathered[slot] = x[token].
  ///
  /// - Shapes: `x` [M, D], `gathered` [M·active, D]
  package func gather(_ x: Matrix, into gathered: Matrix) {
    for slot in 0..<kept {
      gathered.row(slot).update(from: x.row(Int(tokens.base[slot])), count: x.columns)
    }
  }

  /// x[token] += Σ gate·output[slot] over the token's choices that were kept, in their order.
  ///
  /// - Shapes: `outputs` [M·active, D], `x` [M, D]
  package func combine(_ outputs: Matrix, addingTo x: Matrix) {
    for row in 0..<x.rows {
      for choice in 0..<active {
        let slot = Int(slots.base[row * active + choice])
        guard slot >= 0 else { continue }
        addRow(outputs.row(slot), times: gates.row(row)[choice], to: x.row(row), x.columns)
      }
    }
  }

  /// The backward pass of `combine`: dOutputs[slot] = gate·dx[token], and each gate's gradient.
  ///
  /// - Shapes: `dx` [M, D], `outputs`, `dOutputs` [M·active, D], `dGates` [M, active]
  package func combineBackward(_ dx: Matrix, outputs: Matrix, dOutputs: Matrix, dGates: Matrix) {
    for row in 0..<dx.rows {
      let gradient = dx.row(row)
      for choice in 0..<active {
        let slot = Int(slots.base[row * active + choice])
        guard slot >= 0 else {
          dGates.row(row)[choice] = 0
          continue
        }
        dGates.row(row)[choice] = dot(gradient, outputs.row(slot), dx.columns)
        let gate = Lanes(repeating: gates.row(row)[choice])
        let target = dOutputs.row(slot)
        forEachLanes(dx.columns) { index, lanes in
          target.store(gradient.lanes(index, count: lanes) * gate, index, count: lanes)
        }
      }
    }
  }

  /// The backward pass of `gather`: dx[token] = Σ dGathered[slot] over the token's choices.
  ///
  /// - Shapes: `dGathered` [M·active, D], `dx` [M, D], overwritten
  package func gatherBackward(_ dGathered: Matrix, into dx: Matrix) {
    for row in 0..<dx.rows {
      let target = dx.row(row)
      let first = Int(slots.base[row * active])
      if first >= 0 {
        target.update(from: dGathered.row(first), count: dx.columns)
      } else {
        target.update(repeating: 0, count: dx.columns)
      }
      for choice in 1..<max(active, 1) {
        let slot = Int(slots.base[row * active + choice])
        guard slot >= 0 else { continue }
        addRow(dGathered.row(slot), times: 1, to: target, dx.columns)
      }
    }
  }
}
