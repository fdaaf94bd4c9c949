/// A batch's loss where it is no plain mean of its tokens' cross-entropy.
package protocol TokenLoss: Sendable {
  /// Overwrites a slice's logits by the loss's gradient.
  ///
  /// - Shapes: `logits` [B·T, V]
  /// - Parameters: `weight` is one over the tokens of the whole batch; `firstRow` of the slice in it
  func becomeGradient(
    of logits: Matrix, tokens: TokenRows, zLoss: Float, cap: Float, weight: Float, firstRow: Int
  ) -> OutputSums
}

extension Steering: TokenLoss {
  package func becomeGradient(
    of logits: Matrix, tokens: TokenRows, zLoss: Float, cap: Float, weight: Float, firstRow: Int
  ) -> OutputSums {
    steeredCrossEntropy(
      logits, tokens: tokens, steering: self, zLoss: zLoss, cap: cap, weight: weight,
      firstRow: firstRow)
  }
}
