internal import Foundation

/// Turns the logits of two passes over the same tokens into the gradients of both cross-entropies
/// and of what holds the passes together.
///
/// loss = CE₁ + CE₂ + c·½(KL(p₁‖p₂) + KL(p₂‖p₁)), and of each cross-entropy its z-loss. With
/// δ = ln p₁ − ln p₂ the last part is ½ Σ (p₁ − p₂)·δ, and its gradient to the first logits
/// ½(p₁·(δ − KL(p₁‖p₂)) + p₁ − p₂), to the second the same with 1 and 2 exchanged. Of tokens from a
/// `NoisyChannel` both cross-entropies are the channel's.
/// - Shapes: `first`, `second` [M, V], as `crossEntropy` leaves them without a weight: capped where
///   there is a `cap`
/// - Parameters: `consistency` is c; `weight` is one over the tokens of the whole batch
/// - Returns: Σ over the tokens of ½(KL + KL), nats.
/// - Source: Zuo et al. 2021 (2110.04260)
package func consistencyGradients(
  first: Matrix, second: Matrix, tokens: TokenRows, zLoss: Float, cap: Float, consistency: Float,
  weight: Float
) -> Double {
  var divergence = 0.0
  let width = first.columns
  tokens.forEach { index, _, target in
    let pair = LogitPair(first: first.row(index), second: second.row(index), width: width)
    divergence += Double(pair.divergence)
    pair.becomeGradients(
      target: target, of: tokens.channel(at: index), zLoss: zLoss, cap: cap,
      consistency: consistency, weight: weight)
  }
  return divergence
}

/// One token's logits in both passes.
private struct LogitPair {
  let first: UnsafeMutablePointer<Float>
  let second: UnsafeMutablePointer<Float>
  let width: Int
  let logZ: (Float, Float)
  /// KL(p₁‖p₂) and KL(p₂‖p₁).
  let distances: (Float, Float)

  var divergence: Float { (distances.0 + distances.1) / 2 }

  init(
    first: UnsafeMutablePointer<Float>, second: UnsafeMutablePointer<Float>, width: Int
  ) {
    self.first = first
    self.second = second
    self.width = width
    let logZ = (logSumExp(first, width), logSumExp(second, width))
    self.logZ = logZ
    var forward: Float = 0
    var backward: Float = 0
    forEachLanes(width) { index, lanes in
      let a = first.lanes(index, count: lanes) - Lanes(repeating: logZ.0)
      let b = second.lanes(index, count: lanes) - Lanes(repeating: logZ.1)
      let (p, q) = (a.exponential * (a - b), b.exponential * (b - a))
      for lane in 0..<lanes {
        forward += p[lane]
        backward += q[lane]
      }
    }
    distances = (forward, backward)
  }

  func becomeGradients(
    target: Int, of channel: NoisyChannel, zLoss: Float, cap: Float, consistency: Float,
    weight: Float
  ) {
    let half = Lanes(repeating: consistency / 2)
    let own = (
      channel.corrected(Double(logZ.0 - first[target]), vocabulary: width).weight,
      channel.corrected(Double(logZ.1 - second[target]), vocabulary: width).weight
    )
    let scales = (own.0 + 2 * zLoss * logZ.0, own.1 + 2 * zLoss * logZ.1)
    let slope = cap > 0 ? 1 / (cap * cap) : 0
    forEachLanes(width) { index, lanes in
      let (y1, y2) = (first.lanes(index, count: lanes), second.lanes(index, count: lanes))
      let (a, b) = (y1 - Lanes(repeating: logZ.0), y2 - Lanes(repeating: logZ.1))
      let (p, q, delta) = (a.exponential, b.exponential, a - b)
      var d1 = p * scales.0 + half * (p * (delta - distances.0) + p - q)
      var d2 = q * scales.1 + half * (q * (-delta - distances.1) + q - p)
      for lane in 0..<lanes where index + lane == target {
        d1[lane] -= own.0
        d2[lane] -= own.1
      }
      first.store(d1 * (1 - y1 * y1 * slope) * weight, index, count: lanes)
      second.store(d2 * (1 - y2 * y2 * slope) * weight, index, count: lanes)
    }
  }
}

private func logSumExp(_ y: UnsafeMutablePointer<Float>, _ width: Int) -> Float {
  let peak = measure(y, width).peak
  return peak + log(exponentials(y, width, peak, keeping: false))
}
