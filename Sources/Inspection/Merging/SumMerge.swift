import Kernels

/// Adds the updates up: their mean, or task arithmetic.
///
/// sᵢ = τᵢ/n for the mean, sᵢ = τᵢ for task arithmetic.
/// - Source: Ilharco et al. 2023 (2212.04089)
struct SumMerge: MergeMethod {
  let factor: Double

  mutating func survey(_ walk: UpdateWalk) {}

  func share(_ chunk: UpdateChunk, _ range: Range<Int>, into shares: MergeShares) {
    for (part, update) in chunk.updates.enumerated() {
      let (added, weights) = (shares.added[part], shares.weights[part])
      for index in range {
        added[index] = Float(factor * Double(update[index]))
        weights[index] = 1
      }
    }
  }
}
