/// Experts dealt out by a hash, without a weight and without a score.
///
/// The same seed deals the same experts whatever the worker, the slice or the group of windows.
package struct ExpertDeal: Sendable {
  package enum Unit: Sendable {
    /// A token together with the one before it; the first of a window stands alone.
    case pairs(TokenRows)
    /// Every token by itself; `first` is the number of the first.
    case token(first: Int)
    /// All tokens alike.
    case batch
    /// As `pairs`, of texts that grow.
    case textPairs(TextRows)
    /// As `token`, by the place in its text.
    case textPositions(TextRows)
  }

  package let unit: Unit
  package let seed: UInt64

  package init(unit: Unit, seed: UInt64) {
    self.unit = unit
    self.seed = seed
  }

  /// What is hashed of each row.
  fileprivate func forEachKey(_ rows: Int, _ body: (_ row: Int, _ key: UInt64) -> Void) {
    switch unit {
    case .pairs(let tokens):
      var before: Int?
      tokens.forEach { row, token, _ in
        if row % tokens.positions == 0 { before = nil }
        body(row, Self.key(before, token))
        before = token
      }
    case .token(let first):
      for row in 0..<rows { body(row, UInt64(first + row)) }
    case .batch:
      for row in 0..<rows { body(row, 0) }
    case .textPairs(let texts):
      for row in 0..<rows {
        let text = texts[row]
        body(row, Self.key(text.position == 0 ? nil : Int(text.before), Int(text.token)))
      }
    case .textPositions(let texts):
      for row in 0..<rows { body(row, UInt64(texts[row].position)) }
    }
  }

  /// Another one for each pair. Those of bytes are narrower, as runs of bytes have always had them.
  private static func key(_ before: Int?, _ token: Int) -> UInt64 {
    let isWide = token > 0xff || before ?? 0 > 0xff
    return isWide
      ? 1 << 33 | UInt64(before ?? 1 << 16) << 16 | UInt64(token)
      : UInt64(before ?? 1 << 8) << 8 | UInt64(token)
  }
}

extension ExpertRouting {
  /// Sends each row to the experts that are dealt to it, in even parts.
  ///
  /// - Shapes: `probabilitySums` [E] gets Σ over the rows of the gates
  /// - Returns: sums of which only the dropped assignments are there.
  /// - Source: Roller et al. 2021 (2106.04426), hashes of tokens and of bigrams; Zuo et al. 2021
  ///   (2110.04260), random experts
  package func deal(
    _ deal: ExpertDeal, rows: Int, capacity: ExpertCapacity,
    probabilitySums: UnsafeMutablePointer<Double>, histogram: GateHistogram
  ) -> RouterSums {
    histogram.clear()
    for expert in 0..<experts { probabilitySums[expert] = 0 }
    let gate = 1 / Float(active)
    deal.forEachKey(rows) { row, key in
      var random = mix(deal.seed &+ key &* 0x9e37_79b9_7f4a_7c15)
      let choices = chosen.base + row * active
      for choice in 0..<active {
        choices[choice] = draw(&random, besides: choices, choice)
        gates.row(row)[choice] = gate
        probabilitySums[Int(choices[choice])] += Double(gate)
      }
    }
    order(rows: rows, capacity: capacity)
    var sums = RouterSums()
    sums.dropped = rows * active - kept
    return sums
  }

  /// One of the experts that are not among the first `count` choices, each as likely.
  private func draw(
    _ random: inout UInt64, besides choices: UnsafeMutablePointer<Int32>, _ count: Int
  ) -> Int32 {
    random = mix(random)
    var left = Int(random >> 33) % (experts - count)
    for expert in 0..<experts where !taken(expert, choices, count) {
      if left == 0 { return Int32(expert) }
      left -= 1
    }
    preconditionFailure("more choices than experts")
  }
}

/// SplitMix64's output for a state.
package func mix(_ state: UInt64) -> UInt64 {
  var z = state &+ 0x9e37_79b9_7f4a_7c15
  z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
  z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
  return z ^ (z >> 31)
}
