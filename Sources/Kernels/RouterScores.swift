internal import Foundation

/// How a router's logits become scores, and scores become gates.
package struct RouterForm: Sendable, Hashable {
  package enum Scores: Sendable, Hashable {
    /// Over all experts.
    case softmax
    /// Of each expert by itself.
    case sigmoid
  }

  package let scores: Scores
  /// Whether a token's gates sum to 1.
  package let normalisesGates: Bool

  package init(scores: Scores, normalisesGates: Bool) {
    self.scores = scores
    self.normalisesGates = normalisesGates
  }
}

/// Sums over the rows a router has seen.
package struct RouterSums: Sendable, BitwiseCopyable {
  /// The rows' entropies over all experts, nats.
  package var entropy = 0.0
  /// ln Σ exp of the rows' logits, and its squares.
  package var logSumExp = 0.0
  package var squaredLogSumExp = 0.0
  /// Assignments beyond the experts' capacity.
  package var dropped = 0

  package init() {}
}

extension ExpertRouting {
  /// Scores of all experts, the top few, their gates, and the order of the assignments.
  ///
  /// - Shapes: `logits` [M, E], overwritten by the scores, kept for the backward pass; `bias` [E];
  ///   `probabilitySums` [E] gets Σ over the rows of the scores, which sum to 1 in a row;
  ///   `histogram` is overwritten
  package func route(
    _ logits: Matrix, bias: UnsafePointer<Float>, capacity: ExpertCapacity,
    probabilitySums: UnsafeMutablePointer<Double>, histogram: GateHistogram
  ) -> RouterSums {
    histogram.clear()
    var sums = RouterSums()
    for expert in 0..<experts { probabilitySums[expert] = 0 }
    for row in 0..<logits.rows {
      let p = logits.row(row)
      let measured: (entropy: Float, logSumExp: Float, total: Float)
      switch form.scores {
      case .softmax: measured = softmax(p)
      case .sigmoid: measured = sigmoid(p)
      }
      logSumExp.base[row] = measured.logSumExp
      sums.entropy += Double(measured.entropy)
      sums.logSumExp += Double(measured.logSumExp)
      sums.squaredLogSumExp += Double(measured.logSumExp) * Double(measured.logSumExp)
      for expert in 0..<experts {
        probabilitySums[expert] += Double(p[expert] / measured.total)
      }
      choose(p, bias: bias, row: row)
      count(p, total: measured.total, row: row, in: histogram)
    }
    order(rows: logits.rows, capacity: capacity)
    sums.dropped = logits.rows * active - kept
    return sums
  }

  @inline(__always)
  private func count(
    _ p: UnsafePointer<Float>, total: Float, row: Int, in histogram: GateHistogram
  ) {
    let choices = chosen.base + row * active
    var sum: Float = 0
    for choice in 0..<active { sum += p[Int(choices[choice])] }
    histogram.add(
      first: p[Int(choices[0])], second: active > 1 ? p[Int(choices[1])] : nil, sum: sum / total)
  }

  /// The scores' sum is 1.
  @inline(__always)
  private func softmax(
    _ p: UnsafeMutablePointer<Float>
  ) -> (entropy: Float, logSumExp: Float, total: Float) {
    let peak = peak(p)
    var sum: Float = 0
    var weighted: Float = 0
    forEachLanes(experts) { index, lanes in
      let t = p.lanes(index, count: lanes) - Lanes(repeating: peak)
      let e = t.exponential
      p.store(e, index, count: lanes)
      for lane in 0..<lanes {
        sum += e[lane]
        weighted += e[lane] * t[lane]
      }
    }
    scaleRow(p, experts, 1 / sum)
    let logSum = log(sum)
    return (logSum - weighted / sum, peak + logSum, 1)
  }

  /// 1/(1 + e⁻ˣ) of each logit; the entropy is that of the scores divided by their sum.
  private func sigmoid(
    _ p: UnsafeMutablePointer<Float>
  ) -> (entropy: Float, logSumExp: Float, total: Float) {
    let peak = peak(p)
    var sum: Float = 0
    var total: Float = 0
    forEachLanes(experts) { index, lanes in
      let x = p.lanes(index, count: lanes)
      let e = (x - Lanes(repeating: peak)).exponential
      let s = 1 / ((-x).exponential + 1)
      p.store(s, index, count: lanes)
      for lane in 0..<lanes {
        sum += e[lane]
        total += s[lane]
      }
    }
    var entropy: Float = 0
    for expert in 0..<experts where p[expert] > 0 {
      entropy -= p[expert] / total * log(p[expert] / total)
    }
    return (entropy, peak + log(sum), total)
  }

  @inline(__always)
  private func peak(_ p: UnsafeMutablePointer<Float>) -> Float {
    var peak = p[0]
    for expert in 1..<max(experts, 2) where expert < experts && p[expert] > peak {
      peak = p[expert]
    }
    return peak
  }
}

extension ExpertRouting {
  /// The backward pass of `route`: from the gates' gradients to the router logits'.
  ///
  /// With w = p/s over the chosen: dp = (dw − Σ dw·w)/s there, or dw with w = p. Softmax: the
  /// balance loss's constant gradient is added everywhere, and dlogits = p·(dp − Σ p·dp) +
  /// z·logSumExp·p. Sigmoid: the balance loss sees p/Σp, and dlogits = p·(1 − p)·dp.
  /// - Shapes: `dGates` [M, active], `scores`, `dLogits` [M, E]; `balance` [E] is
  ///   c·E·f_e over the batch's tokens, `zLoss` 2c over them
  /// - Source: Fedus et al. 2021 for the balance loss, f held constant; Zoph et al. 2022 for the
  ///   z-loss, which belongs to a softmax
  package func routeBackward(
    _ dGates: Matrix, scores: Matrix, balance: UnsafePointer<Float>, zLoss: Float,
    dLogits: Matrix
  ) {
    for row in 0..<dGates.rows {
      let p = scores.row(row)
      let dp = dLogits.row(row)
      switch form.scores {
      case .softmax:
        for expert in 0..<experts { dp[expert] = balance[expert] }
        addGates(dGates.row(row), p, row: row, to: dp)
        let mean = dot(p, dp, experts)
        for expert in 0..<experts { dp[expert] = p[expert] * (dp[expert] - mean) }
        guard zLoss != 0 else { continue }
        addRow(p, times: zLoss * logSumExp.base[row], to: dp, experts)
      case .sigmoid:
        balanceShares(p, balance, into: dp)
        addGates(dGates.row(row), p, row: row, to: dp)
        for expert in 0..<experts { dp[expert] *= p[expert] * (1 - p[expert]) }
      }
    }
  }

  @inline(__always)
  private func addGates(
    _ dw: UnsafePointer<Float>, _ p: UnsafePointer<Float>, row: Int,
    to dp: UnsafeMutablePointer<Float>
  ) {
    let choices = chosen.base + row * active
    guard form.normalisesGates else {
      for choice in 0..<active { dp[Int(choices[choice])] += dw[choice] }
      return
    }
    let w = gates.row(row)
    var shared: Float = 0
    var chosenSum: Float = 0
    for choice in 0..<active {
      shared += dw[choice] * w[choice]
      chosenSum += p[Int(choices[choice])]
    }
    for choice in 0..<active { dp[Int(choices[choice])] += (dw[choice] - shared) / chosenSum }
  }

  /// The balance loss's gradient for scores that it sees divided by their sum.
  private func balanceShares(
    _ p: UnsafePointer<Float>, _ balance: UnsafePointer<Float>,
    into dp: UnsafeMutablePointer<Float>
  ) {
    var total: Float = 0
    var weighted: Float = 0
    for expert in 0..<experts {
      total += p[expert]
      weighted += p[expert] * balance[expert]
    }
    for expert in 0..<experts { dp[expert] = (balance[expert] - weighted / total) / total }
  }
}
