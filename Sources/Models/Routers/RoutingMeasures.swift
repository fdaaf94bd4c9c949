internal import Foundation
package import Kernels
internal import Ranks

/// What is measured of experts and their routing now and then, since a step has no need of it.
extension TransformerEngine {
  /// The mean cosine between the weights of a layer's experts, of every pair; by the layers that
  /// have experts, empty for one expert.
  ///
  /// - Cost: two walks over the experts' weights
  /// - Source: Qiu et al. 2024 (2408.06793), where experts that are less alike are better ones
  package func expertSimilarity(parameters: FloatBuffer) -> [Double] {
    guard let experts = configuration.experts, experts.count > 1 else { return [] }
    let view = ParameterView(parameters, trunk: trunk)
    let sum = FloatBuffer(count: 2 * experts.width * configuration.width)
    return model.blocks.compactMap { block in
      let weights = block.feedForward.expertTensors
      guard !weights.isEmpty else { return nil }
      return meanCosine(weights.map { $0.map { view[$0] } }, sum: sum)
    }
  }

  /// How much a token's first expert in one layer says of its first expert in the next layer that
  /// has experts, nats: Σ p(a,b)·ln(p(a,b)/(p(a)·p(b))), of the step just taken.
  ///
  /// 0 for layers that know nothing of each other, ln E at most. With N tokens it is too large by
  /// about (E − 1)²/2N. Empty for one layer and where experts are drawn for a whole batch. Any
  /// other use of the engine overwrites what it is measured of.
  /// - Source: Qiu et al. 2024
  package func routingMutualInformation() -> [Double] {
    guard configuration.passes == 1 else { return [] }
    return zip(configuration.mixtureLayers, configuration.mixtureLayers.dropFirst()).map {
      mutualInformation(firstChoices(inLayers: $0, $1))
    }
  }

  private func firstChoices(inLayers first: Int, _ second: Int) -> [[Int]] {
    let experts = configuration.experts?.count ?? 0
    let counts = Buffer<Int>(count: experts * experts)
    for pass in activations {
      guard let one = pass.blocks[first].feedForward.routing,
        let two = pass.blocks[second].feedForward.routing
      else { continue }
      one.countPairs(with: two, rows: pass.residual.rows, into: counts.base)
    }
    ranks.addUp(counts)
    return (0..<experts).map { row in (0..<experts).map { counts[row * experts + $0] } }
  }
}

/// - Parameters: `counts` of pairs, by the first, then by the second
package func mutualInformation(_ counts: [[Int]]) -> Double {
  let total = Double(counts.joined().reduce(0, +))
  let columns = counts.first?.indices.map { column in
    Double(counts.reduce(0) { $0 + $1[column] })
  }
  guard total > 0, let columns else { return .nan }
  var information = 0.0
  for row in counts {
    let rowTotal = Double(row.reduce(0, +))
    for (count, column) in zip(row, columns) where count > 0 {
      let share = Double(count) / total
      information += share * log(Double(count) * total / (rowTotal * column))
    }
  }
  return information
}
