/// What may change between two steps of the same model.
package struct LossSettings: Sendable, Hashable {
  /// How much of the attention logits comes from normalised queries and keys: 0 off, 1 on.
  package var qkLayerNormWeight: Float
  /// The weight of (log Z)², mean per token.
  package var zLoss: Float
  /// The weight of the mixture's balance loss.
  package var balanceLoss: Float
  /// The weight of the router's (ln Σ exp)², mean per token.
  package var routerZLoss: Float
  /// Assignments an expert takes of a window, in even shares; 0 for all.
  package var capacity: Float
  /// Added to the experts' scores to choose by, [L·E]; empty for zeros.
  package var routerBias: [Float]
  /// The bound of the attention logits, c·tanh(z/c); 0 for none.
  package var logitSoftCap: Float
  /// The bound of the output logits; 0 for none.
  package var outputSoftCap: Float
  /// The weight of the divergence between the two passes of a step that has two.
  package var consistency: Float
  /// What random experts are drawn by: another one for each step.
  package var draw: UInt64

  package init(
    qkLayerNormWeight: Float = 0, zLoss: Float = 0, balanceLoss: Float = 0,
    routerZLoss: Float = 0, capacity: Float = 0, routerBias: [Float] = [],
    logitSoftCap: Float = 0, outputSoftCap: Float = 0, consistency: Float = 0, draw: UInt64 = 0
  ) {
    self.qkLayerNormWeight = qkLayerNormWeight
    self.zLoss = zLoss
    self.balanceLoss = balanceLoss
    self.routerZLoss = routerZLoss
    self.capacity = capacity
    self.routerBias = routerBias
    self.logitSoftCap = logitSoftCap
    self.outputSoftCap = outputSoftCap
    self.consistency = consistency
    self.draw = draw
  }
}

/// What one pass over a batch measured on its way; arrays are by layer, those of attention and of
/// experts by the layers that have some.
package struct StepStatistics: Sendable, Hashable {
  /// Cross-entropy, nats a token; neither z-loss nor balance loss is in it.
  package var loss = 0.0
  /// The cross-entropy as its tokens count in what is minimised, nats a token; 0 where they all count
  /// the same.
  package var objective = 0.0
  /// Mean log Z, of the capped logits if they are.
  package var logZ = 0.0
  /// c·(log Z)², mean per token.
  package var zLoss = 0.0
  /// Mean over tokens and vocabulary.
  package var outputLogitMean = 0.0
  /// Largest scaled, unmasked logit, as it was in force before any soft cap.
  package var attentionLogitMax: [Float] = []
  /// The same by layer and head, [L·H].
  package var headLogitMax: [Float] = []
  /// Mean over rows and heads, nats.
  package var attentionEntropy: [Float] = []
  /// Mean of entropy / ln(i+1) over rows i > 0.
  package var attentionEntropyShare: [Float] = []
  /// Root mean square of the residual stream after each block.
  package var activationRMS: [Float] = []
  /// Assignments by layer and expert, dropped ones included; empty for a dense model.
  package var expertCounts: [[Int]] = []
  /// Mean entropy over all experts, nats; this and what follows of scores and gates is empty for a
  /// router without them.
  package var routerEntropy: [Float] = []
  /// c·E·Σ f·P, summed over the layers.
  package var balanceLoss = 0.0
  /// Mean ln Σ exp of the router's logits; empty for a dense model.
  package var routerZ: [Float] = []
  /// c·(ln Σ exp)², mean per token, summed over the layers.
  package var routerZLoss = 0.0
  /// Median of the larger over the smaller of a token's first two scores; empty where it has one.
  package var gateInnerBalance: [Float] = []
  /// Median of the chosen scores' sum, of 1 over all experts.
  package var gateOuterBalance: [Float] = []
  /// Mean of half the divergences KL(p₁‖p₂) + KL(p₂‖p₁) between a step's two passes, nats a token.
  package var divergence = 0.0
  /// Share of a layer's assignments beyond the experts' capacity; empty for a dense model.
  package var tokensDropped: [Float] = []
  /// What layers measure besides, in the order of the configuration's `signals`.
  package var signals: [Double] = []
  /// By module of an adapter: ‖what it adds‖/‖what it is added to‖, mean over tokens; empty unless the
  /// model is masked.
  package var adapterShares: [Double] = []

  package init() {}
}
