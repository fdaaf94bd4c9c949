import Models

/// A GPT-2's `config.json`.
struct GPT2Description: HuggingFaceDescription {
  var activation: String?
  var epsilon: Double?
  var isTied: Bool?
  var isScaled: Bool?
  var isScaledByLayer: Bool?

  enum CodingKeys: String, CodingKey {
    case activation = "activation_function"
    case epsilon = "layer_norm_epsilon"
    case isTied = "tie_word_embeddings"
    case isScaled = "scale_attn_weights"
    case isScaledByLayer = "scale_attn_by_inverse_layer_idx"
  }

  func flaw(_ sizes: HuggingFaceSizes) -> String? {
    let activation = activation ?? "gelu_new"
    if !Self.tanhGELU.contains(activation) {
      return "its activation is \(activation), not gelu_new"
    }
    if isScaled == false || isScaledByLayer == true {
      return "its attention is not scaled by the heads' width alone"
    }
    return Self.epsilonFlaw(epsilon ?? 1e-5)
  }

  func describe(_ model: inout ModelConfiguration) {
    model.normEpsilon = epsilon ?? 1e-5
    model.isTied = isTied ?? true
  }
}
