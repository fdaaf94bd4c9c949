import Formats
import Kernels
import Models

/// A layer's attention heads and experts, and what each is worth.
package struct LayerUse: Sendable {
  package let layer: Int
  /// By head, the largest logit; empty for a mixer without.
  package let logitMax: [Double]
  /// Mean over heads, nats.
  package let entropy: Double
  /// By head, what the loss rises by without what it adds to the stream, nats a token.
  package let headWorth: [Double]
  /// By expert, the share of the tokens' assignments; empty for a dense layer.
  package let load: [Double]
  /// Mean cosine between pairs of experts; NaN where there are fewer than two.
  package let likeness: Double

  /// A head whose absence nobody notices.
  package static let dead = 1e-4

  package var deadHeads: [Int] { headWorth.indices.filter { headWorth[$0] < Self.dead } }
}

extension LayerUse {
  /// - Parameters: `alone` is how many windows heads are left out on
  package static func all(_ trial: ModelTrial, alone: Int) -> [LayerUse] {
    let shape = trial.configuration
    let statistics = trial.statistics()
    let base = trial.loss(limit: alone)
    let likeness = trial.engine.expertSimilarity(parameters: trial.parameters)
    return (0..<shape.layers).map { layer in
      let attention = shape.attentionLayers.firstIndex(of: layer)
      let mixture = shape.mixtureLayers.firstIndex(of: layer)
      let counts = mixture.map { statistics.expertCounts[$0] } ?? []
      let total = Double(max(counts.reduce(0, +), 1))
      return LayerUse(
        layer: layer,
        logitMax: attention.map { place in
          (0..<shape.keptHeads).map {
            Double(statistics.headLogitMax[place * shape.keptHeads + $0])
          }
        } ?? [],
        entropy: attention.map { Double(statistics.attentionEntropy[$0]) } ?? .nan,
        headWorth: attention == nil
          ? []
          : (0..<shape.keptHeads).map {
            trial.loss(without: $0, inLayer: layer, limit: alone) - base
          },
        load: counts.map { Double($0) / total },
        likeness: mixture.flatMap { $0 < likeness.count ? likeness[$0] : nil } ?? .nan)
    }
  }

  package var json: String {
    func list(_ values: [Double]) -> String {
      "[\(values.map { JSONLines.number($0) }.joined(separator: ","))]"
    }
    var members = [("layer", "\(layer)")]
    if !logitMax.isEmpty {
      members += [
        ("logit_max", list(logitMax)), ("entropy", JSONLines.number(entropy)),
        ("head_worth", list(headWorth)),
        ("dead_heads", "[\(deadHeads.map(String.init).joined(separator: ","))]"),
      ]
    }
    if !load.isEmpty {
      members += [("expert_load", list(load)), ("expert_likeness", JSONLines.number(likeness))]
    }
    return JSONLines.object(members)
  }
}

extension ModelTrial {
  /// The loss with a head's columns of the layer's output projection set to 0.
  fileprivate func loss(without head: Int, inLayer layer: Int, limit: Int) -> Double {
    let width = configuration.headWidth
    let outputs = layout.tensors.first {
      $0.layer == layer && $0.name.hasSuffix(configuration.attentionOutput)
    }
    return loss(limit: limit) { weights in
      guard let outputs else { return }
      for row in 0..<outputs.shape[0] {
        for column in head * width..<(head + 1) * width {
          weights[outputs.offset + row * outputs.fanIn + column] = 0
        }
      }
    }
  }
}
