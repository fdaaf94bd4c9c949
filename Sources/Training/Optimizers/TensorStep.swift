import Kernels
import Models

extension Optimizer {
  /// The numbers of one update.
  package struct Rates: Sendable {
    package var learningRate: Float
    package var peakLearningRate: Float
    package var beta1: Float = 0.9
    package var beta2 = SecondMomentDecay(0.95)
    package var epsilon: Float = 1e-8
    package var weightDecay: Float = 1e-4
    /// Whether the decay is a share of the rate, as in PyTorch, or follows the schedule alone.
    package var decayIsCoupled = false
    /// Which gradients are scaled down.
    package var clipping = GradientClipping.Kind.global
    /// The largest global gradient norm; 0 for any.
    package var gradClip: Float = 1
    /// How far g²/v̂ may rise above 1, as a root mean square, before the rate is cut; 0 for any.
    package var updateClip: Float = 0
    /// The largest change of a tensor in a step, as a share of its norm; 0 for any.
    package var updateCap: Float = 0
    /// Blocks, counted from the embedding, that stay as they are; the embedding with the first.
    package var frozenBlocks = 0

    package init(learningRate: Float, peakLearningRate: Float) {
      self.learningRate = learningRate
      self.peakLearningRate = peakLearningRate
    }

    func freezes(_ tensor: ParameterTensor) -> Bool { tensor.isFrozen(blocks: frozenBlocks) }
  }
}

extension ParameterTensor {
  /// Whether it stays as it is with so many blocks, counted from the embedding.
  func isFrozen(blocks: Int) -> Bool {
    guard let layer else { return role == .embedding && blocks > 0 }
    return layer < blocks
  }
}

/// What one update does to one tensor.
struct TensorStep: Sendable {
  /// Nil for a tensor that stays as it is.
  let rule: UpdateRule?
  var adam: AdamCoefficients
  /// The largest change as a share of the tensor's norm; 0 for any.
  var cap: Float = 0

  /// Whether its change is known before it is made: Muon's is with the matrix alone.
  var isMeasured: Bool { rule != nil && rule != .muon }

  private var lion: LionCoefficients {
    LionCoefficients(
      gradientScale: adam.gradientScale, learningRate: adam.learningRate, decay: adam.decay)
  }

  func momentum(_ momentum: Float) -> MomentumCoefficients {
    var coefficients = MomentumCoefficients(
      gradientScale: adam.gradientScale, learningRate: adam.learningRate, momentum: momentum,
      decay: adam.decay)
    coefficients.cap = cap
    return coefficients
  }

  /// What ``apply(_:parameters:gradient:first:second:)`` would change of a chunk. Reads only.
  /// - Returns: the squares of the change, decay included, and of the parameters before it
  func change(
    of chunk: Chunk, parameters: FloatBuffer, gradient: FloatBuffer, first: FloatBuffer,
    second: FloatBuffer
  ) -> UpdateSquares {
    switch rule {
    case .adam:
      adamChange(
        parameters: parameters, gradient: gradient, first: first, second: second,
        from: chunk.start, count: chunk.count, adam)
    case .momentum:
      momentumChange(
        parameters: parameters, gradient: gradient, velocity: first, from: chunk.start,
        count: chunk.count, momentum(MomentumConstants.sgd))
    case .lion:
      lionChange(
        parameters: parameters, gradient: gradient, momentum: first, from: chunk.start,
        count: chunk.count, lion)
    case .muon, nil:
      UpdateSquares()
    }
  }

  /// Updates a chunk; one that belongs to Muon is updated with its whole matrix instead.
  func apply(
    _ chunk: Chunk, parameters: FloatBuffer, gradient: FloatBuffer, first: FloatBuffer,
    second: FloatBuffer
  ) -> UpdateSquares {
    switch rule {
    case .adam:
      return adamStep(
        parameters: parameters, gradient: gradient, first: first, second: second,
        from: chunk.start, count: chunk.count, adam)
    case .momentum:
      return momentumStep(
        parameters: parameters, gradient: gradient, velocity: first, from: chunk.start,
        count: chunk.count, momentum(MomentumConstants.sgd))
    case .lion:
      return lionStep(
        parameters: parameters, gradient: gradient, momentum: first, from: chunk.start,
        count: chunk.count, lion)
    case .muon:
      return UpdateSquares()
    case nil:
      var squares = UpdateSquares()
      squares.parameter = squareSum(parameters, from: chunk.start, count: chunk.count)
      return squares
    }
  }
}

enum MomentumConstants {
  static let muon: Float = 0.95
  static let sgd: Float = 0.9
}

extension AdamCoefficients {
  /// What all tensors share.
  init(_ rates: Optimizer.Rates, updates: Int) {
    let (rate, peak) = (rates.learningRate, rates.peakLearningRate)
    let followed = rates.decayIsCoupled ? rate : peak > 0 ? rate / peak : 0
    self.init(
      learningRate: rate, beta1: rates.beta1, beta2: rates.beta2.beta,
      correction1: Float(1 / (1 - power(of: rates.beta1, updates + 1))),
      correction2: rates.beta2.correction(updates: updates), epsilon: rates.epsilon,
      decay: rates.weightDecay * followed)
  }
}
