extension ExpertRouting {
  /// Copies each assignment's token row: gathered[slot] = x[token].
  ///
  /// - Shapes: `x` [M, D], `gathered` [M·active, D]
  package func gather(_ x: Matrix, into gathered: Matrix) {
    for slot in 0..<x.rows * active {
      gathered.row(slot).update(from: x.row(Int(tokens.base[slot])), count: x.columns)
    }
  }

  /// x[token] += Σ gate·output[slot] over the token's choices, in their order.
  ///
  /// - Shapes: `outputs` [M·active, D], `x` [M, D]
  package func combine(_ outputs: Matrix, addingTo x: Matrix) {
    for row in 0..<x.rows {
      for choice in 0..<active {
        let slot = Int(slots.base[row * active + choice])
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
      target.update(from: dGathered.row(first), count: dx.columns)
      for choice in 1..<max(active, 1) {
        let slot = Int(slots.base[row * active + choice])
        addRow(dGathered.row(slot), times: 1, to: target, dx.columns)
      }
    }
  }

  /// The backward pass of `route`: from the gates' gradients to the router logits'.
  ///
  /// With w = p/s over the chosen: dp = (dw − Σ dw·w)/s there, plus the balance loss's constant
  /// gradient everywhere; then dlogits = p·(dp − Σ p·dp).
  /// - Shapes: `dGates` [M, active], `probabilities`, `dLogits` [M, E]; `balance` [E] is
  ///   c·E·f_e over the batch's tokens
  /// - Source: Fedus et al. 2021 for the balance loss, f held constant
  package func routeBackward(
    _ dGates: Matrix, probabilities: Matrix, balance: UnsafePointer<Float>, dLogits: Matrix
  ) {
    for row in 0..<dGates.rows {
      let p = probabilities.row(row)
      let dp = dLogits.row(row)
      let dw = dGates.row(row)
      let w = gates.row(row)
      let choices = chosen.base + row * active
      var shared: Float = 0
      var chosenSum: Float = 0
      for choice in 0..<active {
        shared += dw[choice] * w[choice]
        chosenSum += p[Int(choices[choice])]
      }
      for expert in 0..<experts { dp[expert] = balance[expert] }
      for choice in 0..<active { dp[Int(choices[choice])] += (dw[choice] - shared) / chosenSum }
      let mean = dot(p, dp, experts)
      for expert in 0..<experts { dp[expert] = p[expert] * (dp[expert] - mean) }
    }
  }
}
