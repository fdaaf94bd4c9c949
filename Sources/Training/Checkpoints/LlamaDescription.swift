import Models

/// A Llama's `config.json`.
struct LlamaDescription: HuggingFaceDescription {
  private let layers: Layers
  private let rotation: HuggingFaceRotation

  private struct Layers: Decodable {
    var keyValueHeads: Int?
    var activation: String?
    var epsilon: Double?
    var isTied: Bool?
    var hasAttentionBias: Bool?
    var hasBias: Bool?

    enum CodingKeys: String, CodingKey {
      case keyValueHeads = "num_key_value_heads"
      case activation = "hidden_act"
      case epsilon = "rms_norm_eps"
      case isTied = "tie_word_embeddings"
      case hasAttentionBias = "attention_bias"
      case hasBias = "mlp_bias"
    }
  }

  init(from decoder: any Decoder) throws {
    layers = try Layers(from: decoder)
    rotation = try HuggingFaceRotation(from: decoder)
  }

  func flaw(_ sizes: HuggingFaceSizes) -> String? {
    let shared = layers.keyValueHeads ?? sizes.heads
    guard shared >= 1, sizes.heads % shared == 0 else {
      return "\(sizes.heads) heads that share \(shared) keys"
    }
    let activation = layers.activation ?? "silu"
    if !["silu", "swish"].contains(activation) {
      return "its activation is \(activation), not silu"
    }
    if layers.hasAttentionBias == true || layers.hasBias == true {
      return "its linear layers have biases"
    }
    return Self.epsilonFlaw(layers.epsilon ?? 1e-6) ?? rotation.flaw(sizes)
  }

  func describe(_ model: inout ModelConfiguration) {
    let shared = layers.keyValueHeads
    model.keyValueHeads = shared == model.heads ? nil : shared
    model.normEpsilon = layers.epsilon ?? 1e-6
    model.rotaryBase = rotation.base
    model.isTied = layers.isTied ?? false
  }
}
