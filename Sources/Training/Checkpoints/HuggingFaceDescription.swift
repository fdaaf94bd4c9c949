import Foundation
import Models

/// What of a `config.json` decides whether a model's layers are ours.
protocol HuggingFaceDescription: Decodable {
  /// What of a model of these sizes is another model's, in half a line; nil where nothing is.
  func flaw(_ sizes: HuggingFaceSizes) -> String?
  /// Has a model of its sizes be what it says, where it has no flaw.
  func describe(_ model: inout ModelConfiguration)
  var hasQKLayerNorm: Bool { get }
}

extension HuggingFaceDescription {
  var hasQKLayerNorm: Bool { false }
}

/// The type by which a family is known.
private struct ModelType: Decodable {
  var type: String

  enum CodingKeys: String, CodingKey {
    case type = "model_type"
  }
}

/// Reads the description of whichever family it is of.
/// - Throws: `otherLayers`.
func huggingFaceDescription(
  _ json: Data, path: String
) throws(CheckpointError) -> (configuration: ModelConfiguration, hasQKLayerNorm: Bool) {
  let decoder = JSONDecoder()
  guard let type = try? decoder.decode(ModelType.self, from: json).type else {
    throw .otherLayers(path: path, found: "config.json without a model_type")
  }
  guard let family = Architecture(rawValue: type) else {
    throw .otherLayers(path: path, found: "its type is \(type)")
  }
  let kind: any HuggingFaceDescription.Type =
    switch family {
    case .persimmon: PersimmonDescription.self
    case .gpt2: GPT2Description.self
    case .llama: LlamaDescription.self
    }
  guard let sizes = try? decoder.decode(HuggingFaceSizes.self, from: json),
    let description = try? decoder.decode(kind, from: json)
  else { throw .otherLayers(path: path, found: "config.json without the sizes of a model") }
  if let flaw = sizes.flaw ?? description.flaw(sizes) {
    throw .otherLayers(path: path, found: flaw)
  }
  var model = sizes.configuration(family)
  description.describe(&model)
  return (model, description.hasQKLayerNorm)
}

/// The sizes that all families have, in GPT-2's words or in those of the others.
struct HuggingFaceSizes: Decodable {
  var width: Int
  var hidden: Int?
  var layers: Int
  var heads: Int
  var context: Int
  var vocabulary: Int

  private enum CodingKeys: String, CodingKey {
    case width = "hidden_size"
    case hidden = "intermediate_size"
    case layers = "num_hidden_layers"
    case heads = "num_attention_heads"
    case context = "max_position_embeddings"
    case vocabulary = "vocab_size"
    case widthOfGPT2 = "n_embd"
    case hiddenOfGPT2 = "n_inner"
    case layersOfGPT2 = "n_layer"
    case headsOfGPT2 = "n_head"
    case contextOfGPT2 = "n_positions"
  }

  init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    func number(_ key: CodingKeys, or other: CodingKeys) throws -> Int {
      try values.decodeIfPresent(Int.self, forKey: key)
        ?? values.decode(Int.self, forKey: other)
    }
    width = try number(.width, or: .widthOfGPT2)
    hidden =
      try values.decodeIfPresent(Int.self, forKey: .hidden)
      ?? values.decodeIfPresent(Int.self, forKey: .hiddenOfGPT2)
    layers = try number(.layers, or: .layersOfGPT2)
    heads = try number(.heads, or: .headsOfGPT2)
    context = try number(.context, or: .contextOfGPT2)
    vocabulary = try values.decode(Int.self, forKey: .vocabulary)
  }

  var flaw: String? {
    guard (1...Corpus.largestVocabulary).contains(vocabulary) else {
      return
        "\(vocabulary) tokens, more than the \(Corpus.largestVocabulary) that two bytes tell apart"
    }
    let sizes = [width, heads, context, hidden ?? 1].allSatisfy((1...(1 << 20)).contains)
    guard sizes, layers >= 1, width % heads == 0 else {
      return "width \(width) in \(heads) heads, \(layers) layers, context \(context)"
    }
    let headWidth = width / heads
    return headWidth % 2 == 0 ? nil : "heads of the odd width \(headWidth)"
  }

  func configuration(_ family: Architecture) -> ModelConfiguration {
    var model = ModelConfiguration(width: width, layers: layers, heads: heads, context: context)
    model.setArchitecture(family)
    // All of these families have four times the width unless they say another.
    model.feedForwardWidth = hidden ?? 4 * width
    model.vocabulary = vocabulary
    return model
  }
}

private func epsilonFlaw(_ epsilon: Double) -> String? {
  (1e-12...1).contains(epsilon) ? nil : "its norms' epsilon is \(epsilon)"
}

/// How positions turn, in the words of transformers 5 and of those before.
private struct Rotation: Decodable {
  var share: Double?
  var base: Double?
  var kind: String?
  var olderKind: String?

  enum CodingKeys: String, CodingKey {
    case share = "partial_rotary_factor"
    case base = "rope_theta"
    case kind = "rope_type"
    case olderKind = "type"
  }

  static func flaw(_ rotations: [Rotation?], share: Double, base: Double) -> String? {
    let kinds = rotations.compactMap { $0?.kind ?? $0?.olderKind }
    if let kind = kinds.first(where: { $0 != "default" }) {
      return "positions turn in the way \(kind), not as they are counted"
    }
    if share != 1 { return "positions rotate a share of \(share) of a head, not all of it" }
    return (1...1e9).contains(base) ? nil : "positions rotate by base \(base)"
  }
}

private struct PersimmonDescription: HuggingFaceDescription {
  var activation: String?
  var epsilon: Double?
  var qkLayerNorm: Bool?
  var rotaryShare: Double?
  var rotaryBase: Double?
  var rotation: Rotation?
  var isTied: Bool?

  enum CodingKeys: String, CodingKey {
    case activation = "hidden_act"
    case epsilon = "layer_norm_eps"
    case qkLayerNorm = "qk_layernorm"
    case rotaryShare = "partial_rotary_factor"
    case rotaryBase = "rope_theta"
    case rotation = "rope_parameters"
    case isTied = "tie_word_embeddings"
  }

  private var base: Double { rotation?.base ?? rotaryBase ?? 10_000 }

  func flaw(_ sizes: HuggingFaceSizes) -> String? {
    // ReLU² is what it has where it says nothing.
    if !["gelu_new", "gelu_pytorch_tanh"].contains(activation ?? "relu2") {
      return "its activation is \(activation ?? "relu2"), not gelu_pytorch_tanh"
    }
    return epsilonFlaw(epsilon ?? 1e-5)
      ?? Rotation.flaw([rotation], share: rotation?.share ?? rotaryShare ?? 0.5, base: base)
  }

  var hasQKLayerNorm: Bool { qkLayerNorm ?? true }

  func describe(_ model: inout ModelConfiguration) {
    model.normEpsilon = epsilon ?? 1e-5
    model.rotaryBase = base
    model.isTied = isTied ?? false
  }
}

private struct GPT2Description: HuggingFaceDescription {
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
    if !["gelu_new", "gelu_pytorch_tanh"].contains(activation ?? "gelu_new") {
      return "its activation is \(activation ?? ""), not gelu_new"
    }
    if isScaled == false || isScaledByLayer == true {
      return "its attention is not scaled by the heads' width alone"
    }
    return epsilonFlaw(epsilon ?? 1e-5)
  }

  func describe(_ model: inout ModelConfiguration) {
    model.normEpsilon = epsilon ?? 1e-5
    model.isTied = isTied ?? true
  }
}

private struct LlamaDescription: HuggingFaceDescription {
  var keyValueHeads: Int?
  var headWidth: Int?
  var activation: String?
  var epsilon: Double?
  var rotaryBase: Double?
  var rotation: Rotation?
  var scaling: Rotation?
  var isTied: Bool?
  var hasAttentionBias: Bool?
  var hasBias: Bool?

  enum CodingKeys: String, CodingKey {
    case keyValueHeads = "num_key_value_heads"
    case headWidth = "head_dim"
    case activation = "hidden_act"
    case epsilon = "rms_norm_eps"
    case rotaryBase = "rope_theta"
    case rotation = "rope_parameters"
    case scaling = "rope_scaling"
    case isTied = "tie_word_embeddings"
    case hasAttentionBias = "attention_bias"
    case hasBias = "mlp_bias"
  }

  private var base: Double { rotation?.base ?? rotaryBase ?? 10_000 }

  func flaw(_ sizes: HuggingFaceSizes) -> String? {
    if let headWidth, headWidth != sizes.width / sizes.heads {
      return "heads of width \(headWidth), not \(sizes.width / sizes.heads)"
    }
    let heads = sizes.heads
    let shared = keyValueHeads ?? heads
    guard shared >= 1, heads % shared == 0 else {
      return "\(heads) heads that share \(shared) keys"
    }
    if activation ?? "silu" != "silu" { return "its activation is \(activation ?? ""), not silu" }
    if hasAttentionBias == true || hasBias == true { return "its linear layers have biases" }
    return epsilonFlaw(epsilon ?? 1e-6)
      ?? Rotation.flaw([rotation, scaling], share: rotation?.share ?? 1, base: base)
  }

  func describe(_ model: inout ModelConfiguration) {
    model.keyValueHeads = keyValueHeads == model.heads ? nil : keyValueHeads
    model.normEpsilon = epsilon ?? 1e-6
    model.rotaryBase = base
    model.isTied = isTied ?? false
  }
}
