import Kernels
import Models

/// Updates without gradients: two losses of the same batch, on both sides of the weights along a
/// random direction z over the small ones, say how far to go along it.
///
///     g = (L(θ + ε·m·z) − L(θ − ε·m·z)) / 2ε        θ −= lr·g·m·z
///
/// m is 1 where |θ| ≤ h; h is a quantile of each tensor's magnitudes when the run begins, and m is
/// taken anew in each step, of weights that nothing has moved yet. Both sides are written to a copy,
/// so that no rounding is left in θ. z is a function of the seed, the step and the place.
/// - Cost: two forward passes, and the parameters once over
/// - Source: Liu et al. 2024 (2402.15751); without a mask Malladi et al. 2023 (2305.17333)
final class SparseMeZO {
  /// What a run may choose of it.
  struct Options: Sendable, Equatable {
    var epsilon = 1e-3
    /// The share of each tensor's weights that stays as it is.
    var sparsity = 0.75
    var mask = MeZOMask.small
  }

  private let layout: ParameterLayout
  private let pool: WorkerPool
  private let options: Options
  private let directions: CounterGenerator
  private let masks: UInt64
  private let chunks: [Chunk]
  /// The parameters to one side.
  private let trial: FloatBuffer
  /// h of each tensor.
  private let thresholds: FloatBuffer
  private let directionSums: Buffer<DirectionSums>
  private let squares: Buffer<UpdateSquares>
  /// By tensor: whether it has a part in the present step, and its direction.
  private var moved: [MaskedDirection?] = []
  private var measure = ZerothOrderMeasure()

  init(layout: ParameterLayout, pool: WorkerPool, options: Options, seed: UInt64) {
    self.layout = layout
    self.pool = pool
    self.options = options
    directions = CounterGenerator(seed: seed, stream: "mezo directions")
    masks = CounterGenerator(seed: seed, stream: "mezo masks").bits(at: 0)
    chunks = layout.tensors.enumerated().flatMap { Chunk.cut($1, index: $0) }
    trial = FloatBuffer(count: layout.count)
    thresholds = FloatBuffer(count: layout.tensors.count)
    directionSums = Buffer(repeating: DirectionSums(), count: chunks.count)
    squares = Buffer(repeating: UpdateSquares(), count: chunks.count)
  }

  /// Takes the magnitudes of `parameters` for what is small from now on.
  func begin(at parameters: FloatBuffer) {
    pool.run(jobs: layout.tensors.count) { [layout, thresholds, options] index, _ in
      let tensor = layout.tensors[index]
      let theta = parameters.base + tensor.offset
      let sizes = (0..<tensor.count).map { abs(theta[$0]) }
      let moved = ((1 - options.sparsity) * Double(tensor.count)).rounded(.up)
      let place = min(max(Int(moved), 1), tensor.count) - 1
      thresholds[index] = sizes.sorted()[place]
    }
  }

  /// What a checkpoint keeps.
  var stored: StoredTensor {
    StoredTensor(name: "mezo_thresholds", shape: [thresholds.count], buffer: thresholds)
  }

  /// Goes on as `checkpoint` says; from one of another optimiser it begins.
  func resume(_ checkpoint: Checkpoint, parameters: FloatBuffer) throws(CheckpointError) {
    guard checkpoint.holds(stored) else { return begin(at: parameters) }
    try checkpoint.load(stored)
  }
}

/// Which weights a step without gradients moves.
public enum MeZOMask: String, CaseIterable, Sendable, Codable {
  /// The smallest of each tensor.
  case small
  /// Any, the same in every step.
  case random
}

extension SparseMeZO {
  /// Both losses of a batch, and the means over its tokens: those of the first side, but the loss,
  /// which is both sides' mean.
  func losses(
    _ engine: TransformerEngine, parameters: FloatBuffer, tokens: UnsafeBufferPointer<Token>,
    noise: [Float], settings: LossSettings, frozenBlocks: Int, step: Int
  ) -> StepStatistics {
    setDirections(settings, frozenBlocks: frozenBlocks, step: step)
    func side(_ sign: Double) -> StepStatistics {
      displace(parameters, by: Float(sign * options.epsilon))
      return engine.loss(
        parameters: trial, tokens: tokens, rows: engine.batch, settings: settings, noise: noise)
    }
    var statistics = side(1)
    let other = side(-1)
    measure.plus = statistics.objective
    measure.minus = other.objective
    measure.projectedGradient = (measure.plus - measure.minus) / (2 * options.epsilon)
    measure.maskedShare = maskedShare
    statistics.loss = (statistics.loss + other.loss) / 2
    return statistics
  }

  private func setDirections(_ settings: LossSettings, frozenBlocks: Int, step: Int) {
    let key = directions.bits(at: UInt64(step))
    moved.removeAll(keepingCapacity: true)
    for (index, tensor) in layout.tensors.enumerated() {
      // What has no effect on the loss would only be moved about.
      let isStill =
        tensor.role == .fixed || tensor.isFrozen(blocks: frozenBlocks)
        || (tensor.role == .queryKeyGain && settings.qkLayerNormWeight == 0)
      moved.append(isStill ? nil : MaskedDirection(key: key, mask: mask(of: index)))
    }
  }

  private func mask(of tensor: Int) -> MaskedDirection.Mask {
    // Where all are to move, those that have grown do too.
    if options.sparsity == 0 { return .small(.infinity) }
    return switch options.mask {
    case .small: .small(thresholds[tensor])
    case .random: .random(masks, below: UInt32(((1 - options.sparsity) * 0x1p32).rounded() - 1))
    }
  }

  private func displace(_ parameters: FloatBuffer, by epsilon: Float) {
    pool.run(jobs: chunks.count) { [chunks, moved, trial, directionSums] index, _ in
      let chunk = chunks[index]
      guard let direction = moved[chunk.tensor] else {
        (trial.base + chunk.start).update(from: parameters.base + chunk.start, count: chunk.count)
        directionSums[index] = DirectionSums()
        return
      }
      directionSums[index] = perturb(
        parameters, by: epsilon, along: direction, into: trial, from: chunk.start,
        count: chunk.count)
    }
  }

  private var maskedShare: Double {
    var (moving, all) = (0.0, 0.0)
    for (index, chunk) in chunks.enumerated() where moved[chunk.tensor] != nil {
      moving += directionSums[index].moved
      all += Double(chunk.count)
    }
    return all > 0 ? 1 - moving / all : 0
  }
}

extension SparseMeZO {
  /// Moves the parameters along the direction of the losses before it.
  ///
  /// None is made where a loss is not finite: nothing but the statistics changes then.
  /// - Parameters: `updates` is the number of updates done before
  func update(
    _ parameters: FloatBuffer, clipping: inout GradientClipping, rates: Optimizer.Rates,
    updates: Int
  ) -> UpdateStatistics {
    var statistics = UpdateStatistics()
    statistics.zerothOrder = measure
    let norms = gradientNorms(&statistics)
    statistics.isMade = measure.plus.isFinite && measure.minus.isFinite
    guard statistics.isMade else { return unmoved(parameters, statistics) }
    let scales = clipping.scales(
      norm: statistics.gradNorm, tensorNorms: norms, kind: rates.clipping,
      bound: Double(rates.gradClip))
    statistics.isClipped = scales.isClipped
    let shared = AdamCoefficients(rates, updates: updates)
    var steps = layout.tensors.enumerated().map { index, tensor in
      Step(
        rate: shared.learningRate * Float(measure.projectedGradient) * scales[index],
        decay: tensor.role.isDecayed ? shared.decay : 0)
    }
    if rates.updateCap > 0 {
      statistics.cappedShare = cap(&steps, parameters, at: Double(rates.updateCap))
    }
    apply(parameters, steps)
    return measured(statistics)
  }

  /// Of one tensor.
  private struct Step: Sendable {
    var rate: Float
    var decay: Float
  }

  /// ‖g·m·z‖ by tensor; those of all together and their means go into `statistics`.
  private func gradientNorms(_ statistics: inout UpdateStatistics) -> [Double] {
    var sums = layout.tensors.map { _ in 0.0 }
    for (index, chunk) in chunks.enumerated() {
      sums[chunk.tensor] += directionSums[index].squares
    }
    let size = abs(measure.projectedGradient)
    let norms = sums.map { size * $0.squareRoot() }
    statistics.gradNorm = size * sums.reduce(0, +).squareRoot()
    statistics.gradRMS = zip(norms, layout.tensors).map {
      Float($0 / Double($1.count).squareRoot())
    }
    return norms
  }

  /// - Returns: of the tensors that move, those that are held back
  private func cap(_ steps: inout [Step], _ parameters: FloatBuffer, at cap: Double) -> Double {
    pool.run(jobs: chunks.count) { [chunks, moved, squares, steps] index, _ in
      let chunk = chunks[index]
      guard let direction = moved[chunk.tensor] else { return }
      let step = steps[chunk.tensor]
      squares[index] = zerothOrderChange(
        parameters, along: direction, from: chunk.start, count: chunk.count, rate: step.rate,
        decay: step.decay)
    }
    let sums = tensorSums
    var held = 0
    for (index, tensor) in layout.tensors.enumerated() where moved[index] != nil {
      let factor = capFactor(sums[index], count: tensor.count, cap: cap)
      guard factor < 1 else { continue }
      held += 1
      steps[index].rate *= Float(factor)
      steps[index].decay *= Float(factor)
    }
    return Double(held) / Double(max(moved.count { $0 != nil }, 1))
  }

  private func apply(_ parameters: FloatBuffer, _ steps: [Step]) {
    pool.run(jobs: chunks.count) { [chunks, moved, squares] index, _ in
      let chunk = chunks[index]
      squares[index] = UpdateSquares()
      guard let direction = moved[chunk.tensor] else {
        squares[index].parameter = squareSum(parameters, from: chunk.start, count: chunk.count)
        return
      }
      let step = steps[chunk.tensor]
      squares[index] = zerothOrderStep(
        parameters, along: direction, from: chunk.start, count: chunk.count, rate: step.rate,
        decay: step.decay)
    }
  }

  private var tensorSums: [UpdateSquares] {
    var sums = layout.tensors.map { _ in UpdateSquares() }
    for (index, chunk) in chunks.enumerated() {
      sums[chunk.tensor] += squares[index]
    }
    return sums
  }

  private func measured(_ statistics: UpdateStatistics) -> UpdateStatistics {
    var statistics = statistics
    for (sums, tensor) in zip(tensorSums, layout.tensors) { statistics.append(sums, of: tensor) }
    return statistics
  }

  private func unmoved(
    _ parameters: FloatBuffer, _ statistics: UpdateStatistics
  ) -> UpdateStatistics {
    for (index, chunk) in chunks.enumerated() {
      squares[index] = UpdateSquares()
      squares[index].parameter = squareSum(parameters, from: chunk.start, count: chunk.count)
    }
    return measured(statistics)
  }
}

extension StepStatistics {
  /// What a gradient would be taken of.
  fileprivate var objective: Double { loss + zLoss + balanceLoss + routerZLoss }
}
