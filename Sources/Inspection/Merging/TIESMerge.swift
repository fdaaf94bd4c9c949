import Kernels

/// Trims, elects a sign and merges what has it.
///
/// Of each part the numbers below the rank of its largest `keep` are taken for 0. What is left has a
/// sign a number, that of the sum over parts; sᵢ is τᵢ over the number of parts that have this sign,
/// and 0 for the others.
/// - Source: Yadav et al. 2023 (2306.01708) as in its code, where the number of that rank itself stays;
///   departs where a sum is 0 because parts cancel: nothing is added there, the code takes the sign
///   that is commoner in the whole model.
struct TIESMerge: MergeMethod {
  let keep: Double
  /// By part, the least magnitude that stays.
  private var thresholds: [Float] = []

  init(keep: Double) { self.keep = keep }

  mutating func survey(_ walk: UpdateWalk) throws {
    let dropped = walk.count - Int(Double(walk.count) * keep)
    thresholds = try walk.orderStatistics(ranks: [max(0, dropped - 1)], of: magnitudes).map {
      $0[0]
    }
  }

  func share(_ chunk: UpdateChunk, _ range: Range<Int>, into shares: MergeShares) {
    for index in range {
      var sum = 0.0
      for part in thresholds.indices { sum += Double(trimmed(chunk, part, index)) }
      var sharers: Float = 0
      for part in thresholds.indices where Double(trimmed(chunk, part, index)) * sum > 0 {
        sharers += 1
      }
      for part in thresholds.indices {
        let update = trimmed(chunk, part, index)
        let isHeeded = Double(update) * sum > 0
        shares.added[part][index] = isHeeded ? update / sharers : 0
        shares.weights[part][index] = isHeeded ? 1 / sharers : 0
      }
    }
  }

  @inline(__always)
  private func trimmed(_ chunk: UpdateChunk, _ part: Int, _ index: Int) -> Float {
    let update = chunk.updates[part][index]
    return abs(update) >= thresholds[part] ? update : 0
  }
}

/// |τ| of a chunk of one part.
@Sendable
func magnitudes(_ chunk: UpdateChunk, _ part: Int, into numbers: FloatBuffer) {
  let update = chunk.updates[part]
  for index in 0..<chunk.count { numbers[index] = abs(update[index]) }
}
