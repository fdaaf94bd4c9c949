package import Kernels

/// Holds each head's largest attention logit at a threshold by shrinking its query and key weights.
///
/// After the optimiser's step, where S_h > τ: W_q^h and W_k^h *= sqrt(τ/S_h), so that the logits of
/// the same inputs shrink by τ/S_h; no step's own forward or backward pass changes.
/// Layer-normalised queries and keys do not feel their weights' scale: it has no effect there.
/// - Source: Kimi K2 2025 (2507.20534), where τ is 100
package struct QKClip {
  private let configuration: ModelConfiguration
  private let projections: [ParameterTensor]

  package init(configuration: ModelConfiguration, layout: ParameterLayout) {
    self.configuration = configuration
    projections = layout.tensors.filter { $0.name.hasSuffix(".query_key_value.weight") }
  }

  /// - Parameters: `headLogitMax` [L·H] is of the forward pass just run; the first `frozenBlocks`
  ///   are left as they are
  /// - Returns: the heads whose weights shrank.
  package func apply(
    to parameters: FloatBuffer, headLogitMax: [Float], threshold: Float, frozenBlocks: Int = 0
  ) -> Int {
    precondition(headLogitMax.count == projections.count * configuration.heads)
    var clipped = 0
    for (index, largest) in headLogitMax.enumerated().dropFirst(frozenBlocks * configuration.heads)
    where largest > threshold && largest.isFinite {
      let projection = projections[index / configuration.heads]
      let head = index % configuration.heads
      scale(parameters, projection, head: head, by: (threshold / largest).squareRoot())
      clipped += 1
    }
    return clipped
  }

  /// A head's rows are its queries', its keys' and its values', one after the other.
  private func scale(
    _ parameters: FloatBuffer, _ projection: ParameterTensor, head: Int, by factor: Float
  ) {
    let rows = configuration.headWidth * projection.fanIn
    let start = projection.offset + 3 * head * rows
    for element in start..<start + 2 * rows { parameters[element] *= factor }
  }
}
