package import Models

/// What decides a model's outputs beside its weights and its share of qk-layernorm.
package struct ForwardState: Sendable, Equatable, Codable {
  package var logitSoftCap: Float = 0
  package var outputSoftCap: Float = 0
  /// Absent while it is zeros.
  package var routerBias: [Float]?
  package var capacity: Float?

  package init() {}

  package init(_ settings: LossSettings) {
    logitSoftCap = settings.logitSoftCap
    outputSoftCap = settings.outputSoftCap
    routerBias = settings.routerBias.contains { $0 != 0 } ? settings.routerBias : nil
    capacity = settings.capacity == 0 ? nil : settings.capacity
  }

  enum CodingKeys: String, CodingKey {
    case capacity
    case logitSoftCap = "logit_softcap"
    case outputSoftCap = "output_softcap"
    case routerBias = "router_bias"
  }

  /// Whether a model runs in the same way with other router biases.
  package func isLike(_ other: ForwardState) -> Bool {
    var (one, other) = (self, other)
    (one.routerBias, other.routerBias) = (nil, nil)
    return one == other
  }

  /// Hugging Face's Persimmon has nothing of this.
  var isPlain: Bool { self == ForwardState() }

  /// What a damaged file may not bring to the engine.
  func fits(_ configuration: ModelConfiguration) -> Bool {
    routerBias.map { $0.count == configuration.routerBiasCount } ?? true
  }

  func settings(qkLayerNormWeight: Float) -> LossSettings {
    LossSettings(
      qkLayerNormWeight: qkLayerNormWeight, capacity: capacity ?? 0,
      routerBias: routerBias ?? [], logitSoftCap: logitSoftCap, outputSoftCap: outputSoftCap)
  }
}
