package import Kernels
package import Models
package import Ranks

/// Turns the slices' gradients into an update of the parameters, by one rule a tensor.
///
/// Gradients are clipped before the moments see them. Work is cut in fixed chunks whose sums are
/// added in their order, so that workers change no bit; nor do ranks. Each of them adds up the
/// gradient of a section. It is given the others' and updates all parameters; or, where the update is
/// cut over them, it updates its section and is given the others' parameters.
/// - Source: Loshchilov and Hutter 2019 (AdamW); the decay of Wortsman et al. 2023 (2309.14322)
package final class Optimizer {
  package let layout: ParameterLayout
  package let kind: OptimizerKind
  /// Adam's first moments; where a tensor has another rule, its momentum. Where the update is cut over
  /// ranks, those of other sections are of no account, unless they have been gathered.
  package let firstMoments: FloatBuffer
  /// Adam's second moments; 0 where a tensor has another rule. Of other sections as the first.
  package let secondMoments: FloatBuffer
  /// What clipping remembers from step to step.
  package var clipping = GradientClipping()
  private let rules: [UpdateRule?]
  let rateFactors: [Float]
  let chunks: [Chunk]
  /// Neighbouring chunks of about the same number of elements: a job each.
  private let groups: [Range<Int>]
  /// Those that this rank updates.
  let updatedGroups: [Range<Int>]
  private let updatedParts: Range<Int>
  /// Those that this rank adds up, for all ranks.
  let ownGroups: [Range<Int>]
  let sums: Buffer<ChunkSums>
  private let sliceSquares: Buffer<Double>
  let gradient: FloatBuffer
  let ranks: any RankGroup
  private let slices: Int
  let isSharded: Bool
  let sections: UpdateSections
  /// Whether rank 0 has the moments of all sections.
  var isCollected = false
  /// What other ranks send of the gradient's sum.
  let received: FloatBuffer
  /// One a tensor: what the present update does to it, and what it measured.
  var steps: [TensorStep] = []
  private var tensorNorms: [Double]
  let tensorSums: Buffer<TensorSums>
  var statistics = UpdateStatistics()
  let muonSums: Buffer<MatrixUpdate>
  private let summing: Round<[FloatBuffer]>
  let totalling: Round<FloatBuffer>
  private let measuring: Round<[TensorStep]>
  let measuringChange: Round<Update>
  private let applying: Round<Update>

  /// - Parameters: `isMuParam` scales each linear layer's rate by 256/fan-in; `slices` are those of
  ///   all ranks; `isSharded` cuts the update over them
  package init(
    layout: ParameterLayout, pool: WorkerPool, kind: OptimizerKind = .adamW,
    isMuParam: Bool = false, slices: Int = 4, ranks: any RankGroup = SoleRank(),
    isSharded: Bool = false
  ) {
    self.layout = layout
    self.kind = kind
    self.ranks = ranks
    self.slices = slices
    self.isSharded = isSharded
    // What has no moments of its own takes no memory for them.
    let isSpare = isSharded || layout.sharedArray != nil || !kind.takesGradients
    firstMoments =
      isSpare ? FloatBuffer(untouched: layout.count) : FloatBuffer(count: layout.count)
    secondMoments =
      isSpare || !kind.hasSecondMoments
      ? FloatBuffer(untouched: layout.count) : FloatBuffer(count: layout.count)
    let rules = layout.tensors.map(kind.rule)
    self.rules = rules
    rateFactors = layout.tensors.map { isMuParam ? muParamFactor($0) : 1 }
    let chunks = layout.tensors.enumerated().flatMap { index, tensor in
      layout.isTrained(tensor) ? Chunk.cut(tensor, index: index) : []
    }
    self.chunks = chunks
    let sections = UpdateSections(
      chunks, rules: rules, parts: MuonPart.parts(of: layout, kind: kind), numbers: layout.count,
      ranks: ranks)
    self.sections = sections
    groups = Chunk.groups(chunks[...])
    ownGroups = Chunk.groups(chunks[sections.chunks.ownRange])
    updatedGroups = isSharded ? ownGroups : groups
    sums = Buffer(repeating: ChunkSums(), count: chunks.count)
    sliceSquares = Buffer(count: chunks.count * slices / ranks.count)
    gradient =
      kind.takesGradients
      ? FloatBuffer(count: layout.count) : FloatBuffer(untouched: layout.count)
    received = FloatBuffer(count: sections.numbers.largestHalf)
    tensorNorms = Array(repeating: 0, count: layout.tensors.count)
    tensorSums = Buffer(repeating: TensorSums(), count: layout.tensors.count)
    let parts = sections.muonParts
    updatedParts = isSharded ? sections.parts.ownRange : parts.indices
    muonSums = Buffer(repeating: MatrixUpdate(), count: parts.count)
    let lent = parts.isEmpty ? 0 : pool.workers
    let jobs = UpdateJobs(
      chunks: chunks, groups: groups, ownGroups: ownGroups, updatedGroups: updatedGroups,
      updatedParts: updatedParts,
      sums: sums, sliceSquares: sliceSquares, gradient: gradient, first: firstMoments,
      second: secondMoments, muonParts: parts, muonSums: muonSums,
      muonScratch: (0..<lent).map { _ in MuonScratch(places: parts.map(\.place)) })
    summing = Round(on: pool, jobs.sum)
    totalling = Round(on: pool, jobs.measureTotal)
    measuring = Round(on: pool, jobs.measureRatio)
    measuringChange = Round(on: pool, jobs.measureChange)
    applying = Round(on: pool, jobs.apply)
  }

  /// One update of the parameters from the slices' gradients, which are left as they are.
  ///
  /// Once its arrays have grown it allocates nothing, if the statistics of the update before are
  /// gone.
  /// None is made where the loss or the gradients' norm is not finite: nothing but the statistics
  /// changes then.
  /// - Parameters: `sliceGradients` are of this rank's slices; `updates` is the number of updates
  ///   done before
  package func update(
    parameters: FloatBuffer, sliceGradients: [FloatBuffer], updates: Int, rates: Rates,
    isLossFinite: Bool = true
  ) -> UpdateStatistics {
    precondition(sliceGradients.count * ranks.count <= slices, "more slices than were said")
    summing.run(jobs: groups.count, sliceGradients)
    if ranks.count > 1 { sumOverRanks() }
    gather(slices: sliceGradients.count, rates)
    statistics.isMade = isLossFinite && statistics.gradNorm.isFinite
    let scales = scales(rates)
    statistics.isClipped = scales.isClipped
    setSteps(rates, updates: updates, scales: scales)
    if rates.updateClip > 0 { clipUpdates(limit: Double(rates.updateClip)) }
    if rates.updateCap > 0 { capChanges(parameters, at: Double(rates.updateCap)) }
    applying.run(jobs: updatedParts.count + updatedGroups.count, Update(steps, parameters))
    if isSharded { gatherUpdate(parameters) }
    finish()
    return statistics
  }

  /// The gradient of all slices and ranks, until the next update.
  func sum(_ sliceGradients: [FloatBuffer]) -> FloatBuffer {
    summing.run(jobs: groups.count, sliceGradients)
    guard ranks.count > 1 else { return gradient }
    sumOverRanks()
    if isSharded { ranks.gather(gradient, sections.numbers) }
    return gradient
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
    let first = ranks.rank * slices
    statistics.clear(slices: slices * ranks.count)
    for tensor in 0..<tensorSums.count { tensorSums[tensor] = TensorSums() }
    for (index, chunk) in chunks.enumerated() {
      tensorSums[chunk.tensor].gradient += sums[index].total
      guard !rates.freezes(layout.tensors[chunk.tensor]) else { continue }
      for slice in 0..<slices {
        statistics.sliceGradientSquares[first + slice] += sliceSquares[index * slices + slice]
      }
    }
    shareSliceSquares(slices)
    var total = 0.0
    for (index, tensor) in layout.tensors.enumerated() {
      let squares = tensorSums[index].gradient
      statistics.gradRMS.append(UpdateStatistics.rootMean(squares, of: tensor))
      let counted = rates.freezes(tensor) ? 0 : squares
      total += counted
      tensorNorms[index] = counted.squareRoot()
    }
    statistics.gradNorm = total.squareRoot()
  }

  /// What clipping makes of the gradients; one that makes no update remembers nothing.
  private func scales(_ rates: Rates) -> GradientScales {
    let bound = Double(rates.gradClip)
    guard statistics.isMade else { return .bounding(statistics.gradNorm, to: bound) }
    return clipping.scales(
      norm: statistics.gradNorm, tensorNorms: tensorNorms, kind: rates.clipping, bound: bound)
  }

  private func setSteps(_ rates: Rates, updates: Int, scales: GradientScales) {
    let shared = AdamCoefficients(rates, updates: updates)
    steps.removeAll(keepingCapacity: true)
    for (index, tensor) in layout.tensors.enumerated() {
      var own = shared
      own.gradientScale = scales[index]
      own.learningRate *= rateFactors[index]
      own.decay = tensor.role.isDecayed ? shared.decay : 0
      let isHeld = !statistics.isMade || rates.freezes(tensor)
      steps.append(
        TensorStep(rule: isHeld ? nil : rules[index], adam: own, cap: rates.updateCap))
    }
  }

  /// Lowers the rate of each of Adam's tensors whose second moment is stale: lr/max(1, RMS/limit).
  private func clipUpdates(limit: Double) {
    measuring.run(jobs: updatedGroups.count, steps)
    if isSharded { ranks.gather(sums, sections.chunks) }
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
      tensorSums[chunk.tensor].squares += sums[index].squares
    }
    for (index, part) in sections.muonParts.enumerated() {
      tensorSums[part.tensor].squares += muonSums[index].squares
      if muonSums[index].isCapped { tensorSums[part.tensor].isCapped = true }
    }
    for (index, tensor) in layout.tensors.enumerated() {
      statistics.append(tensorSums[index].squares, of: tensor)
    }
    statistics.cappedShare = cappedShare
  }
}

/// A tensor's sums of squares.
struct TensorSums: Sendable, BitwiseCopyable {
  var gradient = 0.0
  /// Of g²/v̂.
  var ratio = 0.0
  var squares = UpdateSquares()
  /// Whether the change was scaled down to what the cap allows.
  var isCapped = false
}

/// The rate of a linear layer under muParam (simple), against a base width of 256.
/// - Source: Wortsman et al. 2023, section 3.2.4
private func muParamFactor(_ tensor: ParameterTensor) -> Float {
  tensor.role.isLinear ? 256 / Float(tensor.fanIn) : 1
}
