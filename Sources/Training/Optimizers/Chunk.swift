import Kernels
import Models

/// A piece of one tensor, small enough to balance the workers and large enough to be worth a job.
struct Chunk: Sendable {
  static let size = 1 << 14

  let tensor: Int
  let start: Int
  let count: Int

  static func cut(_ tensor: ParameterTensor, index: Int) -> [Chunk] {
    stride(from: 0, to: tensor.count, by: size).map { start in
      Chunk(
        tensor: index, start: tensor.offset + start, count: min(size, tensor.count - start))
    }
  }
}

extension Chunk {
  /// About sixteen runs of neighbouring chunks: enough for the workers to share, few enough that
  /// handing them out costs nothing.
  static func groups(_ chunks: ArraySlice<Chunk>) -> [Range<Int>] {
    let target = max(chunks.reduce(0) { $0 + $1.count } / 16, 1)
    var groups: [Range<Int>] = []
    var start = chunks.startIndex
    var count = 0
    for (index, chunk) in zip(chunks.indices, chunks) {
      count += chunk.count
      guard count >= target || index == chunks.endIndex - 1 else { continue }
      groups.append(start..<index + 1)
      start = index + 1
      count = 0
    }
    return groups
  }
}

/// A chunk's sums of squares.
struct ChunkSums: Sendable, BitwiseCopyable {
  var total = 0.0
  var squares = UpdateSquares()
  /// Of g²/v̂.
  var ratio = 0.0
}
