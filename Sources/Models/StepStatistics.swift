/// What may change between two steps of the same model.
package struct LossSettings: Sendable, Hashable {
  /// How much of the attention logits comes from normalised queries and keys: 0 off, 1 on.
  package var qkLayerNormWeight: Float
  /// The weight of (log Z)², mean per token.
  package var zLoss: Float
  /// The weight of the mixture's balance loss.
  package var balanceLoss: Float

  package init(qkLayerNormWeight: Float = 0, zLoss: Float = 0, balanceLoss: Float = 0) {
    self.qkLayerNormWeight = qkLayerNormWeight
    self.zLoss = zLoss
    self.balanceLoss = balanceLoss
  }
}

/// What one pass over a batch measured on its way; arrays are by layer.
package struct StepStatistics: Sendable, Hashable {
  /// Cross-entropy, nats a token; neither z-loss nor balance loss is in it.
  package var loss = 0.0
  /// Mean log Z.
  package var logZ = 0.0
  /// Mean over tokens and vocabulary.
  package var outputLogitMean = 0.0
  /// Largest scaled, unmasked logit, as it was in force.
  package var attentionLogitMax: [Float] = []
  /// Mean over rows and heads, nats.
  package var attentionEntropy: [Float] = []
  /// Mean of entropy / ln(i+1) over rows i > 0.
  package var attentionEntropyShare: [Float] = []
  /// Root mean square of the residual stream after each block.
  package var activationRMS: [Float] = []
  /// Assignments by layer and expert; empty for a dense model.
  package var expertCounts: [[Int]] = []
  /// Mean entropy over all experts, nats; empty for a dense model.
  package var routerEntropy: [Float] = []
  /// c·E·Σ f·P, summed over the layers.
  package var balanceLoss = 0.0

  package init() {}
}
