package import Kernels

/// How much each part of a model and of its adapter is needed, as an estimating phase has found it.
package struct PartImportances: Sendable, Equatable, Codable {
  /// The masks of a block's heads and of its hidden channels, by layer.
  package var heads: [[Double]]
  package var channels: [[Double]]
  /// Of each module of the adapter: ‖what it adds‖/‖what it is added to‖, mean over tokens.
  package var modules: [Double]
  /// Of each of a module's ranks i: |mean_j A_ij·dA_ij| + |mean_j B_ji·dB_ji|.
  package var ranks: [[Double]]

  package init(
    heads: [[Double]], channels: [[Double]], modules: [Double], ranks: [[Double]]
  ) {
    (self.heads, self.channels, self.modules, self.ranks) = (heads, channels, modules, ranks)
  }
}

/// What parts of a model stay, by their numbers, which rise.
package struct KeptParts: Sendable, Equatable, Codable {
  /// By layer.
  package var heads: [[Int]]
  package var channels: [[Int]]
  /// By module; none for one that goes.
  package var ranks: [[Int]]

  package init(heads: [[Int]], channels: [[Int]], ranks: [[Int]]) {
    (self.heads, self.channels, self.ranks) = (heads, channels, ranks)
  }

  package var shape: PrunedShape {
    PrunedShape(
      heads: heads.first?.count ?? 1, channels: channels.map(\.count), ranks: ranks.map(\.count))
  }
}

/// The shares that pruning leaves out.
package struct PruningShares: Sendable, Equatable {
  /// Of each layer's heads, and of all channels.
  package var trunk: Double
  /// Of the adapter's modules, and of all ranks of those that stay.
  package var modules: Double
  package var ranks: Double

  package init(trunk: Double = 0.33, modules: Double = 0.75, ranks: Double = 0.5) {
    (self.trunk, self.modules, self.ranks) = (trunk, modules, ranks)
  }
}

extension PartImportances {
  /// The parts that stay: the heads with the largest masks of each layer, the channels with the largest
  /// of all layers, the modules that add most and, of their ranks together, those with the largest
  /// scores. No layer loses its last channel, and one rank stays at least.
  /// - Source: Light-PEFT, whose masks are compared with their signs
  package func kept(leavingOut shares: PruningShares) -> KeptParts {
    var channels = Self.split(channels, leavingOut: shares.trunk)
    for layer in channels.indices where channels[layer].isEmpty {
      channels[layer] = most(self.channels[layer], leavingOut: 1)
    }
    let modules = most(modules, leavingOut: shares.modules)
    let scores = Self.split(modules.map { self.ranks[$0] }, leavingOut: shares.ranks)
    var ranks = [[Int]](repeating: [], count: self.ranks.count)
    for (module, kept) in zip(modules, scores) { ranks[module] = kept }
    return KeptParts(
      heads: heads.map { most($0, leavingOut: shares.trunk) }, channels: channels, ranks: ranks)
  }

  /// The most of all lists together, by list.
  private static func split(_ lists: [[Double]], leavingOut share: Double) -> [[Int]] {
    let kept = Set(most(lists.flatMap { $0 }, leavingOut: share))
    var start = 0
    return lists.map { list in
      defer { start += list.count }
      return list.indices.filter { kept.contains(start + $0) }
    }
  }
}

/// The places of all but the least values; of equal ones the first goes first, and one stays.
private func most(_ values: [Double], leavingOut share: Double) -> [Int] {
  let gone = min(Int((share * Double(values.count)).rounded()), values.count - 1)
  let order = values.indices.sorted { (values[$0], $0) < (values[$1], $1) }
  return order.dropFirst(max(gone, 0)).sorted()
}

extension TransformerEngine {
  /// The masks as they are in a masked model's parameters: of heads and of channels, by layer.
  package func masks(_ parameters: FloatBuffer) -> (heads: [[Double]], channels: [[Double]]) {
    func values(_ places: [TensorPlace]) -> [[Double]] {
      let view = ParameterView(parameters)
      return places.map { place in view[place].values.map { Double($0) } }
    }
    return (values(model.headMasks), values(model.channelMasks))
  }

  /// Adds the gradient of weight·Σ|mask| to a gradient of the masked model's loss.
  package func addMaskPenalty(_ weight: Float, of parameters: FloatBuffer, to gradient: FloatBuffer)
  {
    for place in model.headMasks + model.channelMasks {
      for index in place.offset..<place.offset + place.columns where parameters[index] != 0 {
        gradient[index] += parameters[index] > 0 ? weight : -weight
      }
    }
  }

  /// |mean_j A_ij·dA_ij| + |mean_j B_ji·dB_ji| of each rank i, by module.
  package func rankScores(parameters: FloatBuffer, gradient: FloatBuffer) -> [[Double]] {
    let (values, slopes) = (ParameterView(parameters, trunk: trunk), ParameterView(gradient))
    return model.modules.map { module in
      (0..<module.down.rows).map { rank in
        let down = (0..<module.down.columns).reduce(0.0) { sum, column in
          sum + Double(values[module.down][rank, column] * slopes[module.down][rank, column])
        }
        let up = (0..<module.up.rows).reduce(0.0) { sum, row in
          sum + Double(values[module.up][row, rank] * slopes[module.up][row, rank])
        }
        return abs(down) / Double(module.down.columns) + abs(up) / Double(module.up.rows)
      }
    }
  }
}

extension Transformer {
  /// [1, H] and [1, F] by layer; empty for a model without masks.
  fileprivate var headMasks: [TensorPlace] {
    blocks.compactMap { ($0.mixer as? CausalSelfAttention)?.mask }
  }

  fileprivate var channelMasks: [TensorPlace] {
    blocks.compactMap { ($0.feedForward as? GELUFeedForward)?.network.mask }
  }
}

/// Σ over rows of ‖a‖/‖b‖, where b is no row of zeros.
///
/// - Shapes: `a`, `b` [M, D]
func sumOfShares(_ a: Matrix, of b: Matrix) -> Double {
  (0..<a.rows).reduce(0.0) { sum, row in
    let (part, whole) = (a.rows(from: row, count: 1), b.rows(from: row, count: 1))
    let squares = rowProducts(whole, whole)
    return squares > 0 ? sum + (rowProducts(part, part) / squares).squareRoot() : sum
  }
}
