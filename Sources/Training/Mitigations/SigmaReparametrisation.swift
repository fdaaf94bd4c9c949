import Kernels
import Models

/// Trains hidden matrices as Ŵ = γ·W/σ(W): their direction and their largest singular value apart.
///
/// σ comes from one step of power iteration an update; its vectors are kept, and no gradient flows
/// through them. γ, one a matrix, starts at σ(W₀), so that the function is what it was. The engine
/// sees Ŵ alone; the optimiser sees W and γ.
/// - Cost: about ten operations an element of the matrices an update, and a copy of the parameters
/// - Source: Zhai et al. 2023 (2303.06296)
final class SigmaReparametrisation: Sendable {
  /// W and all that is trained as it is, in the parameters' layout.
  let weights: FloatBuffer
  private let layout: ParameterLayout
  private let pool: WorkerPool
  let parts: [Part]
  let left: FloatBuffer
  let right: FloatBuffer
  private let sigmas: FloatBuffer

  /// A matrix, its γ among the parameters and its vectors.
  struct Part {
    let layer: Int
    let place: MatrixPlace
    let gain: Int
    let left: Int
    let right: Int
  }

  private static let firstIterations = 30

  /// - Parameters: `layout` has a γ for every hidden matrix
  init(layout: ParameterLayout, pool: WorkerPool) {
    self.layout = layout
    self.pool = pool
    var parts: [Part] = []
    var (lefts, rights) = (0, 0)
    for tensor in layout.tensors {
      guard tensor.role.isHiddenMatrix, let gains = layout[tensor.sigmaGainName] else { continue }
      for (index, place) in MuonPart.places(of: tensor).enumerated() {
        parts.append(
          Part(
            layer: tensor.layer ?? 0, place: place, gain: gains.offset + index, left: lefts,
            right: rights))
        lefts += place.rows
        rights += place.columns
      }
    }
    self.parts = parts
    weights = FloatBuffer(count: layout.count)
    left = FloatBuffer(count: lefts)
    right = FloatBuffer(count: rights)
    sigmas = FloatBuffer(count: parts.count)
  }

  /// Begins at `parameters`, whose γ it sets.
  func begin(at parameters: FloatBuffer, seed: UInt64) {
    weights.copy(from: parameters)
    var random = RandomStream(seed: seed, name: "sigma-reparametrisation")
    for index in 0..<left.count { left[index] = Float(random.normal()) }
    for (index, part) in parts.enumerated() {
      for _ in 0..<Self.firstIterations { iterate(index) }
      weights[part.gain] = sigmas[index]
    }
    write(to: parameters)
  }

  /// After an update of the weights: one step of power iteration, then Ŵ in `parameters`.
  ///
  /// The first `frozenBlocks` keep their σ too: a better one would change their Ŵ.
  func fold(into parameters: FloatBuffer, frozenBlocks: Int = 0) {
    pool.run(jobs: parts.count) { job, _ in
      if self.parts[job].layer >= frozenBlocks { self.iterate(job) }
    }
    write(to: parameters)
  }

  /// The slices' gradients of Ŵ become those of W and γ.
  func backward(_ slices: [FloatBuffer]) {
    pool.run(jobs: parts.count) { [parts, weights, left, right, sigmas] job, _ in
      let part = parts[job]
      for slice in slices {
        slice[part.gain] = spectralScaleBackward(
          slice, weights: weights, at: part.place, left: left.base + part.left,
          right: right.base + part.right, sigma: sigmas[job], gain: weights[part.gain])
      }
    }
  }

  private func iterate(_ index: Int) {
    let part = parts[index]
    sigmas[index] = powerIteration(
      weights, at: part.place, left: left.base + part.left, right: right.base + part.right)
  }

  private func write(to parameters: FloatBuffer) {
    parameters.copy(from: weights)
    pool.run(jobs: parts.count) { [parts, weights, sigmas] job, _ in
      let factor = weights[parts[job].gain] / sigmas[job]
      copy(weights, at: parts[job].place, times: factor, into: parameters)
    }
  }
}

extension SigmaReparametrisation {
  /// What a checkpoint keeps beside Ŵ: W and the right vectors, from which all else follows.
  var stored: [StoredTensor] {
    var tensors: [StoredTensor] = []
    var start = 0
    for tensor in layout.tensors {
      guard tensor.role.isHiddenMatrix, let gains = layout[tensor.sigmaGainName] else { continue }
      let columns = tensor.fanIn
      tensors.append(
        StoredTensor(
          name: tensor.name + ".unscaled", shape: tensor.shape, buffer: weights,
          offset: tensor.offset))
      tensors.append(
        StoredTensor(
          name: tensor.name + ".sigma_vector", shape: [gains.count, columns], buffer: right,
          offset: start))
      start += gains.count * columns
    }
    return tensors
  }

  /// Goes on from what was stored, with `parameters` as they were.
  func resume(_ checkpoint: Checkpoint, parameters: FloatBuffer) throws(CheckpointError) {
    weights.copy(from: parameters)
    for tensor in stored { try checkpoint.load(tensor) }
    for (index, part) in parts.enumerated() {
      sigmas[index] = singularValue(
        weights, at: part.place, left: left.base + part.left, right: right.base + part.right)
    }
  }
}
