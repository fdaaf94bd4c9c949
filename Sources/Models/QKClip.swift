package import Kernels

/// Holds each head's largest attention logit at a threshold by shrinking its query and key weights.
///
/// After the optimiser's step, where S_h > τ: W_q^h and W_k^h *= sqrt(τ/S_h), so that the logits of
/// the same inputs shrink by τ/S_h; no step's own forward or backward pass changes.
/// Layer-normalised queries and keys do not feel their weights' scale: it has no effect there.
/// - Source: Kimi K2 2025 (2507.20534), where τ is 100
package struct QKClip {
  private let projections: [Projection]

  private struct Projection {
    let tensor: ParameterTensor
    let headWidth: Int

    var heads: Int { tensor.shape[0] / (3 * headWidth) }
  }

  package init(layout: ParameterLayout) {
    projections = layout.tensors.compactMap { tensor in
      guard case .queryKeyValue(let headWidth) = tensor.role else { return nil }
      return Projection(tensor: tensor, headWidth: headWidth)
    }
  }

  /// - Parameters: `headLogitMax` [L·H] is of the forward pass just run, by the layers that have
  ///   attention logits; the first `frozenBlocks` are left as they are
  /// - Returns: the heads whose weights shrank.
  package func apply(
    to parameters: FloatBuffer, headLogitMax: [Float], threshold: Float, frozenBlocks: Int = 0
  ) -> Int {
    precondition(headLogitMax.count == projections.reduce(0) { $0 + $1.heads })
    var clipped = 0
    var maxima = headLogitMax[...]
    for projection in projections {
      let largest = maxima.prefix(projection.heads)
      maxima = maxima.dropFirst(projection.heads)
      guard projection.tensor.layer ?? 0 >= frozenBlocks else { continue }
      for (head, largest) in largest.enumerated() where largest > threshold && largest.isFinite {
        scale(parameters, projection, head: head, by: (threshold / largest).squareRoot())
        clipped += 1
      }
    }
    return clipped
  }

  /// A head's rows are its queries', its keys' and its values', one after the other.
  private func scale(
    _ parameters: FloatBuffer, _ projection: Projection, head: Int, by factor: Float
  ) {
    let rows = projection.headWidth * projection.tensor.fanIn
    let start = projection.tensor.offset + 3 * head * rows
    for element in start..<start + 2 * rows { parameters[element] *= factor }
  }
}
