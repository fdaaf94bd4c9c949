internal import Kernels
internal import Models

/// A piece of one tensor, small enough to balance the workers and large enough to be worth a job.
struct Chunk: Sendable {
  static let size = 1 << 15

  let tensor: Int
  let start: Int
  let count: Int
  let isDecayed: Bool

  static func cut(_ tensor: ParameterTensor, index: Int) -> [Chunk] {
    stride(from: 0, to: tensor.count, by: size).map { start in
      Chunk(
        tensor: index, start: tensor.offset + start, count: min(size, tensor.count - start),
        isDecayed: tensor.isDecayed)
    }
  }
}

/// A chunk's sums of squares.
struct ChunkSums: Sendable, BitwiseCopyable {
  var total = 0.0
  /// By slice, before the slices were added.
  var slices = SIMD4<Double>.zero
  var squares = UpdateSquares()

  mutating func sum(_ gradients: [FloatBuffer], from start: Int, count: Int) {
    let sums = sumSlices(gradients, from: start, count: count)
    total = sums.total
    slices = sums.slices
  }
}
