internal import Foundation

/// What each token of a batch counts in its loss, where that is no plain mean.
///
/// loss = Σ_t (w_t·(−ln π(a_t)) + c_t·KL(π‖π₀)) over the batch's tokens, both over their number.
package struct Steering: Sendable {
  /// w [rows·T]: what a token's cross-entropy counts; negative for one to be made less likely.
  package let weights: FloatBuffer
  /// [rows·T]: what a token's cross-entropy counts in the loss that is told.
  package let shares: FloatBuffer
  /// c [rows·T]: what a token's divergence from the reference counts.
  package let pulls: FloatBuffer
  /// [rows·T, V], the reference's logits, capped where the model's are; read where c is not 0.
  package let reference: FloatBuffer

  /// All of no account.
  package init(tokens: Int, vocabulary: Int) {
    weights = FloatBuffer(count: tokens)
    shares = FloatBuffer(count: tokens)
    pulls = FloatBuffer(count: tokens)
    reference = FloatBuffer(count: tokens * vocabulary)
  }

  package var bytes: Int { weights.bytes + shares.bytes + pulls.bytes + reference.bytes }
}

/// The cross-entropy of a batch whose tokens count what `steering` says; the logits are overwritten by
/// its gradient.
///
/// dy = w·(p − onehot) + c·p·(ln p − ln p₀ − KL) + 2·zLoss·p·log Z, times `weight`. The divergence is
/// taken over all bytes, not over the one that was drawn.
/// - Shapes: `logits` [B·T, V]
/// - Parameters: `weight` is one over the tokens of the whole batch; `firstRow` of the slice in it
/// - Returns: Σ w·CE as the objective, that of the shares as the loss, Σ KL over the tokens that have a reference as the divergence
/// - Source: the gradient of the divergence is derived; it is what Li et al. 2023 (2310.10505) estimate
package func steeredCrossEntropy(
  _ logits: Matrix, tokens: TokenRows, steering: Steering, zLoss: Float, cap: Float, weight: Float,
  firstRow: Int
) -> OutputSums {
  var sums = OutputSums()
  let softCap = cap > 0 ? SoftCap(cap) : nil
  tokens.forEach { index, _, target in
    let row = SteeredRow(
      logits: logits.row(index), width: logits.columns, target: target,
      weight: steering.weights[firstRow + index], share: steering.shares[firstRow + index],
      pull: steering.pulls[firstRow + index],
      reference: steering.reference.base + (firstRow + index) * logits.columns)
    row.becomeGradient(&sums, softCap, zLoss: zLoss, scale: weight)
  }
  return sums
}

/// One token's logits.
private struct SteeredRow {
  let logits: UnsafeMutablePointer<Float>
  let width: Int
  let target: Int
  let weight: Float
  let share: Float
  let pull: Float
  let reference: UnsafeMutablePointer<Float>

  func becomeGradient(
    _ sums: inout OutputSums, _ softCap: SoftCap?, zLoss: Float, scale: Float
  ) {
    _ = softCap?.apply(logits, width)
    let measured = measure(logits, width)
    let logZ =
      measured.peak + log(exponentials(logits, width, measured.peak, keeping: false))
    let entropy = Double(logZ - logits[target])
    sums.loss += Double(share) * entropy
    sums.objective += Double(weight) * entropy
    sums.add(logZ: logZ, total: measured.total, width: width)
    let shift = pull == 0 ? 0 : referenceLogZ
    let divergence = pull == 0 ? 0 : self.divergence(logZ, shift)
    sums.divergence += Double(divergence)
    for column in 0..<width {
      let own = logits[column] - logZ
      let p = exp(own)
      var gradient = p * (weight + 2 * zLoss * logZ)
      if pull != 0 { gradient += pull * p * (own - reference[column] + shift - divergence) }
      if column == target { gradient -= weight }
      logits[column] = gradient * scale * (softCap.map { $0.slope(at: logits[column]) } ?? 1)
    }
  }

  private var referenceLogZ: Float {
    let peak = measure(reference, width).peak
    return peak + log(exponentials(reference, width, peak, keeping: false))
  }

  /// KL(p‖p₀)
  private func divergence(_ logZ: Float, _ shift: Float) -> Float {
    (0..<width).reduce(0) { sum, column in
      let own = logits[column] - logZ
      return sum + exp(own) * (own - reference[column] + shift)
    }
  }
}

extension SoftCap {
  /// dz/ds, from z.
  fileprivate func slope(at z: Float) -> Float { slope(Lanes(repeating: z))[0] }
}
