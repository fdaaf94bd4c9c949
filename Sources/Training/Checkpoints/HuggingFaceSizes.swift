import Models

/// The sizes that all families have, in GPT-2's words or in those of the others.
struct HuggingFaceSizes: Decodable {
  var width: Int
  var hidden: Int?
  /// As GPT-2 alone calls it, which reads no other word for it.
  var hiddenOfGPT2: Int?
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
    hidden = try values.decodeIfPresent(Int.self, forKey: .hidden)
    hiddenOfGPT2 = try values.decodeIfPresent(Int.self, forKey: .hiddenOfGPT2)
    layers = try number(.layers, or: .layersOfGPT2)
    heads = try number(.heads, or: .headsOfGPT2)
    context = try number(.context, or: .contextOfGPT2)
    vocabulary = try values.decode(Int.self, forKey: .vocabulary)
  }

  var headWidth: Int { width / heads }

  var flaw: String? {
    guard vocabulary >= 1 else { return "a vocabulary of \(vocabulary) tokens" }
    guard vocabulary <= Corpus.largestVocabulary else {
      return
        "\(vocabulary) tokens, more than the \(Corpus.largestVocabulary) that two bytes tell apart"
    }
    let sizes = [width, heads, context, hidden ?? 1, hiddenOfGPT2 ?? 1]
    guard sizes.allSatisfy((1...(1 << 20)).contains), layers >= 1, width % heads == 0 else {
      return "width \(width) in \(heads) heads, \(layers) layers, context \(context)"
    }
    return nil
  }

  func configuration(_ family: Architecture) -> ModelConfiguration {
    var model = ModelConfiguration(width: width, layers: layers, heads: heads, context: context)
    model.setArchitecture(family)
    // All of these families have four times the width unless they say another.
    model.feedForwardWidth = (family == .gpt2 ? hiddenOfGPT2 : hidden) ?? 4 * width
    model.vocabulary = vocabulary
    return model
  }
}
