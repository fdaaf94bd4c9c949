import Kernels
import Models

/// Trains hidden matrices of which only some blocks of 16 by 16 are there, and exchanges blocks on the
/// way: the smallest are dropped, and as many are grown where the gradient is largest.
///
/// Every matrix has the same share of its blocks at every step, one at least. What is not there is 0,
/// and so are its moments; products pass it over. A block that grows begins at 0. At an exchange the
/// gradient is that of whole matrices, and the step's update is made before it. Of equal sizes the
/// first block in the matrix is taken first.
/// - Source: Evci et al. 2020 (RigL, 1911.11134), with Yin et al. 2024 (DSL, 2402.02855), by blocks
///   instead of single weights and with the optimiser's moments cleared
final class DynamicSparsity {
  /// 1 where a block is there, 0 where it is not, matrix after matrix.
  private let mask: FloatBuffer
  /// By matrix, the share of the blocks there that came with the last exchange.
  private let churn: FloatBuffer
  /// What blocks are grown by, and dropped by.
  private let growth: FloatBuffer
  private let sizes: FloatBuffer
  private let parts: [Part]
  private let pool: WorkerPool
  private let schedule: RegrowthSchedule
  private let matrices: SparseMatrices

  struct Part: Sendable {
    let tensor: ParameterTensor
    let grid: BlockGrid
    /// Of the masks.
    let first: Int
    /// Blocks that are there.
    let kept: Int

    var blocks: Range<Int> { first..<first + grid.count }
  }

  /// Nil for a run of whole matrices.
  init?(_ configuration: TrainingConfiguration, layout: ParameterLayout, pool: WorkerPool) {
    guard configuration.sparsity > 0 else { return nil }
    let sparsity = configuration.sparsity
    var parts: [Part] = []
    for tensor in layout.tensors where tensor.role.isHiddenMatrix {
      let grid = BlockGrid(
        offset: tensor.offset, rows: tensor.count / tensor.fanIn, columns: tensor.fanIn)
      let kept = max(1, Int((Double(grid.count) * (1 - sparsity)).rounded()))
      parts.append(
        Part(tensor: tensor, grid: grid, first: parts.last?.blocks.upperBound ?? 0, kept: kept))
    }
    let count = parts.last?.blocks.upperBound ?? 0
    self.parts = parts
    self.pool = pool
    schedule = RegrowthSchedule(every: configuration.regrow, steps: configuration.steps)
    let mask = FloatBuffer(count: count)
    self.mask = mask
    matrices = SparseMatrices(
      parts.map { ($0.tensor, BlockPattern($0.grid, mask: mask, from: $0.first)) })
    churn = FloatBuffer(count: parts.count)
    growth = FloatBuffer(count: count)
    sizes = FloatBuffer(count: count)
  }

  /// Draws the first blocks, and clears the others.
  func begin(at parameters: FloatBuffer, seed: UInt64) {
    for part in parts {
      var random = RandomStream(seed: seed, name: part.maskName)
      let drawn = part.blocks.map { ($0, random.next()) }.sorted { ($0.1, $0.0) < ($1.1, $1.0) }
      for (place, block) in drawn.enumerated() { mask[block.0] = place < part.kept ? 1 : 0 }
      clearEmpty(part, in: [parameters])
    }
  }

  func isDue(at step: Int) -> Bool { schedule.isDue(at: step) }

  /// What the passes of a step may skip: the gradients of what is not there are taken only where blocks
  /// are exchanged.
  func matrices(at step: Int) -> SparseMatrices {
    var matrices = matrices
    matrices.takesWholeGradients = isDue(at: step)
    return matrices
  }

  /// Remembers what blocks could grow by.
  ///
  /// - Parameters: `gradient` is that of whole matrices, over all slices and ranks
  func measure(_ gradient: FloatBuffer) {
    pool.run(jobs: parts.count) { [parts, growth] job, _ in
      parts[job].grid.sizes(in: gradient, into: growth, from: parts[job].first)
    }
  }

  /// Clears the gradients of what is not there, or other numbers of the same places.
  func mask(_ buffers: [FloatBuffer]) {
    pool.run(jobs: parts.count) { [parts, mask] job, _ in
      Self.clearEmpty(parts[job], mask, in: buffers)
    }
  }

  /// Exchanges blocks, after the update of a step whose gradient was measured.
  ///
  /// - Parameters: `moments` are cleared wherever a block comes or goes; the first `frozenBlocks`
  ///   blocks of the model stay as they are
  func regrow(
    at step: Int, parameters: FloatBuffer, moments: [FloatBuffer], frozenBlocks: Int
  ) {
    pool.run(jobs: parts.count) { [parts, sizes] job, _ in
      parts[job].grid.sizes(in: parameters, into: sizes, from: parts[job].first)
    }
    for (index, part) in parts.enumerated() {
      guard (part.tensor.layer ?? 0) >= frozenBlocks else { continue }
      let changed = exchange(part, share: schedule.share(at: step))
      churn[index] = Float(changed.grown.count) / Float(part.kept)
      for block in changed.dropped + changed.grown {
        for buffer in [parameters] + moments { part.grid.clear(block - part.first, in: buffer) }
      }
    }
  }

  /// The blocks of `part` that go and come; one that would be dropped and grown at once stays.
  private func exchange(_ part: Part, share: Double) -> (dropped: [Int], grown: [Int]) {
    let present = part.blocks.filter { mask[$0] == 1 }
    let count = min(present.count, Int((share * Double(part.kept)).rounded(.up)))
    let smallest = present.sorted { (sizes[$0], $0) < (sizes[$1], $1) }.prefix(count)
    let leaving = Set(smallest)
    let free = part.blocks.filter { mask[$0] == 0 || leaving.contains($0) }
    let coming = Set(free.sorted { (-growth[$0], $0) < (-growth[$1], $1) }.prefix(count))
    let dropped = smallest.filter { !coming.contains($0) }
    let grown = coming.subtracting(leaving).sorted()
    for block in dropped { mask[block] = 0 }
    for block in grown { mask[block] = 1 }
    return (dropped, grown)
  }

  private func clearEmpty(_ part: Part, in buffers: [FloatBuffer]) {
    Self.clearEmpty(part, mask, in: buffers)
  }

  private static func clearEmpty(_ part: Part, _ mask: FloatBuffer, in buffers: [FloatBuffer]) {
    for block in part.blocks where mask[block] == 0 {
      for buffer in buffers { part.grid.clear(block - part.first, in: buffer) }
    }
  }
}

extension DynamicSparsity {
  /// What is known of one matrix.
  struct Share {
    let tensor: String
    /// The share of its blocks that are not there.
    let empty: Double
    /// The share of those there that came with the last exchange.
    let churn: Double
  }

  var shares: [Share] {
    parts.enumerated().map { index, part in
      let empty = part.blocks.count { mask[$0] == 0 }
      return Share(
        tensor: part.tensor.name, empty: Double(empty) / Double(part.grid.count),
        churn: Double(churn[index]))
    }
  }

  /// Whether each block of a matrix is there.
  func blocks(of tensor: ParameterTensor) -> [Bool]? {
    parts.first { $0.tensor == tensor }.map { $0.blocks.map { mask[$0] == 1 } }
  }

  /// What a checkpoint keeps beside the weights.
  var stored: [StoredTensor] {
    parts.map { part in
      StoredTensor(
        name: part.maskName, shape: [part.grid.down, part.grid.across], buffer: mask,
        offset: part.first)
    } + [StoredTensor(name: "sparsity.churn", shape: [parts.count], buffer: churn)]
  }

  /// Goes on with the blocks of a checkpoint.
  /// - Throws: What a checkpoint's tensors throw; `tensorMissing` for one of whole matrices; `damaged`
  ///   for masks of anything but as many blocks as are to be there.
  func resume(_ checkpoint: Checkpoint) throws(CheckpointError) {
    for tensor in stored { try checkpoint.load(tensor) }
    for part in parts {
      let present = part.blocks.count { mask[$0] == 1 }
      let absent = part.blocks.count { mask[$0] == 0 }
      let empty = part.grid.count - part.kept
      guard present == part.kept, absent == empty else {
        throw .damaged(
          path: checkpoint.path + "/optimizer.safetensors", offset: nil,
          expected: "\(part.kept) blocks at 1 in \(part.maskName) and \(empty) at 0",
          found: "\(present) at 1 and \(absent) at 0")
      }
    }
  }
}

extension DynamicSparsity.Part {
  fileprivate var maskName: String { tensor.name + ".mask" }
}
