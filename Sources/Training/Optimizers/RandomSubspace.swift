import Kernels
import Models

/// Trains in a random subspace: θ = θ₀ + P·θ_d, of which θ_d alone, d numbers from 0 on, is trained.
///
/// P is never held: it is Fastfood's S·H·G·Π·H·B over n numbers, n a power of two, with H the
/// Walsh–Hadamard transform, B random signs, Π a permutation, G normal numbers, and S the factor that
/// gives its columns length 1 in the mean. The gradient of θ_d is Pᵀ times that of θ. All of it is
/// drawn from the seed and stays as it is; the fixed tensors are no part of θ.
/// - Cost: 2·n·log₂ n additions and a walk over n an update of one slice; 4·n numbers
/// - Source: Li et al. 2018 (1804.08838), with their Fastfood
final class RandomSubspace: Sendable {
  let layout: ParameterLayout
  /// θ_d.
  let weights: FloatBuffer
  private let tensors: [ParameterTensor]
  private let pool: WorkerPool
  private let origin: FloatBuffer
  /// n.
  private let count: Int
  private let signs: FloatBuffer
  private let permutation: Buffer<Int32>
  private let normals: FloatBuffer
  private let scale: Float
  private let (numbers, others): (FloatBuffer, FloatBuffer)
  /// Of θ_d, one a slice.
  private let gradients: [FloatBuffer]

  /// What a run of gradients takes: `slices` are this rank's.
  init(
    dimensions: Int, of model: ParameterLayout, pool: WorkerPool, slices: Int, seed: UInt64
  ) {
    self.pool = pool
    layout = ParameterLayout(subspace: dimensions)
    tensors = model.tensors.filter { $0.role != .fixed }
    let trained = tensors.reduce(0) { $0 + $1.count }
    let count = powerOfTwo(atLeast: max(trained, dimensions))
    self.count = count
    origin = FloatBuffer(count: model.count)
    weights = FloatBuffer(count: layout.count)
    gradients = (0..<slices).map { [layout] _ in FloatBuffer(count: layout.count) }
    (numbers, others) = (FloatBuffer(count: count), FloatBuffer(count: count))
    (signs, normals) = (FloatBuffer(count: count), FloatBuffer(count: count))
    permutation = Buffer(count: count)
    var random = RandomStream(seed: seed, name: "subspace")
    var squares = 0.0
    for index in 0..<count {
      signs[index] = random.next() & 1 == 0 ? 1 : -1
      let normal = Float(random.normal())
      normals[index] = normal
      squares += Double(normal) * Double(normal)
      permutation[index] = Int32(index)
    }
    for index in stride(from: count - 1, to: 0, by: -1) {
      let other = Int(random.next().multipliedFullWidth(by: UInt64(index + 1)).high)
      let kept = permutation[index]
      permutation[index] = permutation[other]
      permutation[other] = kept
    }
    let n = Double(count)
    scale = Float(1 / ((n * squares).squareRoot() * (Double(trained) / n).squareRoot()))
  }

  /// Begins at `parameters`.
  func begin(at parameters: FloatBuffer) { origin.copy(from: parameters) }

  /// θ, after an update of θ_d.
  func fold(into parameters: FloatBuffer) {
    let kept = min(weights.count, count)
    for index in 0..<kept { numbers[index] = weights[index] * signs[index] }
    clear(from: kept)
    hadamard(numbers, count: count, ofFirst: kept, pool: pool)
    forEachPart { [numbers, others, normals, permutation] range in
      let (x, y, normals, places) = (
        numbers.base, others.base, normals.base, permutation.base
      )
      for index in range { y[index] = x[Int(places[index])] * normals[index] }
    }
    hadamard(others, count: count, pool: pool)
    forEachTensor { [others, origin, scale] tensor, start in
      let (theta, from) = (parameters.base + tensor.offset, origin.base + tensor.offset)
      let change = others.base + start
      for index in 0..<tensor.count { theta[index] = from[index] + scale * change[index] }
    }
  }

  /// The slices' gradients of θ as those of θ_d.
  func gradients(of slices: [FloatBuffer]) -> [FloatBuffer] {
    for (slice, gradient) in zip(slices, gradients) { project(slice, into: gradient) }
    return Array(gradients.prefix(slices.count))
  }

  /// The same steps transposed, the last one first.
  private func project(_ slice: FloatBuffer, into gradient: FloatBuffer) {
    let end = forEachTensor { [numbers, scale] tensor, start in
      let (x, gradient) = (numbers.base + start, slice.base + tensor.offset)
      for index in 0..<tensor.count { x[index] = scale * gradient[index] }
    }
    clear(from: end)
    hadamard(numbers, count: count, pool: pool)
    forEachPart { [numbers, others, normals, permutation] range in
      let (x, y, normals, places) = (
        numbers.base, others.base, normals.base, permutation.base
      )
      for index in range { y[Int(places[index])] = x[index] * normals[index] }
    }
    hadamard(others, count: count, first: layout.tensors[0].count, pool: pool)
    let (target, x, signs) = (gradient.base, others.base, signs.base)
    for index in 0..<layout.tensors[0].count { target[index] = x[index] * signs[index] }
  }

  /// - Returns: where the last tensor's numbers end
  @discardableResult
  private func forEachTensor(
    _ body: @Sendable (_ tensor: ParameterTensor, _ start: Int) -> Void
  ) -> Int {
    var starts = [0]
    for tensor in tensors { starts.append(starts[starts.count - 1] + tensor.count) }
    pool.run(jobs: tensors.count) { [tensors, starts] job, _ in body(tensors[job], starts[job]) }
    return starts[tensors.count]
  }

  private func forEachPart(_ body: @Sendable (Range<Int>) -> Void) {
    let part = max(count / 16, 1)
    pool.run(jobs: count / part) { job, _ in body(job * part..<(job + 1) * part) }
  }

  private func clear(from start: Int) {
    (numbers.base + start).update(repeating: 0, count: count - start)
  }
}

extension RandomSubspace {
  /// What a checkpoint keeps beside θ: θ_d and its moments.
  func stored(_ optimizer: Optimizer) -> [StoredTensor] {
    let names = ["", ".exp_avg", ".exp_avg_sq"]
    let buffers = [weights, optimizer.firstMoments, optimizer.secondMoments]
    return zip(names, buffers).map {
      StoredTensor(name: "subspace" + $0, shape: layout.tensors[0].shape, buffer: $1)
    }
  }

  /// Goes on from what was stored; θ₀ is that of a new run.
  func resume(
    _ checkpoint: Checkpoint, optimizer: Optimizer, seed: UInt64
  ) throws(CheckpointError) {
    initialise(parameters: origin, layout: checkpoint.layout, seed: seed)
    for tensor in stored(optimizer) { try checkpoint.load(tensor) }
  }
}
