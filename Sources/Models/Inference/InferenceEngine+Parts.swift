internal import Dispatch
internal import Foundation
internal import Kernels

/// The parts of writing, each timed by itself at this model's sizes: what an estimate adds up.
extension InferenceEngine {
  /// How the workers are used: by a pass each, or all by one.
  package enum Sharing: Sendable {
    case passes
    case products
  }

  /// What the rows of a pass are.
  package enum PassKind: Sendable {
    /// The first positions of one text, of which the last one's logits are wanted.
    case prompt
    /// The first position of as many texts.
    case texts
  }

  /// A pass at the beginning of texts, in seconds: all its work but for what is looked back to.
  package func secondsOfPass(_ kind: PassKind, rows: Int, _ sharing: Sharing) -> Double {
    let isPrompt = kind == .prompt
    let lanes = lanes(
      sharing == .products ? 1 : workers, rows: rows, slots: isPrompt ? 1 : rows,
      places: isPrompt ? rows : 1, splits: sharing == .products)
    for lane in lanes.lanes {
      for row in 0..<rows {
        lane.texts[row] = TextRow(
          slot: isPrompt ? 0 : row, position: isPrompt ? row % configuration.context : 0,
          token: Token(row % configuration.vocabulary),
          before: 256)
      }
    }
    return withExtendedLifetime(lanes) {
      seconds(lanes.lanes.map { lane in { lane.forward(last: isPrompt ? 1 : nil) } })
    }
  }

  /// Attention of one position over as many, in all layers and heads, in seconds.
  package func secondsOfAttention(places: Int, _ sharing: Sharing) -> Double {
    let (heads, width) = (configuration.keyHeads, configuration.headWidth)
    let queries = configuration.queriesPerKey
    let layers = configuration.attentionLayers.count
    let weight = settings.qkLayerNormWeight
    let keyWidth = weight > 0 && weight < 1 ? 2 * width : width
    let cap = settings.logitSoftCap
    let arena = Arena()
    let lanes = sharing == .products ? 1 : workers
    let works = (0..<lanes).map { _ -> @Sendable () -> Void in
      let caches = (0..<layers * heads).map { _ in
        HeadCache(places: places, keyWidth: keyWidth, valueWidth: width, arena: arena)
      }
      let (query, output) = (
        arena.matrix(rows: 1, columns: keyWidth), arena.matrix(rows: 1, columns: width)
      )
      let scores = arena.matrix(rows: 1, columns: (places + 15) / 16 * 16)
      return {
        for cache in caches {
          for _ in 0..<queries {
            cache.attend(
              query, position: places - 1, scale: 1, cap: cap, scores: scores,
              output: output)
          }
        }
      }
    }
    return withExtendedLifetime(arena) { seconds(works) }
  }

  /// The mean over a tenth of a second of what as many workers do at once, or one with all.
  private func seconds(_ works: [@Sendable () -> Void]) -> Double {
    guard works.count > 1 else { return Self.mean(of: works[0]) }
    let results = Buffer<Double>(count: works.count)
    pool.run(jobs: works.count) { job, _ in results[job] = Self.mean(of: works[job]) }
    return (0..<works.count).reduce(0) { $0 + results[$1] } / Double(works.count)
  }

  /// What interrupts the work counts too: it does where texts are written.
  private static func mean(of work: () -> Void) -> Double {
    work()
    let begin = DispatchTime.now().uptimeNanoseconds
    var (now, count) = (begin, 0)
    while count < 3 || (now - begin < 100_000_000 && count < 10_000) {
      work()
      now = DispatchTime.now().uptimeNanoseconds
      count += 1
    }
    return Double(now - begin) / 1e9 / Double(count)
  }
}
