internal import Kernels

/// The weights of a model's products, each packed once.
struct PackedWeights: Sendable {
  /// By their places, which rise.
  private let tensors: [ParameterTensor]
  private let matrices: [PackedMatrix]
  /// Takes a product's columns apart, for one pass at a time; nil to leave it whole.
  var pool: WorkerPool?

  init(_ model: Transformer, arena: Arena) {
    let layout = model.layout
    // Beside frozen weights the trained ones are small.
    tensors = (layout.trunk.isEmpty ? layout.tensors : layout.trunk)
      .filter { $0.role.isLinear || $0.role == .fixed || $0.place == model.ends.unembedding }
    matrices = tensors.map {
      PackedMatrix(rows: $0.place.rows, columns: $0.place.columns, arena: arena)
    }
  }

  var places: [TensorPlace] { tensors.map(\.place) }

  /// Whether it is one of these, and not trained beside them.
  func holds(_ place: TensorPlace) -> Bool { tensors.first?.isFrozen == place.isFrozen }

  func fill(from parameters: ParameterView, pool: WorkerPool) {
    pool.run(jobs: matrices.count) { job, _ in
      matrices[job].fill(from: parameters[tensors[job].place])
    }
  }

  func multiply(_ x: Matrix, transposed place: TensorPlace, into y: Matrix, adding: Bool) {
    let matrix = matrices[index(of: place)]
    guard let pool, pool.workers > 1, matrix.rows * matrix.columns >= Self.worthSplitting else {
      return Kernels.multiply(x, packed: matrix, into: y, adding: adding)
    }
    let (strips, workers) = (y.strips, pool.workers)
    pool.run(jobs: workers) { job, _ in
      // In fours, which are taken together.
      let bounds = [job, job + 1].map { $0 * (strips / 4) / workers * 4 }
      let end = job == workers - 1 ? strips : bounds[1]
      Kernels.multiply(x, packed: matrix, into: y, adding: adding, strips: bounds[0]..<end)
    }
  }

  /// Below it waiting for the others takes longer than the work.
  private static let worthSplitting = 1 << 16

  private func index(of place: TensorPlace) -> Int {
    var (low, high) = (0, tensors.count - 1)
    while low < high {
      let middle = (low + high) / 2
      if tensors[middle].offset < place.offset { low = middle + 1 } else { high = middle }
    }
    precondition(
      low < tensors.count && tensors[low].place == place, "a product with what is no weight")
    return low
  }
}
