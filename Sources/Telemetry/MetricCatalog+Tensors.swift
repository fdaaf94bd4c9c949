extension MetricCatalog {
  /// Over the held-out windows.
  package static func heldOutMaxViolation(layer: Int) -> MetricName {
    MetricName("expert_max_violation/eval/\(layer)")
  }

  package static func expertSimilarity(layer: Int) -> MetricName {
    MetricName("expert_similarity/\(layer)")
  }

  /// - Parameters: `layer` is the later of two neighbours among those that have experts
  package static func routerMutualInformation(layer: Int) -> MetricName {
    MetricName("router_mutual_information/\(layer)")
  }

  /// What a layer of a kind measures of itself, under the kind's own word for it.
  /// - Parameters: `part` of the layer; nil where it is of all
  package static func layerSignal(_ name: String, layer: Int, part: Int? = nil) -> MetricName {
    MetricName("\(name)/\(layer)" + (part.map { "/\($0)" } ?? ""))
  }

  package static let noiseScale: MetricName = "noise_scale"
  package static let sharpness: MetricName = "sharpness"
  package static let sharpnessLimit: MetricName = "sharpness_limit"
  package static let updateCosine: MetricName = "update_cosine"

  /// The root mean square of a parameter's gradient.
  /// - Parameters: `tensor` is the parameter's name in a checkpoint
  package static func gradRMS(tensor: String) -> MetricName {
    MetricName("grad_rms/\(shortName(ofTensor: tensor))")
  }

  package static func updateRMS(tensor: String) -> MetricName {
    MetricName("update_rms/\(shortName(ofTensor: tensor))")
  }

  /// What is measured of the update of the tensor whose gradient's RMS `gradRMS` is.
  package static func updateRMS(besides gradRMS: MetricName) -> MetricName {
    MetricName("update_rms" + gradRMS.path.drop { $0 != "/" })
  }

  package static func paramNorm(tensor: String) -> MetricName {
    MetricName("param_norm/\(shortName(ofTensor: tensor))")
  }

  /// The share of a matrix's blocks that are not there.
  package static func sparsity(tensor: String) -> MetricName {
    MetricName("sparsity/\(shortName(ofTensor: tensor))")
  }

  /// The share of those there that came with the last exchange.
  package static func sparsityChurn(tensor: String) -> MetricName {
    MetricName("sparsity_churn/\(shortName(ofTensor: tensor))")
  }

  /// `L0.qkv` of `model.layers.0.self_attn.query_key_value.weight`.
  static func shortName(ofTensor tensor: String) -> String {
    var words: [String] = []
    var isFeedForward = false
    var parts = tensor.split(separator: ".").map(String.init)[...]
    while let part = parts.popFirst() {
      switch part {
      case "mlp": isFeedForward = true
      case "model", "transformer", "self_attn", "attn", "mixer", "weight": continue
      // GPT-2 has one word for two matrices.
      case "c_proj": words.append(isFeedForward ? "down" : "out")
      case "layers", "h": words.append("L" + (parts.popFirst() ?? ""))
      case "experts": words.append("E" + (parts.popFirst() ?? ""))
      case "groups": words.append("G" + (parts.popFirst() ?? ""))
      default: words.append(shortTensorWords[part] ?? part)
      }
    }
    return words.joined(separator: ".")
  }

  /// Where in the model the tensor of a name such as `grad_rms/L3.E1.up` is, of the family with this
  /// stem.
  /// - Cost: nothing is allocated; a screen asks for each of some hundred.
  package static func tensorPlace(
    of name: MetricName, stem: String
  ) -> (layer: Int?, expert: Int?, part: Substring) {
    var rest = name.path[...].utf8.dropFirst(stem.utf8.count + 1)
    func number(_ letter: Unicode.Scalar) -> Int? {
      guard rest.first == UInt8(ascii: letter), let end = rest.firstIndex(of: UInt8(ascii: ".")),
        let number = Int(Substring(rest[..<end].dropFirst()))
      else { return nil }
      rest = rest[end...].dropFirst()
      return number
    }
    let (layer, expert) = (number("L"), number("E"))
    return (layer, expert, Substring(rest))
  }

  private static let shortTensorWords = [
    "embed_tokens": "embed", "input_layernorm": "norm1", "query_key_value": "qkv",
    "q_layernorm": "q_norm", "k_layernorm": "k_norm", "dense": "out",
    "post_attention_layernorm": "norm2", "dense_h_to_4h": "up", "dense_4h_to_h": "down",
    "final_layernorm": "norm", "lm_head": "head",
    "q_proj": "q", "k_proj": "k", "v_proj": "v", "o_proj": "out", "gate_proj": "gate",
    "up_proj": "up", "down_proj": "down",
    "wte": "embed", "wpe": "positions", "ln_1": "norm1", "c_attn": "qkv", "ln_2": "norm2",
    "c_fc": "up", "ln_f": "norm",
  ]
}

extension MetricCatalog {
  /// Whether it is the gradient's RMS of a block's first feed-forward matrix, or of an expert's.
  package static func isFirstFeedForwardGradient(_ name: MetricName) -> Bool {
    name.path.hasPrefix("grad_rms/L") && name.path.hasSuffix(".up")
  }
}
