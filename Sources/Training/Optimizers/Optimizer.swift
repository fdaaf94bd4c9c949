package import Kernels
package import Models

/// Turns the slices' gradients into an update of the parameters, by one rule a tensor.
///
/// Gradients are clipped before the moments see them. Work is cut in fixed chunks whose sums are
/// added in their order, so that workers change no bit.
/// - Source: Loshchilov and Hutter 2019 (AdamW); the decay of Wortsman et al. 2023 (2309.14322)
package final class Optimizer {
  package let layout: ParameterLayout
  package let kind: OptimizerKind
  /// Adam's first moments; where a tensor has another rule, its momentum.
  package let firstMoments: FloatBuffer
  /// Adam's second moments; 0 where a tensor has another rule.
  package let secondMoments: FloatBuffer
  /// What clipping remembers from step to step.
  package var clipping = GradientClipping()
  private let pool: WorkerPool
  private let rules: [UpdateRule]
  let rateFactors: [Float]
  private let chunks: [Chunk]
  /// Neighbouring chunks of about the same number of elements: a job each.
  private let groups: [Range<Int>]
  private let sums: Buffer<ChunkSums>
  private let gradient: FloatBuffer
  private let muonParts: [MuonPart]
  private let muonSums: Buffer<UpdateSquares>
  private let muonScratch: [MuonScratch]

  /// - Parameters: `isMuParam` scales each linear layer's rate by 256/fan-in
  package init(
    layout: ParameterLayout, pool: WorkerPool, kind: OptimizerKind = .adamW,
    isMuParam: Bool = false
  ) {
    self.layout = layout
    self.pool = pool
    self.kind = kind
    firstMoments = FloatBuffer(count: layout.count)
    secondMoments = FloatBuffer(count: layout.count)
    rules = layout.tensors.map(kind.rule)
    rateFactors = layout.tensors.map { isMuParam ? muParamFactor($0) : 1 }
    chunks = layout.tensors.enumerated().flatMap { Chunk.cut($1, index: $0) }
    groups = Chunk.groups(chunks)
    sums = Buffer(repeating: ChunkSums(), count: chunks.count)
    gradient = FloatBuffer(count: layout.count)
    let parts = MuonPart.parts(of: layout, kind: kind)
    muonParts = parts
    muonSums = Buffer(repeating: UpdateSquares(), count: parts.count)
    let lent = parts.isEmpty ? 0 : pool.workers
    muonScratch = (0..<lent).map { _ in MuonScratch(places: parts.map(\.place)) }
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
    let isFrozen = layout.tensors.map { rates.freezes($0) }
    var statistics = UpdateStatistics()
    let tensorNorms = gather(&statistics, slices: sliceGradients.count, isFrozen: isFrozen)
    let scales = clipping.scales(
      norm: statistics.gradNorm, tensorNorms: tensorNorms, kind: rates.clipping,
      bound: Double(rates.gradClip))
    statistics.isClipped = scales.isClipped
    var steps = tensorSteps(rates, updates: updates, isFrozen: isFrozen, scales: scales)
    if rates.updateClip > 0 {
      clipUpdates(&steps, limit: Double(rates.updateClip))
    }
    apply(steps, to: parameters)
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
}

extension Optimizer {
  /// - Returns: each tensor's gradient norm; 0 for those that are frozen.
  private func gather(
    _ statistics: inout UpdateStatistics, slices: Int, isFrozen: [Bool]
  ) -> [Double] {
    statistics.sliceGradientSquares = Array(repeating: 0, count: slices)
    var squares = Array(repeating: 0.0, count: layout.tensors.count)
    for (index, chunk) in chunks.enumerated() {
      squares[chunk.tensor] += sums[index].total
      guard !isFrozen[chunk.tensor] else { continue }
      for slice in 0..<slices {
        statistics.sliceGradientSquares[slice] += sums[index].slices[slice]
      }
    }
    statistics.gradRMS = zip(squares, layout.tensors).map { rootMean($0, $1) }
    for index in squares.indices where isFrozen[index] { squares[index] = 0 }
    statistics.gradNorm = squares.reduce(0, +).squareRoot()
    return squares.map { $0.squareRoot() }
  }

  private func tensorSteps(
    _ rates: Rates, updates: Int, isFrozen: [Bool], scales: GradientScales
  ) -> [TensorStep] {
    let shared = AdamCoefficients(rates, updates: updates)
    return layout.tensors.indices.map { index in
      var own = shared
      own.gradientScale = scales[index]
      own.learningRate *= rateFactors[index]
      own.decay = layout.tensors[index].isDecayed ? shared.decay : 0
      return TensorStep(
        rule: isFrozen[index] ? nil : rules[index], adam: own)
    }
  }

  /// Lowers the rate of each of Adam's tensors whose second moment is stale: lr/max(1, RMS/limit).
  private func clipUpdates(_ steps: inout [TensorStep], limit: Double) {
    let (chunks, groups, sums) = (chunks, groups, sums)
    let (gradient, second) = (gradient, secondMoments)
    pool.run(jobs: groups.count) { [steps] job, _ in
      for index in groups[job] where steps[chunks[index].tensor].rule == .adam {
        let chunk = chunks[index]
        sums[index].ratio = squareRatio(
          gradient: gradient, second: second, from: chunk.start, count: chunk.count,
          steps[chunk.tensor].adam)
      }
    }
    var ratios = Array(repeating: 0.0, count: steps.count)
    for (index, chunk) in chunks.enumerated() where steps[chunk.tensor].rule == .adam {
      ratios[chunk.tensor] += sums[index].ratio
    }
    for index in steps.indices {
      let rms = (ratios[index] / Double(layout.tensors[index].count)).squareRoot()
      if rms > limit { steps[index].adam.learningRate *= Float(limit / rms) }
    }
  }

  /// Matrices of Muon's are jobs of their own and come first, since they cost most.
  private func apply(_ steps: [TensorStep], to parameters: FloatBuffer) {
    let (chunks, groups, sums, gradient) = (chunks, groups, sums, gradient)
    let (parts, partSums, scratch) = (muonParts, muonSums, muonScratch)
    let (first, second) = (firstMoments, secondMoments)
    pool.run(jobs: parts.count + groups.count) { job, worker in
      guard job < parts.count else {
        for index in groups[job - parts.count] {
          sums[index].squares = steps[chunks[index].tensor].apply(
            chunks[index], parameters: parameters, gradient: gradient, first: first,
            second: second)
        }
        return
      }
      partSums[job] = UpdateSquares()
      let step = steps[parts[job].tensor]
      guard step.rule == .muon else { return }
      partSums[job] = muonStep(
        parameters: parameters, gradient: gradient, velocity: first, at: parts[job].place,
        scratch: scratch[worker], step.momentum(MomentumConstants.muon))
    }
  }

  private func finish(_ statistics: inout UpdateStatistics) {
    var updates = Array(repeating: 0.0, count: layout.tensors.count)
    var norms = updates
    for (index, chunk) in chunks.enumerated() {
      updates[chunk.tensor] += sums[index].squares.update
      norms[chunk.tensor] += sums[index].squares.parameter
    }
    for (index, part) in muonParts.enumerated() {
      updates[part.tensor] += muonSums[index].update
      norms[part.tensor] += muonSums[index].parameter
    }
    statistics.updateRMS = zip(updates, layout.tensors).map { rootMean($0, $1) }
    statistics.paramNorm = norms.map { Float($0.squareRoot()) }
    statistics.isFinite = statistics.gradNorm.isFinite && norms.allSatisfy(\.isFinite)
  }
}

private func rootMean(_ squares: Double, _ tensor: ParameterTensor) -> Float {
  Float((squares / Double(tensor.count)).squareRoot())
}

/// The rate of a linear layer under muParam (simple), against a base width of 256.
/// - Source: Wortsman et al. 2023, section 3.2.4
private func muParamFactor(_ tensor: ParameterTensor) -> Float {
  switch tensor.kind {
  case .matrix, .unembedding: 256 / Float(tensor.fanIn)
  case .embedding, .gain, .bias, .fixed: 1
  }
}
