import Kernels

extension MergePlan {
  /// Merges a tensor after the other and hands each chunk of the merged model out, in the order in
  /// which it is to be written; what is copied is handed out by its entry.
  /// - Throws: ``MergeError``, `CheckpointError`, what `take` and `copy` throw.
  func run(
    pool: WorkerPool, take: (MergedChunk) throws -> Void,
    copy: (TensorFiles.Entry) throws -> Void = { _ in }
  ) throws -> MergeOutcome {
    let walk = UpdateWalk(
      tensors, start: (base ?? parts[0]).files, parts: parts.map(\.files), pool: pool,
      length: Self.length)
    var method = kind.method(parts: parts.count, keep: keep ?? 1)
    try method.survey(walk)
    let pass = MergePass(walk, method, scales)
    var sums = tensors.map { _ in AgreementSums(parts: parts.count) }
    for item in order {
      switch item {
      case .merged(let tensor):
        try walk.forEachChunk(of: tensor) { chunk in
          sums[tensor] += pass.merge(chunk)
          try take(MergedChunk(chunk: chunk, merged: pass.merged, shares: pass.shares))
        }
      case .copied(let entry): try copy(entry)
      }
    }
    return MergeOutcome(tensors, sums, parts: parts.count)
  }

  enum Item {
    case merged(Int)
    case copied(TensorFiles.Entry)
  }

  /// The wider numbers first, so that each begins at a multiple of its width.
  var order: [Item] {
    let all =
      tensors.enumerated().map { (Item.merged($0), $1.parts[0].entry) }
      + copied.map { (Item.copied($0), $0) }
    func width(_ entry: TensorFiles.Entry) -> Int { entry.bytes / max(1, entry.count) }
    return all.enumerated().sorted { one, other in
      (width(other.element.1), one.offset) < (width(one.element.1), other.offset)
    }.map(\.element.0)
  }
}

/// Numbers of the merged model.
struct MergedChunk {
  let chunk: UpdateChunk
  /// θ of the chunk's numbers, from the buffer's beginning on.
  let merged: FloatBuffer
  let shares: MergeShares
}

/// Makes numbers of the merged model, side by side.
private struct MergePass {
  private let method: any MergeMethod
  private let scales: [Double]
  private let pool: WorkerPool
  let shares: MergeShares
  let merged: FloatBuffer

  private static let piece = 1 << 14

  init(_ walk: UpdateWalk, _ method: any MergeMethod, _ scales: [Double]) {
    (self.method, self.scales, pool) = (method, scales, walk.pool)
    shares = MergeShares(parts: walk.parts, length: walk.length)
    merged = FloatBuffer(count: walk.length)
  }

  /// The sums of the pieces are added in their order, so that workers change no bit.
  func merge(_ chunk: UpdateChunk) -> AgreementSums {
    let pieces = Inspection.chunks(of: chunk.count, length: Self.piece)
    let width = AgreementSums(parts: scales.count).numbers.count
    let found = Buffer<Double>(count: pieces.count * width)
    let pass = self
    pool.run(jobs: pieces.count) { job, _ in
      let sums = pass.merge(chunk, pieces[job])
      for (index, number) in sums.numbers.enumerated() { found[job * width + index] = number }
    }
    var total = AgreementSums(parts: scales.count)
    for piece in pieces.indices {
      total += AgreementSums(
        parts: scales.count, numbers: (0..<width).map { found[piece * width + $0] })
    }
    return total
  }

  private func merge(_ chunk: UpdateChunk, _ range: Range<Int>) -> AgreementSums {
    method.share(chunk, range, into: shares)
    for index in range {
      var update = 0.0
      for (part, scale) in scales.enumerated() {
        update += scale * Double(shares.added[part][index])
      }
      merged[index] = Float(Double(chunk.start[index]) + update)
    }
    var sums = AgreementSums(parts: scales.count)
    sums.add(chunk, range, shares, merged: merged)
    return sums
  }
}
