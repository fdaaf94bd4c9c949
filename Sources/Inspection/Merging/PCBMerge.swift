import Foundation
import Kernels

/// Balances the competition of parameters, within a part and between parts.
///
/// With c = |τᵢ| clamped to its quantiles of 1% and 99% and m = (c − min c)/(max c − min c):
///
///     b = exp(n·m²) · tanh(τᵢ·Σⱼ τⱼ)
///     w = (max(b, q) − q)/(max b − q),   q the (1 − keep) quantile of b over the part
///     sᵢ = wᵢ·sgn(τᵢ)·cᵢ / max(Σⱼ wⱼ, 10⁻¹²)
///
/// Updates are small, so that the tanh is its argument.
/// - Source: Du et al. 2024 (2410.02396), quantiles by rank as in its code for language models. A part
///   without any spread weighs nothing, where the code divides by 0.
/// - Cost: five walks over the numbers, an exponential and a tanh a number and part in three of them.
struct PCBMerge: MergeMethod {
  /// What is known of one part.
  private struct Part: Sendable {
    /// min c and max c.
    let low: Float
    let high: Float
    /// q and max b.
    var floor: Float = 0
    var top: Float = 0
  }

  let keep: Double
  private var parts: [Part] = []

  private static let tail = 0.01
  private static let leastWeight = 1e-12

  init(keep: Double) { self.keep = keep }

  mutating func survey(_ walk: UpdateWalk) throws {
    let count = Double(walk.count)
    let ends = [Int(count * Self.tail), max(0, Int(count * (1 - Self.tail) - 1))]
    parts = try walk.orderStatistics(ranks: ends, of: magnitudes).map {
      Part(low: $0[0], high: max($0[0], $0[1]))
    }
    let merge = self
    let ranks = [min(walk.count - 1, Int(count * (1 - keep))), walk.count - 1]
    let scores = try walk.orderStatistics(ranks: ranks) { chunk, part, numbers in
      for index in 0..<chunk.count { numbers[index] = merge.score(chunk, part, index) }
    }
    for part in parts.indices {
      (parts[part].floor, parts[part].top) = (scores[part][0], scores[part][1])
    }
  }

  func share(_ chunk: UpdateChunk, _ range: Range<Int>, into shares: MergeShares) {
    for index in range {
      var sum = 0.0
      for part in parts.indices {
        let weight = weight(parts[part], score(chunk, part, index))
        shares.weights[part][index] = Float(weight)
        sum += weight
      }
      for part in parts.indices {
        let update = chunk.updates[part][index]
        let clamped = min(max(abs(update), parts[part].low), parts[part].high)
        let weight = Double(shares.weights[part][index]) / max(sum, Self.leastWeight)
        shares.added[part][index] =
          update == 0 ? 0 : Float(weight) * (update < 0 ? -clamped : clamped)
      }
    }
  }

  /// b.
  private func score(_ chunk: UpdateChunk, _ part: Int, _ index: Int) -> Float {
    let own = parts[part]
    let update = chunk.updates[part][index]
    let clamped = min(max(abs(update), own.low), own.high)
    let spread = Double(own.high) - Double(own.low)
    let place = spread > 0 ? (Double(clamped) - Double(own.low)) / spread : 0
    var sum = 0.0
    for other in chunk.updates { sum += Double(other[index]) }
    let within = exp(Double(chunk.updates.count) * place * place)
    return Float(within * tanh(Double(update) * sum))
  }

  /// w.
  private func weight(_ part: Part, _ score: Float) -> Double {
    guard part.top > part.floor, score > part.floor else { return 0 }
    return (Double(score) - Double(part.floor)) / (Double(part.top) - Double(part.floor))
  }
}
