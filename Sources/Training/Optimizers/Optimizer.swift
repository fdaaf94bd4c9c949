package import Kernels
package import Models

/// AdamW with a global-norm clip before the moments and a decay independent of the learning rate.
///
/// θ −= lr·m̂/(sqrt(v̂) + ε) + wd·(lr/peak)·θ, the decay on matrices only, embedding and
/// unembedding included. Work is cut in fixed chunks whose sums are added in their order, so that
/// workers change no bit.
/// - Source: Loshchilov and Hutter 2019; the decay of Wortsman et al. 2023
package final class Optimizer {
  package struct Rates: Sendable, Hashable {
    package var learningRate: Float
    package var peakLearningRate: Float
    package var beta1: Float = 0.9
    package var beta2: Float = 0.95
    package var epsilon: Float = 1e-8
    package var weightDecay: Float = 1e-4
    /// The largest global gradient norm; 0 for any.
    package var gradClip: Float = 1

    package init(learningRate: Float, peakLearningRate: Float) {
      self.learningRate = learningRate
      self.peakLearningRate = peakLearningRate
    }
  }

  package let layout: ParameterLayout
  package let firstMoments: FloatBuffer
  package let secondMoments: FloatBuffer
  private let pool: WorkerPool
  private let chunks: [Chunk]
  /// Neighbouring chunks of about the same number of elements: a job each.
  private let groups: [Range<Int>]
  private let sums: Buffer<ChunkSums>
  private let gradient: FloatBuffer

  package init(layout: ParameterLayout, pool: WorkerPool) {
    self.layout = layout
    self.pool = pool
    firstMoments = FloatBuffer(count: layout.count)
    secondMoments = FloatBuffer(count: layout.count)
    chunks = layout.tensors.enumerated().flatMap { Chunk.cut($1, index: $0) }
    groups = Chunk.groups(chunks)
    sums = Buffer(repeating: ChunkSums(), count: chunks.count)
    gradient = FloatBuffer(count: layout.count)
  }

  /// One update of the parameters from the slices' gradients, which are left as they are.
  ///
  /// - Parameters: `updates` is the number of updates done before
  package func update(
    parameters: FloatBuffer, sliceGradients: [FloatBuffer], updates: Int, rates: Rates
  ) -> UpdateStatistics {
    let (chunks, groups, sums, gradient) = (chunks, groups, sums, gradient)
    pool.run(jobs: groups.count) { job, _ in
      for index in groups[job] { sums[index].sum(sliceGradients, into: gradient, chunks[index]) }
    }
    var statistics = gather(slices: sliceGradients.count)
    let norm = statistics.gradNorm
    var coefficients = AdamCoefficients(rates, updates: updates)
    if rates.gradClip > 0, norm > Double(rates.gradClip) {
      // PyTorch's clip_grad_norm_ divides by the norm and a millionth.
      coefficients.gradientScale = Float(Double(rates.gradClip) / (norm + 1e-6))
      statistics.isClipped = true
    }
    let (first, second) = (firstMoments, secondMoments)
    pool.run(jobs: groups.count) { [coefficients] job, _ in
      for index in groups[job] {
        let chunk = chunks[index]
        var own = coefficients
        if !chunk.isDecayed { own.decay = 0 }
        sums[index].squares = adamStep(
          parameters: parameters, gradient: gradient, first: first, second: second,
          from: chunk.start, count: chunk.count, own)
      }
    }
    finish(&statistics)
    return statistics
  }

  /// Forgets what is known about a tensor's gradients, as if training began here for it.
  package func reset(tensor: ParameterTensor) {
    for element in tensor.offset..<tensor.offset + tensor.count {
      firstMoments[element] = 0
      secondMoments[element] = 0
    }
  }

  private func gather(slices: Int) -> UpdateStatistics {
    var statistics = UpdateStatistics()
    statistics.sliceGradientSquares = Array(repeating: 0, count: slices)
    var squares = Array(repeating: 0.0, count: layout.tensors.count)
    for (index, chunk) in chunks.enumerated() {
      squares[chunk.tensor] += sums[index].total
      for slice in 0..<slices {
        statistics.sliceGradientSquares[slice] += sums[index].slices[slice]
      }
    }
    statistics.gradNorm = squares.reduce(0, +).squareRoot()
    statistics.gradRMS = zip(squares, layout.tensors).map { Self.rms($0, $1) }
    return statistics
  }

  private func finish(_ statistics: inout UpdateStatistics) {
    var updates = Array(repeating: 0.0, count: layout.tensors.count)
    var norms = updates
    for (index, chunk) in chunks.enumerated() {
      updates[chunk.tensor] += sums[index].squares.update
      norms[chunk.tensor] += sums[index].squares.parameter
    }
    statistics.updateRMS = zip(updates, layout.tensors).map { Self.rms($0, $1) }
    statistics.paramNorm = norms.map { Float($0.squareRoot()) }
    statistics.isFinite = statistics.gradNorm.isFinite && norms.allSatisfy(\.isFinite)
  }

  private static func rms(_ squares: Double, _ tensor: ParameterTensor) -> Float {
    Float((squares / Double(tensor.count)).squareRoot())
  }
}

/// What one update knows about itself; arrays are in the layout's order of tensors.
package struct UpdateStatistics: Sendable, Hashable {
  /// Of all gradients together, before clipping.
  package var gradNorm = 0.0
  package var isClipped = false
  /// Gradients before clipping.
  package var gradRMS: [Float] = []
  /// The step lr·Δ, without the decay.
  package var updateRMS: [Float] = []
  /// After the update.
  package var paramNorm: [Float] = []
  /// Σ g² of each slice's share of the batch's gradient, for the noise scale.
  package var sliceGradientSquares: [Double] = []
  /// No gradient and no parameter is infinite or NaN.
  package var isFinite = true

  package init() {}
}

extension AdamCoefficients {
  fileprivate init(_ rates: Optimizer.Rates, updates: Int) {
    let peak = rates.peakLearningRate
    self.init(
      learningRate: rates.learningRate, beta1: rates.beta1, beta2: rates.beta2,
      correction1: Self.correction(rates.beta1, updates: updates),
      correction2: Self.correction(rates.beta2, updates: updates), epsilon: rates.epsilon,
      decay: peak > 0 ? rates.weightDecay * (rates.learningRate / peak) : 0)
  }

  /// 1/(1 − βᵗ) for t = updates + 1; β as it is stored, since 1 − β is small.
  private static func correction(_ beta: Float, updates: Int) -> Float {
    var power = 1.0
    var base = Double(beta)
    var exponent = updates + 1
    while exponent > 0 {
      if exponent & 1 == 1 { power *= base }
      base *= base
      exponent >>= 1
    }
    return Float(1 / (1 - power))
  }
}
