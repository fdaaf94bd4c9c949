package import Models

/// What decides a model's outputs beside its weights and its share of qk-layernorm.
package struct ForwardState: Sendable, Equatable, Codable {
  package var logitSoftCap: Float = 0
  package var outputSoftCap: Float = 0

  package init() {}

  package init(_ settings: LossSettings) {
    logitSoftCap = settings.logitSoftCap
    outputSoftCap = settings.outputSoftCap
  }

  enum CodingKeys: String, CodingKey {
    case logitSoftCap = "logit_softcap"
    case outputSoftCap = "output_softcap"
  }

  /// Hugging Face's Persimmon has nothing of this.
  var isPlain: Bool { self == ForwardState() }

  func settings(qkLayerNormWeight: Float) -> LossSettings {
    LossSettings(
      qkLayerNormWeight: qkLayerNormWeight, logitSoftCap: logitSoftCap,
      outputSoftCap: outputSoftCap)
  }
}
