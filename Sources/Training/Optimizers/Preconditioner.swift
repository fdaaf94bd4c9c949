import Kernels
import Models

/// What an optimiser divides a gradient by: P = (1 − β₁ᵗ)·(sqrt(v̂) + ε) for Adam, 1 for SGD.
///
/// - Source: Cohen et al. 2022 (2207.14484)
struct Preconditioner {
  /// Nil for SGD.
  var second: FloatBuffer?
  /// 1 − β₁ᵗ.
  var scale: Float = 1
  /// 1/(1 − β₂ᵗ).
  var correction2: Float = 1
  var epsilon: Float = 0
  /// What each tensor's rate is multiplied by; 0 for one that is frozen.
  var factors: [Float]

  /// roots = P^(-1/2); 0 where a parameter takes no part, because it is frozen or never had a
  /// gradient.
  func inverseRoots(_ layout: ParameterLayout, into roots: FloatBuffer) {
    for (tensor, factor) in zip(layout.tensors, factors) {
      for index in tensor.offset..<tensor.offset + tensor.count {
        guard let second else {
          roots.base[index] = factor.squareRoot()
          continue
        }
        let variance = second.base[index] * correction2
        roots.base[index] =
          variance > 0 ? (factor / (scale * (variance.squareRoot() + epsilon))).squareRoot() : 0
      }
    }
  }
}

extension Optimizer {
  /// As it is after the update that follows `updates` others; nil where there is none, as under Muon
  /// or Lion.
  func preconditioner(_ rates: Rates, updates: Int) -> Preconditioner? {
    guard kind.hasPreconditioner else { return nil }
    let factors = zip(layout.tensors, rateFactors).map { rates.freezes($0) ? 0 : $1 }
    guard kind.hasSecondMoments else { return Preconditioner(factors: factors) }
    return Preconditioner(
      second: secondMoments, scale: Float(1 - power(of: rates.beta1, updates + 1)),
      correction2: rates.beta2.correction(updates: updates), epsilon: rates.epsilon,
      factors: factors)
  }

  /// The sharpness above which plain steps of this rate swing wider and wider.
  ///
  /// (2 + 2β)/((1 − β)·lr) where momentum is an average, 38/lr at 0.9; (2 + 2β)/lr where it adds
  /// up.
  func sharpnessLimit(_ rates: Rates) -> Double {
    let isAverage = kind.hasSecondMoments
    let momentum = Double(isAverage ? rates.beta1 : MomentumConstants.sgd)
    let numerator = (2 + 2 * momentum) / (isAverage ? 1 - momentum : 1)
    return numerator / Double(rates.learningRate)
  }
}
