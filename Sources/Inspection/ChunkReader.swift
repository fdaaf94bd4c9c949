package import Kernels
package import Training

/// Reads tensors as Float32, a chunk at a time, into memory of its own.
package final class ChunkReader {
  private struct Content: Equatable {
    let name: String
    let range: Range<Int>
  }

  private let files: TensorFiles
  private let pool: WorkerPool
  private(set) package var values = FloatBuffer(count: 0)
  private var stored = Buffer<UInt8>(count: 0)
  private var holds: Content?

  private static let piece = 1 << 16

  package init(_ files: TensorFiles, pool: WorkerPool) {
    (self.files, self.pool) = (files, pool)
  }

  /// Puts the numbers of `range` into `values`, from 0 on; what is there already is not read again.
  /// - Throws: `CheckpointError`.
  package func read(
    _ entry: TensorFiles.Entry, as type: StoredNumber, _ range: Range<Int>
  ) throws(CheckpointError) {
    let content = Content(name: entry.name, range: range)
    guard holds != content else { return }
    holds = nil
    let count = range.count
    if values.count < count { values = FloatBuffer(count: count) }
    if stored.count < count * type.bytes { stored = Buffer(count: count * type.bytes) }
    try files.read(entry, type, from: range.lowerBound, count: count, into: stored)
    let (stored, values) = (stored, values)
    pool.run(jobs: (count + Self.piece - 1) / Self.piece) { job, _ in
      let first = job * Self.piece
      decode(stored, as: type, from: first, count: min(Self.piece, count - first), into: values)
    }
    holds = content
  }
}

/// `0..<count` in parts of `length`.
func chunks(of count: Int, length: Int) -> [Range<Int>] {
  stride(from: 0, to: count, by: length).map { $0..<min($0 + length, count) }
}
