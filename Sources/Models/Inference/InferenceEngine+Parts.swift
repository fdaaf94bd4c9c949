internal import Dispatch
internal import Foundation
internal import Kernels

/// What a pass is made of, each kind of work timed by itself at this model's sizes: what an estimate
/// adds up.
extension InferenceEngine {
  /// How the workers are used: by a pass each, or all by one.
  package enum Sharing: Sendable {
    case passes
    case products
  }

  /// All products of a pass over `rows` positions, in seconds. A mixture's experts have even parts
  /// of the rows.
  package func secondsOfProducts(rows: Int, _ sharing: Sharing) -> Double {
    let widest = model.layout.tensors.reduce(0) { max($0, max($1.place.rows, $1.place.columns)) }
    let plan = productPlan(rows: rows)
    return seconds(sharing) { [weights] arena, pool in
      let (x, y) = (
        arena.matrix(rows: rows, columns: widest), arena.matrix(rows: rows, columns: widest)
      )
      var weights = weights
      weights.pool = pool
      return { [weights] in
        for (place, count) in plan {
          weights.multiply(
            x.reshaped(rows: count, columns: place.columns), transposed: place,
            into: y.reshaped(rows: count, columns: place.rows), adding: false)
        }
      }
    }
  }

  /// Each weight, and how many rows meet it.
  private func productPlan(rows: Int) -> [(TensorPlace, Int)] {
    var counts: [TensorPlace: Int] = [:]
    for (layer, block) in model.blocks.enumerated() {
      guard let experts = configuration.experts(inLayer: layer) else { continue }
      let each = (rows * experts.active + experts.count - 1) / experts.count
      // Of one text only the experts that it is sent to are met.
      let met = min(experts.count, rows * experts.active)
      for (index, places) in block.feedForward.expertTensors.enumerated() {
        for place in places { counts[place] = index < met ? each : 0 }
      }
    }
    return weights.places.map { ($0, counts[$0] ?? rows) }.filter { $0.1 > 0 }
  }

  /// Attention of one position over as many, in all layers and heads, in seconds.
  package func secondsOfAttention(places: Int) -> Double {
    let (heads, width) = (configuration.heads, configuration.headWidth)
    let layers = configuration.attentionLayers.count
    let weight = settings.qkLayerNormWeight
    let keyWidth = weight > 0 && weight < 1 ? 2 * width : width
    let cap = settings.logitSoftCap
    return seconds(.passes) { arena, _ in
      let caches = (0..<layers * heads).map { _ in
        HeadCache(places: places, keyWidth: keyWidth, valueWidth: width, arena: arena)
      }
      let (query, output) = (
        arena.matrix(rows: 1, columns: keyWidth), arena.matrix(rows: 1, columns: width)
      )
      let scores = arena.matrix(rows: 1, columns: (places + 15) / 16 * 16)
      return {
        for cache in caches {
          cache.attend(
            query, position: places - 1, scale: 1, cap: cap, scores: scores,
            output: output)
        }
      }
    }
  }

  /// Norms and activations of a pass over `rows` positions, in seconds.
  package func secondsBetweenProducts(rows: Int) -> Double {
    let (width, layers) = (configuration.width, configuration.layers)
    let hidden = (0..<layers).map {
      configuration.experts(inLayer: $0).map { $0.active * $0.width + $0.sharedWidth }
        ?? configuration.feedForwardWidth
    }
    return seconds(.passes) { arena, _ in
      let x = (0..<3).map { _ in arena.matrix(rows: rows, columns: width) }
      let (reciprocal, gain) = (
        arena.matrix(rows: 1, columns: rows), arena.matrix(rows: 1, columns: width)
      )
      let wide = hidden.max() ?? 0
      let (up, activated) = (
        arena.matrix(rows: rows, columns: wide), arena.matrix(rows: rows, columns: wide)
      )
      return {
        for columns in hidden {
          for _ in 0..<2 {
            layerNorm(
              x[0], gain: gain, normalised: x[1], reciprocal: reciprocal, output: x[2])
          }
          gelu(
            up.reshaped(rows: rows, columns: columns),
            output: activated.reshaped(rows: rows, columns: columns))
        }
      }
    }
  }

  /// The median over a tenth of a second of what every worker does at once, or one with all.
  private func seconds(
    _ sharing: Sharing, _ prepare: (Arena, WorkerPool?) -> @Sendable () -> Void
  ) -> Double {
    let arena = Arena()
    guard sharing == .passes, workers > 1 else {
      return Self.median(of: prepare(arena, sharing == .products ? pool : nil))
    }
    let works = (0..<workers).map { _ in prepare(arena, nil) }
    let results = Buffer<Double>(count: workers)
    pool.run(jobs: workers) { job, _ in results[job] = Self.median(of: works[job]) }
    return (0..<workers).reduce(0) { $0 + results[$1] } / Double(workers)
  }

  private static func median(of work: () -> Void) -> Double {
    work()
    var times: [UInt64] = []
    let begin = DispatchTime.now().uptimeNanoseconds
    var now = begin
    while times.count < 3 || (now - begin < 100_000_000 && times.count < 10_000) {
      let start = now
      work()
      now = DispatchTime.now().uptimeNanoseconds
      times.append(now - start)
    }
    return Double(times.sorted()[times.count / 2]) / 1e9
  }
}
