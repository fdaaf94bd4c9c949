import Models

/// A Persimmon's `config.json`.
struct PersimmonDescription: HuggingFaceDescription {
  private let layers: Layers
  private let rotation: HuggingFaceRotation

  private struct Layers: Decodable {
    var activation: String?
    var epsilon: Double?
    var qkLayerNorm: Bool?
    var isTied: Bool?

    enum CodingKeys: String, CodingKey {
      case activation = "hidden_act"
      case epsilon = "layer_norm_eps"
      case qkLayerNorm = "qk_layernorm"
      case isTied = "tie_word_embeddings"
    }
  }

  init(from decoder: any Decoder) throws {
    layers = try Layers(from: decoder)
    rotation = try HuggingFaceRotation(from: decoder)
  }

  func flaw(_ sizes: HuggingFaceSizes) -> String? {
    // ReLU² is what it has where it says nothing.
    let activation = layers.activation ?? "relu2"
    if !Self.tanhGELU.contains(activation) {
      return "its activation is \(activation), not gelu_pytorch_tanh"
    }
    return Self.epsilonFlaw(layers.epsilon ?? 1e-5) ?? rotation.flaw(sizes, usualShare: 0.5)
  }

  var hasQKLayerNorm: Bool { layers.qkLayerNorm ?? true }

  func describe(_ model: inout ModelConfiguration) {
    model.normEpsilon = layers.epsilon ?? 1e-5
    model.rotaryBase = rotation.base
    model.isTied = layers.isTied ?? false
  }
}
