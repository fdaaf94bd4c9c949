/// What one update knows about itself; arrays are in the layout's order of tensors.
package struct UpdateStatistics: Sendable, Hashable {
  /// Of all gradients together, before clipping; those of frozen blocks are left out.
  package var gradNorm = 0.0
  /// Whether any gradient was scaled down.
  package var isClipped = false
  /// Gradients before clipping.
  package var gradRMS: [Float] = []
  /// The step lr·Δ, without the decay.
  package var updateRMS: [Float] = []
  /// After the update.
  package var paramNorm: [Float] = []
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
}
