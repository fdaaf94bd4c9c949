package import Kernels

/// Holds each head's largest attention logit at a threshold by shrinking its query and key weights.
///
/// After the optimiser's step, where S_h > τ: W_q^h and W_k^h *= sqrt(τ/S_h), so that the logits of
/// the same inputs shrink by τ/S_h; no step's own forward or backward pass changes. Where queries share
/// a key, W_q^h alone shrinks, by all of it: the key is the other heads' too.
/// Layer-normalised queries and keys do not feel their weights' scale: it has no effect there.
/// - Source: Kimi K2 2025 (2507.20534), where τ is 100
package struct QKClip {
  private let layers: [Layer]

  private struct Layer {
    let number: Int
    let heads: Int
    /// What the rows of a head's queries and keys are, one head after the other.
    let parts: [Part]
    let isShared: Bool
  }

  private struct Part {
    let offset: Int
    /// The numbers of a head, and how many from one head to the next.
    let count: Int
    let step: Int
  }

  package init(_ configuration: ModelConfiguration) {
    let headWidth = configuration.headWidth
    let isShared = configuration.queriesPerKey > 1
    layers = Transformer(configuration).blocks.enumerated().compactMap { number, block in
      guard let attention = block.mixer as? CausalSelfAttention else { return nil }
      let parts: [Part] =
        switch attention.projection {
        case .joined(let linear):
          Self.parts(linear, rows: 2 * headWidth, step: 3 * headWidth)
        case .apart(let query, let key, _):
          (isShared ? [query] : [query, key]).flatMap {
            Self.parts($0, rows: headWidth, step: headWidth)
          }
        }
      return Layer(
        number: number, heads: configuration.keptHeads, parts: parts, isShared: isShared)
    }
  }

  private static func parts(_ linear: Linear, rows: Int, step: Int) -> [Part] {
    let columns = linear.weight.columns
    let weight = Part(
      offset: linear.weight.offset, count: rows * columns, step: step * columns)
    return [weight] + (linear.bias.map { [Part(offset: $0.offset, count: rows, step: step)] } ?? [])
  }

  /// - Parameters: `headLogitMax` [L·H] is of the forward pass just run, by the layers that have
  ///   attention logits; the first `frozenBlocks` are left as they are
  /// - Returns: the heads whose weights shrank.
  package func apply(
    to parameters: FloatBuffer, headLogitMax: [Float], threshold: Float, frozenBlocks: Int = 0
  ) -> Int {
    precondition(headLogitMax.count == layers.reduce(0) { $0 + $1.heads })
    var clipped = 0
    var maxima = headLogitMax[...]
    for layer in layers {
      let largest = maxima.prefix(layer.heads)
      maxima = maxima.dropFirst(layer.heads)
      guard layer.number >= frozenBlocks else { continue }
      for (head, largest) in largest.enumerated() where largest > threshold && largest.isFinite {
        let share = threshold / largest
        scale(parameters, layer, head: head, by: layer.isShared ? share : share.squareRoot())
        clipped += 1
      }
    }
    return clipped
  }

  private func scale(_ parameters: FloatBuffer, _ layer: Layer, head: Int, by factor: Float) {
    for part in layer.parts {
      let start = part.offset + head * part.step
      for element in start..<start + part.count { parameters[element] *= factor }
    }
  }
}
