package import Kernels
import Models
import Training

extension MergePlan {
  /// What λᵢ may be.
  package static let searched = 0.8...1.3

  /// Sets λ of each part to what gives the lowest loss, mean over texts, that so many tries come upon.
  ///
  /// From λ = 1 on a step of normal numbers is tried: one that betters the loss is made and the next may
  /// be longer by half, after any other it is shorter.
  /// All that the parts add, and where they began, is in memory meanwhile.
  /// - Returns: the lowest loss; λ = 1 for all parts is the first try.
  /// - Throws: ``MergeError``, `CheckpointError`, `DataError`.
  /// - Source: Du et al. 2024, 100 tries from 1 in these bounds by nevergrad; the search is Rechenberg's
  ///   (1+1) with the 1/5 rule.
  package mutating func searchScales(
    on texts: [HeldOutText], windows: Int, tries: Int, pool: WorkerPool
  ) throws -> Double {
    guard let first = parts[0].checkpoint else { preconditionFailure("no checkpoints") }
    let updates = try PartUpdates(self, of: first, pool: pool)
    let trials = try texts.map { try $0.trial(of: first, most: windows, pool: pool) }
    func loss(_ scales: [Double]) -> Double {
      updates.merge(scales)
      return trials.reduce(0) { $0 + $1.loss(updates.merged) } / Double(trials.count)
    }
    var random = RandomStream(seed: 0, name: "merging scales")
    var (best, step) = (parts.map { _ in 1.0 }, 0.15)
    var lowest = loss(best)
    for _ in 1..<max(1, tries) {
      let scales = best.map { scale in
        min(max(scale + step * random.normal(), Self.searched.lowerBound), Self.searched.upperBound)
      }
      let found = loss(scales)
      if found < lowest {
        (best, lowest) = (scales, found)
        step *= 1.5
      } else {
        step *= 0.9036  // 1.5 to the power of -1/4
      }
    }
    scales = best
    return lowest
  }
}

/// What the parts add to where they began, whole.
private final class PartUpdates {
  let merged: FloatBuffer
  private let start: FloatBuffer
  private let added: [FloatBuffer]
  private let pool: WorkerPool

  private static let piece = 1 << 16

  init(_ plan: MergePlan, of first: Checkpoint, pool: WorkerPool) throws {
    let count = first.layout.count
    // What is not merged stays as the first part has it.
    let start = FloatBuffer(count: count)
    try first.load(parameters: start)
    let added = plan.parts.map { _ in FloatBuffer(count: count) }
    _ = try plan.run(pool: pool) { piece in
      plan.put(piece.chunk.start, of: piece.chunk, into: start, of: first)
      for (own, share) in zip(added, piece.shares.added) {
        plan.put(share, of: piece.chunk, into: own, of: first)
      }
    }
    merged = FloatBuffer(count: count)
    (self.start, self.added, self.pool) = (start, added, pool)
  }

  func merge(_ scales: [Double]) {
    let parts = chunks(of: merged.count, length: Self.piece)
    let (merged, start, added) = (merged, start, added)
    pool.run(jobs: parts.count) { job, _ in
      for index in parts[job] {
        var update = 0.0
        for (scale, own) in zip(scales, added) { update += scale * Double(own[index]) }
        merged[index] = Float(Double(start[index]) + update)
      }
    }
  }
}
