import Kernels
import Training

/// Neighbouring numbers of one tensor: where all parts began, and how far each has come from there.
package struct UpdateChunk: Sendable {
  /// The tensor's place in the walk.
  let tensor: Int
  /// Of the tensor's numbers.
  let range: Range<Int>
  /// θ₀ from the buffer's beginning on; so are the others.
  let start: FloatBuffer
  /// τᵢ = θᵢ − θ₀ by part.
  let updates: [FloatBuffer]

  var count: Int { range.count }
}

/// Walks over what merging needs of all models side by side, a chunk at a time, so that memory is
/// bounded whatever their size.
package final class UpdateWalk {
  let tensors: [MergedTensor]
  let parts: Int
  /// Numbers of all tensors.
  let count: Int
  /// Numbers of a chunk at most.
  let length: Int
  let pool: WorkerPool
  private let paths: [String]
  private let start: ChunkReader
  private let readers: [ChunkReader]
  private let updates: [FloatBuffer]

  init(
    _ tensors: [MergedTensor], start: TensorFiles, parts: [TensorFiles], pool: WorkerPool,
    length: Int
  ) {
    self.tensors = tensors
    self.pool = pool
    self.parts = parts.count
    count = tensors.reduce(0) { $0 + $1.count }
    self.length = max(1, min(length, tensors.map(\.count).max() ?? 1))
    paths = [start.path] + parts.map(\.path)
    self.start = ChunkReader(start, pool: pool)
    readers = parts.map { ChunkReader($0, pool: pool) }
    let length = self.length
    updates = parts.map { _ in FloatBuffer(count: length) }
  }

  /// - Throws: ``MergeError/notFinite(path:tensor:)``, `CheckpointError`, what `body` throws.
  func forEachChunk(_ body: (UpdateChunk) throws -> Void) throws {
    for tensor in tensors.indices { try forEachChunk(of: tensor, body) }
  }

  /// - Throws: as ``forEachChunk(_:)`` does.
  func forEachChunk(of tensor: Int, _ body: (UpdateChunk) throws -> Void) throws {
    for range in chunks(of: tensors[tensor].count, length: length) {
      try body(chunk(tensor, range))
    }
  }

  private func chunk(_ number: Int, _ range: Range<Int>) throws -> UpdateChunk {
    let tensor = tensors[number]
    try start.read(tensor.start.entry, as: tensor.start.type, range)
    for (reader, own) in zip(readers, tensor.parts) {
      try reader.read(own.entry, as: own.type, range)
    }
    let (origin, values, updates) = (start.values, readers.map(\.values), updates)
    let isFinite = Buffer<UInt8>(repeating: 1, count: parts)
    pool.run(jobs: parts) { part, _ in
      isFinite[part] =
        subtract(origin, from: values[part], count: range.count, into: updates[part]) ? 1 : 0
    }
    if let part = (0..<parts).first(where: { isFinite[$0] == 0 }) {
      let isStart = (0..<range.count).contains { !origin[$0].isFinite }
      throw MergeError.notFinite(path: paths[isStart ? 0 : part + 1], tensor: tensor.name)
    }
    return UpdateChunk(tensor: number, range: range, start: origin, updates: updates)
  }

  /// The numbers of these ranks, from 0, among those that `fill` makes of each part's updates, by
  /// part; exact. `fill` is called twice for each chunk.
  /// - Throws: as ``forEachChunk(_:)`` does.
  func orderStatistics(
    ranks: [Int],
    of fill: @Sendable (_ chunk: UpdateChunk, _ part: Int, _ numbers: FloatBuffer) -> Void
  ) throws -> [[Float]] {
    let length = length
    let room = (0..<parts).map { _ in FloatBuffer(count: length) }
    var statistics = (0..<parts).map { _ in OrderStatistics(ranks: ranks) }
    for walk in 0..<2 {
      let counting = statistics
      try forEachChunk { chunk in
        pool.run(jobs: parts) { part, _ in
          fill(chunk, part, room[part])
          counting[part].count(room[part], chunk.count)
        }
      }
      if walk == 0 { for part in statistics.indices { statistics[part].choose() } }
    }
    return statistics.map(\.values)
  }
}

/// One tensor in all models.
struct MergedTensor: Sendable {
  struct Stored: Sendable {
    let entry: TensorFiles.Entry
    let type: StoredNumber
  }

  let start: Stored
  let parts: [Stored]

  var name: String { parts[0].entry.name }
  var count: Int { parts[0].entry.count }
  /// The number of its block, where its name has one.
  var layer: Int? { name.split(separator: ".").lazy.compactMap { Int($0) }.first }
}
