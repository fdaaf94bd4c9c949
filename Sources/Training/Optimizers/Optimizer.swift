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
  private let rules: [UpdateRule]
  let rateFactors: [Float]
  private let chunks: [Chunk]
  /// Neighbouring chunks of about the same number of elements: a job each.
  private let groups: [Range<Int>]
  private let sums: Buffer<ChunkSums>
  private let gradient: FloatBuffer
  /// One a tensor: what the present update does to it, and what it measured.
  private var steps: [TensorStep] = []
  private var tensorNorms: [Double]
  private let tensorSums: Buffer<TensorSums>
  private var statistics = UpdateStatistics()
  private let muonParts: [MuonPart]
  private let muonSums: Buffer<UpdateSquares>
  private let summing: Round<[FloatBuffer]>
  private let measuring: Round<[TensorStep]>
  private let applying: Round<Update>

  /// - Parameters: `isMuParam` scales each linear layer's rate by 256/fan-in
  package init(
    layout: ParameterLayout, pool: WorkerPool, kind: OptimizerKind = .adamW,
    isMuParam: Bool = false
  ) {
    self.layout = layout
    self.kind = kind
    firstMoments = FloatBuffer(count: layout.count)
    secondMoments = FloatBuffer(count: layout.count)
    rules = layout.tensors.map(kind.rule)
    rateFactors = layout.tensors.map { isMuParam ? muParamFactor($0) : 1 }
    chunks = layout.tensors.enumerated().flatMap { Chunk.cut($1, index: $0) }
    groups = Chunk.groups(chunks)
    sums = Buffer(repeating: ChunkSums(), count: chunks.count)
    gradient = FloatBuffer(count: layout.count)
    tensorNorms = Array(repeating: 0, count: layout.tensors.count)
    tensorSums = Buffer(repeating: TensorSums(), count: layout.tensors.count)
    let parts = MuonPart.parts(of: layout, kind: kind)
    muonParts = parts
    muonSums = Buffer(repeating: UpdateSquares(), count: parts.count)
    let lent = parts.isEmpty ? 0 : pool.workers
    let jobs = UpdateJobs(
      chunks: chunks, groups: groups, sums: sums, gradient: gradient, first: firstMoments,
      second: secondMoments, muonParts: parts, muonSums: muonSums,
      muonScratch: (0..<lent).map { _ in MuonScratch(places: parts.map(\.place)) })
    summing = Round(on: pool, jobs.sum)
    measuring = Round(on: pool, jobs.measureRatio)
    applying = Round(on: pool, jobs.apply)
  }

  /// One update of the parameters from the slices' gradients, which are left as they are.
  ///
  /// Once its arrays have grown it allocates nothing, if the statistics of the update before are
  /// gone.
  /// - Parameters: `updates` is the number of updates done before
  package func update(
    parameters: FloatBuffer, sliceGradients: [FloatBuffer], updates: Int, rates: Rates
  ) -> UpdateStatistics {
    summing.run(jobs: groups.count, sliceGradients)
    gather(slices: sliceGradients.count, rates)
    let scales = clipping.scales(
      norm: statistics.gradNorm, tensorNorms: tensorNorms, kind: rates.clipping,
      bound: Double(rates.gradClip))
    statistics.isClipped = scales.isClipped
    setSteps(rates, updates: updates, scales: scales)
    if rates.updateClip > 0 { clipUpdates(limit: Double(rates.updateClip)) }
    applying.run(jobs: muonParts.count + groups.count, Update(steps, parameters))
    finish()
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
  /// Adds the chunks' sums up, by tensor and in all; what is frozen counts in its own tensor only.
  private func gather(slices: Int, _ rates: Rates) {
    statistics.clear(slices: slices)
    for tensor in 0..<tensorSums.count { tensorSums[tensor] = TensorSums() }
    for (index, chunk) in chunks.enumerated() {
      tensorSums[chunk.tensor].gradient += sums[index].total
      guard !rates.freezes(layout.tensors[chunk.tensor]) else { continue }
      for slice in 0..<slices {
        statistics.sliceGradientSquares[slice] += sums[index].slices[slice]
      }
    }
    var total = 0.0
    for (index, tensor) in layout.tensors.enumerated() {
      let squares = tensorSums[index].gradient
      statistics.gradRMS.append(rootMean(squares, tensor))
      let counted = rates.freezes(tensor) ? 0 : squares
      total += counted
      tensorNorms[index] = counted.squareRoot()
    }
    statistics.gradNorm = total.squareRoot()
  }

  private func setSteps(_ rates: Rates, updates: Int, scales: GradientScales) {
    let shared = AdamCoefficients(rates, updates: updates)
    steps.removeAll(keepingCapacity: true)
    for (index, tensor) in layout.tensors.enumerated() {
      var own = shared
      own.gradientScale = scales[index]
      own.learningRate *= rateFactors[index]
      own.decay = tensor.role.isDecayed ? shared.decay : 0
      steps.append(
        TensorStep(rule: rates.freezes(tensor) ? nil : rules[index], adam: own))
    }
  }

  /// Lowers the rate of each of Adam's tensors whose second moment is stale: lr/max(1, RMS/limit).
  private func clipUpdates(limit: Double) {
    measuring.run(jobs: groups.count, steps)
    for (index, chunk) in chunks.enumerated() where steps[chunk.tensor].rule == .adam {
      tensorSums[chunk.tensor].ratio += sums[index].ratio
    }
    for (index, tensor) in layout.tensors.enumerated() {
      let rms = (tensorSums[index].ratio / Double(tensor.count)).squareRoot()
      if rms > limit { steps[index].adam.learningRate *= Float(limit / rms) }
    }
  }

  private func finish() {
    for (index, chunk) in chunks.enumerated() {
      tensorSums[chunk.tensor].add(sums[index].squares)
    }
    for (index, part) in muonParts.enumerated() {
      tensorSums[part.tensor].add(muonSums[index])
    }
    statistics.isFinite = statistics.gradNorm.isFinite
    for (index, tensor) in layout.tensors.enumerated() {
      let sums = tensorSums[index]
      statistics.updateRMS.append(rootMean(sums.update, tensor))
      statistics.paramNorm.append(Float(sums.parameter.squareRoot()))
      if !sums.parameter.isFinite { statistics.isFinite = false }
    }
  }
}

/// A tensor's sums of squares.
private struct TensorSums: Sendable, BitwiseCopyable {
  var gradient = 0.0
  /// Of g²/v̂.
  var ratio = 0.0
  var update = 0.0
  var parameter = 0.0

  mutating func add(_ squares: UpdateSquares) {
    update += squares.update
    parameter += squares.parameter
  }
}

private func rootMean(_ squares: Double, _ tensor: ParameterTensor) -> Float {
  Float((squares / Double(tensor.count)).squareRoot())
}

/// The rate of a linear layer under muParam (simple), against a base width of 256.
/// - Source: Wortsman et al. 2023, section 3.2.4
private func muParamFactor(_ tensor: ParameterTensor) -> Float {
  tensor.role.isLinear ? 256 / Float(tensor.fanIn) : 1
}
