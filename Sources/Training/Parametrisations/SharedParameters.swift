package import Kernels
package import Models
import Ranks

/// Trains one array that all hidden matrices are read from.
///
/// The engine sees the matrices, which are written anew after each update; the optimiser sees the
/// array, and whatever else is no hidden matrix. At a share of 1 every number has one reader, and the
/// run is the dense one but for the order in which norms are added up.
/// - Cost: two passes over the matrices a slice and step, and moments of the array alone
/// - Source: `FoldedArray`
package final class SharedParameters {
  /// Places that one job takes, with all that read them: so that each place has its readers in one
  /// order.
  private struct Piece: Sendable {
    let places: Range<Int>
    let segments: [FoldedArray.Segment]
  }

  private static let pieceSize = 1 << 13

  private let array: FoldedArray
  private let pieces: [Piece]
  private let pool: WorkerPool
  private let ranks: any RankGroup
  private let sizes: (matrices: Int, array: Int)
  /// By slice and piece: Σ dW² and Σ dM².
  private var squares: Buffer<SIMD2<Double>>
  /// The array's gradient over the matrices', as root mean squares, in the last step: 1 where a place
  /// has one reader, and one over the root of their number where readers pull as they like.
  private(set) var gradientScale = Double.nan
  /// The share of the array's places that several weights read.
  let collisions: Double

  /// For those who read a trained array alone; nil for a model whose matrices have numbers of their own.
  package convenience init?(layout: ParameterLayout, seed: UInt64, pool: WorkerPool) {
    self.init(layout: layout, seed: seed, pool: pool, slices: 1, ranks: SoleRank())
  }

  /// Nil for a model whose matrices have numbers of their own.
  init?(
    layout: ParameterLayout, seed: UInt64, pool: WorkerPool, slices: Int, ranks: any RankGroup
  ) {
    guard let shared = layout.sharedArray else { return nil }
    let count = shared.count
    let segments = Self.segments(of: layout, places: count, seed: seed)
    let weights = layout.tensors.reduce(0) { $0 + (layout.isTrained($1) ? 0 : $1.count) }
    let (deviations, readers) = Self.scales(segments, places: count)
    array = FoldedArray(
      offset: shared.offset, signs: Self.signs(weights, seed: seed), deviations: deviations,
      readers: readers)
    pieces = stride(from: 0, to: count, by: Self.pieceSize).map { start in
      let places = start..<min(start + Self.pieceSize, count)
      return Piece(places: places, segments: segments.compactMap { $0.clamped(to: places) })
    }
    sizes = (weights, count)
    collisions = Double((0..<count).count { readers[$0] > 1 }) / Double(count)
    squares = Buffer(repeating: .zero, count: slices * pieces.count)
    self.pool = pool
    self.ranks = ranks
  }

  /// Has the array begin at the first matrices' weights, as many as it holds, then all matrices be read
  /// from it.
  package func begin(at parameters: FloatBuffer) {
    pool.run(jobs: pieces.count) { [array, pieces, sizes] job, _ in
      // The first fold meets each place once.
      for segment in pieces[job].segments where segment.index < sizes.array {
        array.adopt(segment, in: parameters)
      }
    }
    expand(parameters)
  }

  /// Writes the matrices from the array.
  package func expand(_ parameters: FloatBuffer) {
    pool.run(jobs: pieces.count) { [array, pieces] job, _ in
      for segment in pieces[job].segments { array.expand(segment, in: parameters) }
    }
  }

  /// The slices' gradients of the matrices become those of the array.
  func backward(_ slices: [FloatBuffer]) {
    let all = slices.count * ranks.count
    if squares.count != all * pieces.count {
      squares = Buffer(repeating: .zero, count: all * pieces.count)
    }
    let first = ranks.rank * slices.count * pieces.count
    pool.run(jobs: slices.count * pieces.count) { [array, pieces, squares] job, _ in
      let piece = pieces[job % pieces.count]
      let sums = array.gather(
        piece.segments, places: piece.places, in: slices[job / pieces.count])
      squares[first + job] = SIMD2(sums.readers, sums.array)
    }
    let bytes = slices.count * pieces.count * MemoryLayout<SIMD2<Double>>.stride
    if ranks.count > 1 {
      ranks.share(squares.memory, bounds: (0...ranks.count).map { $0 * bytes })
    }
    let total = (0..<squares.count).reduce(SIMD2<Double>.zero) { $0 + squares[$1] }
    let ratio = total[1] / Double(sizes.array) / (total[0] / Double(sizes.matrices))
    gradientScale = ratio.squareRoot()
  }
}

extension SharedParameters {
  /// The matrices, one behind the other, cut where a matrix, a fold or the array ends.
  ///
  /// Fold f turns by u(f): weight i reads place (u(i div m) + i mod m) mod m.
  private static func segments(
    of layout: ParameterLayout, places: Int, seed: UInt64
  ) -> [FoldedArray.Segment] {
    let turns = CounterGenerator(seed: seed, stream: "folds")
    var segments: [FoldedArray.Segment] = []
    var index = 0
    for tensor in layout.tensors where !layout.isTrained(tensor) {
      let deviation = 1 / Float(tensor.fanIn).squareRoot()
      var done = 0
      while done < tensor.count {
        let (fold, rest) = index.quotientAndRemainder(dividingBy: places)
        let place = (turns.number(below: places, at: UInt64(fold)) + rest) % places
        let count = min(tensor.count - done, places - rest, places - place)
        segments.append(
          FoldedArray.Segment(
            weight: tensor.offset + done, place: place, count: count, index: index,
            deviation: deviation))
        done += count
        index += count
      }
    }
    return segments
  }

  private static func signs(_ weights: Int, seed: UInt64) -> Buffer<UInt8> {
    let draws = CounterGenerator(seed: seed, stream: "signs")
    let signs = Buffer<UInt8>(count: weights / 8 + 2)
    for byte in 0..<signs.count {
      signs[byte] = UInt8(truncatingIfNeeded: draws.bits(at: UInt64(byte / 8)) >> (8 * (byte % 8)))
    }
    return signs
  }

  /// s and the number of readers of each place.
  private static func scales(
    _ segments: [FoldedArray.Segment], places: Int
  ) -> (FloatBuffer, FloatBuffer) {
    var sums = [Double](repeating: 0, count: places)
    let (deviations, readers) = (FloatBuffer(count: places), FloatBuffer(count: places))
    for segment in segments {
      let square = Double(segment.deviation) * Double(segment.deviation)
      for place in segment.place..<segment.place + segment.count {
        sums[place] += square
        readers[place] += 1
      }
    }
    for place in 0..<places {
      deviations[place] = Float((sums[place] / Double(readers[place])).squareRoot())
    }
    return (deviations, readers)
  }
}

extension FoldedArray.Segment {
  /// What of it reads these places; nil for nothing.
  fileprivate func clamped(to places: Range<Int>) -> FoldedArray.Segment? {
    let (start, end) = (max(place, places.lowerBound), min(place + count, places.upperBound))
    guard start < end else { return nil }
    return FoldedArray.Segment(
      weight: weight + start - place, place: start, count: end - start,
      index: index + start - place, deviation: deviation)
  }
}
