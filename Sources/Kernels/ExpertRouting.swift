/// Which tokens of a slice go to which expert, and with what weight.
///
/// Assignments are ordered by expert, then by token: an expert's rows are contiguous, and every sum
/// has one order. A token's choices are ordered by falling score, ties by the lower expert.
package struct ExpertRouting: Sendable {
  package let experts: Int
  package let active: Int
  let form: RouterForm
  /// Assignment → token.
  let tokens: Buffer<Int32>
  /// Token and choice → expert, then assignment; −1 for one that was dropped.
  let chosen: Buffer<Int32>
  let slots: Buffer<Int32>
  /// Expert → its first assignment; one more entry for the end.
  let starts: Buffer<Int32>
  /// Expert → assignments it was chosen for, dropped ones included.
  let demand: Buffer<Int32>
  /// Expert → assignments taken in the present window.
  private let filled: Buffer<Int32>
  /// Token and choice → weight.
  let gates: Matrix
  /// Token → ln Σ exp of its router logits.
  let logSumExp: Matrix

  package init(arena: Arena, rows: Int, experts: Int, active: Int, form: RouterForm) {
    precondition(active > 0 && active <= experts, "\(active) of \(experts) experts")
    self.experts = experts
    self.active = active
    self.form = form
    tokens = arena.indices(count: rows * active)
    chosen = arena.indices(count: rows * active)
    slots = arena.indices(count: rows * active)
    starts = arena.indices(count: experts + 1)
    demand = arena.indices(count: experts)
    filled = arena.indices(count: experts)
    gates = arena.matrix(rows: rows, columns: active)
    logSumExp = arena.matrix(rows: 1, columns: rows)
  }

  package func count(of expert: Int) -> Int { Int(starts[expert + 1] - starts[expert]) }
  package func start(of expert: Int) -> Int { Int(starts[expert]) }
  package func demand(of expert: Int) -> Int { Int(demand[expert]) }
  /// All assignments that were not dropped.
  package var kept: Int { Int(starts[experts]) }

  /// Adds up how often each first choice goes with each first choice of another layer's.
  ///
  /// - Shapes: `counts` [E, E] by this layer's, then the other's
  package func countPairs(
    with other: ExpertRouting, rows: Int, into counts: UnsafeMutablePointer<Int>
  ) {
    for row in 0..<rows {
      let own = Int(chosen.base[row * active])
      counts[own * other.experts + Int(other.chosen.base[row * other.active])] += 1
    }
  }
}

/// How many assignments an expert takes of each window of so many tokens.
package struct ExpertCapacity: Sendable {
  let window: Int
  let limit: Int32

  /// `factor` times an even share, rounded up; 0 for no limit.
  package init(factor: Float, window: Int, experts: Int, active: Int) {
    self.window = window
    let even = Float(window * active) / Float(experts)
    limit = factor > 0 ? Int32(min((even * factor).rounded(.up), Float(window))) : .max
  }
}

extension ExpertRouting {
  /// A row's choices: the largest p + bias, weighed by p or by p/Σp.
  ///
  /// - Source: Wang et al. 2024 (2408.15664) for a bias that steers and does not weigh
  @inline(__always)
  func choose(_ p: UnsafeMutablePointer<Float>, bias: UnsafePointer<Float>, row: Int) {
    let choices = chosen.base + row * active
    let weights = gates.row(row)
    var total: Float = 0
    for choice in 0..<active {
      var best = -1
      var bestKey: Float = 0
      for expert in 0..<experts {
        let key = p[expert] + bias[expert]
        guard best < 0 || key > bestKey, !taken(expert, choices, choice) else { continue }
        best = expert
        bestKey = key
      }
      choices[choice] = Int32(best)
      weights[choice] = p[best]
      total += p[best]
    }
    guard form.normalisesGates else { return }
    for choice in 0..<active { weights[choice] /= total }
  }

  @inline(__always)
  func taken(
    _ expert: Int, _ choices: UnsafeMutablePointer<Int32>, _ count: Int
  ) -> Bool {
    for choice in 0..<count where choices[choice] == Int32(expert) { return true }
    return false
  }

  /// Gives the assignments their order, without those beyond an expert's capacity.
  ///
  /// What is dropped is decided in the order of the tokens, and of a token's choices, within each
  /// window: an order by score, or by all first choices before the second ones, would let a later
  /// token push out an earlier one.
  func order(rows: Int, capacity: ExpertCapacity) {
    keep(rows: rows, capacity: capacity)
    let next = starts.base
    for expert in 0...experts { next[expert] = 0 }
    for index in 0..<rows * active where slots.base[index] >= 0 {
      next[Int(chosen.base[index]) + 1] += 1
    }
    for expert in 0..<experts { next[expert + 1] += next[expert] }
    // Each expert's start walks to its end, which is the next one's start; then all move back.
    for index in 0..<rows * active where slots.base[index] >= 0 {
      let expert = Int(chosen.base[index])
      let slot = next[expert]
      next[expert] += 1
      slots.base[index] = slot
      tokens.base[Int(slot)] = Int32(index / active)
    }
    for expert in stride(from: experts, to: 0, by: -1) { next[expert] = next[expert - 1] }
    next[0] = 0
  }

  /// Marks what is dropped by a slot of −1, and counts what was asked for.
  private func keep(rows: Int, capacity: ExpertCapacity) {
    for expert in 0..<experts { demand.base[expert] = 0 }
    let window = capacity.window * active
    for index in 0..<rows * active {
      if index % window == 0 { for expert in 0..<experts { filled.base[expert] = 0 } }
      let expert = Int(chosen.base[index])
      demand.base[expert] += 1
      let fits = filled.base[expert] < capacity.limit
      if fits { filled.base[expert] += 1 }
      slots.base[index] = fits ? 0 : -1
    }
  }
}
