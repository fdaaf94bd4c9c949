internal import Foundation

/// Which tokens of a slice go to which expert, and with what weight.
///
/// Assignments are ordered by expert, then by token: an expert's rows are contiguous, and every sum
/// has one order. A token's choices are ordered by falling probability, ties by the lower expert.
package struct ExpertRouting: Sendable {
  package let experts: Int
  package let active: Int
  /// Assignment → token.
  let tokens: Buffer<Int32>
  /// Token and choice → expert, then assignment.
  let chosen: Buffer<Int32>
  let slots: Buffer<Int32>
  /// Expert → its first assignment; one more entry for the end.
  let starts: Buffer<Int32>
  /// Token and choice → weight.
  let gates: Matrix

  package init(arena: Arena, rows: Int, experts: Int, active: Int) {
    precondition(active > 0 && active <= experts, "\(active) of \(experts) experts")
    self.experts = experts
    self.active = active
    tokens = arena.indices(count: rows * active)
    chosen = arena.indices(count: rows * active)
    slots = arena.indices(count: rows * active)
    starts = arena.indices(count: experts + 1)
    gates = arena.matrix(rows: rows, columns: active)
  }

  package func count(of expert: Int) -> Int { Int(starts[expert + 1] - starts[expert]) }
  package func start(of expert: Int) -> Int { Int(starts[expert]) }
}

/// Sums over the rows a router has seen.
package struct RouterSums: Sendable, BitwiseCopyable {
  /// The sum of the rows' entropies over all experts, nats.
  package var entropy = 0.0

  package init() {}
}

extension ExpertRouting {
  /// Softmax over all experts, the top few, their weights p/Σp, and the order of the assignments.
  ///
  /// - Shapes: `logits` [M, E], overwritten by the probabilities, kept for the backward pass;
  ///   `probabilitySums` [E] gets Σ p over the rows
  package func route(_ logits: Matrix, probabilitySums: UnsafeMutablePointer<Double>) -> RouterSums
  {
    var sums = RouterSums()
    for expert in 0..<experts { probabilitySums[expert] = 0 }
    for row in 0..<logits.rows {
      let p = logits.row(row)
      sums.entropy += Double(softmax(p))
      for expert in 0..<experts { probabilitySums[expert] += Double(p[expert]) }
      choose(p, row: row)
    }
    order(rows: logits.rows)
    return sums
  }

  /// Returns the entropy.
  @inline(__always)
  private func softmax(_ p: UnsafeMutablePointer<Float>) -> Float {
    var peak = p[0]
    for expert in 1..<max(experts, 2) where expert < experts && p[expert] > peak {
      peak = p[expert]
    }
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
    return log(sum) - weighted / sum
  }

  @inline(__always)
  private func choose(_ p: UnsafeMutablePointer<Float>, row: Int) {
    let choices = chosen.base + row * active
    let weights = gates.row(row)
    var total: Float = 0
    for choice in 0..<active {
      var best = -1
      for expert in 0..<experts
      where (best < 0 || p[expert] > p[best]) && !taken(expert, choices, choice) {
        best = expert
      }
      choices[choice] = Int32(best)
      weights[choice] = p[best]
      total += p[best]
    }
    for choice in 0..<active { weights[choice] /= total }
  }

  @inline(__always)
  private func taken(
    _ expert: Int, _ choices: UnsafeMutablePointer<Int32>, _ count: Int
  ) -> Bool {
    for choice in 0..<count where choices[choice] == Int32(expert) { return true }
    return false
  }

  private func order(rows: Int) {
    let next = starts.base
    for expert in 0...experts { next[expert] = 0 }
    for index in 0..<rows * active { next[Int(chosen.base[index]) + 1] += 1 }
    for expert in 0..<experts { next[expert + 1] += next[expert] }
    // Each expert's start walks to its end, which is the next one's start; then all move back.
    for index in 0..<rows * active {
      let expert = Int(chosen.base[index])
      let slot = next[expert]
      next[expert] += 1
      slots.base[index] = slot
      tokens.base[Int(slot)] = Int32(index / active)
    }
    for expert in stride(from: experts, to: 0, by: -1) { next[expert] = next[expert - 1] }
    next[0] = 0
  }
}
