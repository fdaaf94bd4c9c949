import Kernels
import Models

/// What two losses on both sides of the weights said.
package struct ZerothOrderMeasure: Sendable, Hashable {
  /// All that is minimised, the losses beside cross-entropy included: at θ + ε·m·z and θ − ε·m·z.
  package var plus = 0.0
  package var minus = 0.0
  /// (plus − minus)/2ε.
  package var projectedGradient = 0.0
  /// Of all weights that are trained, those that stayed as they are.
  package var maskedShare = 0.0

  package init() {}
}

/// What one update knows about itself; arrays are in the layout's order of tensors.
package struct UpdateStatistics: Sendable, Hashable {
  /// Of all gradients together, before clipping; those of frozen blocks are left out.
  package var gradNorm = 0.0
  /// Whether any gradient was scaled down.
  package var isClipped = false
  /// Of the tensors that were updated, those whose change was scaled down to the cap.
  package var cappedShare = 0.0
  /// Gradients before clipping.
  package var gradRMS: [Float] = []
  /// The step lr·Δ, without the decay.
  package var updateRMS: [Float] = []
  /// After the update.
  package var paramNorm: [Float] = []
  /// What came of losses in the place of gradients; nil where there were gradients.
  package var zerothOrder: ZerothOrderMeasure?
  /// Σ g² of each slice's share of the batch's gradient, for the noise scale.
  package var sliceGradientSquares: [Double] = []
  /// False where the loss or the gradients' norm is infinite or NaN: then parameters and moments are
  /// as they were.
  package var isMade = true

  package init() {}

  /// Empties the arrays without giving up their memory.
  mutating func clear(slices: Int) {
    gradRMS.removeAll(keepingCapacity: true)
    updateRMS.removeAll(keepingCapacity: true)
    paramNorm.removeAll(keepingCapacity: true)
    sliceGradientSquares.removeAll(keepingCapacity: true)
    for _ in 0..<slices { sliceGradientSquares.append(0) }
  }

  /// What became of the next tensor.
  mutating func append(_ squares: UpdateSquares, of tensor: ParameterTensor) {
    updateRMS.append(Self.rootMean(squares.update, of: tensor))
    paramNorm.append(Float(squares.parameter.squareRoot()))
  }

  static func rootMean(_ squares: Double, of tensor: ParameterTensor) -> Float {
    Float((squares / Double(tensor.count)).squareRoot())
  }
}
