import Models

/// The `config.json` that lets `AutoModelForCausalLM.from_pretrained` load a checkpoint, or nil for
/// a model Hugging Face cannot express: one of other layers than its family's, a mixture, one whose
/// logits are soft-capped, or one with qk-layernorm, or half of it, where its family has none.
///
/// A byte model has no tokens that begin or end a text.
func huggingFaceConfiguration(
  _ configuration: ModelConfiguration, qkLayerNormWeight: Float, forward: ForwardState
) -> [UInt8]? {
  let family = configuration.architecture
  let known: [Float] = family == .persimmon ? [0, 1] : [0]
  guard configuration.isPlain, known.contains(qkLayerNormWeight), forward.isPlain else {
    return nil
  }
  let own =
    switch family {
    case .persimmon: persimmonMembers(configuration, hasQKLayerNorm: qkLayerNormWeight == 1)
    case .gpt2: gpt2Members(configuration)
    case .llama: llamaMembers(configuration)
    }
  let members =
    own + [
      ("bos_token_id", "null"),
      ("dtype", "\"float32\""),
      ("eos_token_id", "null"),
      ("model_type", "\"\(family.rawValue)\""),
      ("pad_token_id", "null"),
      ("tie_word_embeddings", "\(configuration.isTied)"),
      ("torch_dtype", "\"float32\""),
      ("use_cache", "true"),
      ("vocab_size", "\(configuration.vocabulary)"),
    ]
  let lines = members.sorted { $0.0 < $1.0 }.map { "  \"\($0)\": \($1)" }
    .joined(separator: ",\n")
  return Array("{\n\(lines)\n}\n".utf8)
}

/// Persimmon is the architecture with qk-layernorm; its own defaults for the activation, the
/// rotation's share and base, and the epsilon differ from this model's. The rotation is written
/// twice because transformers 5 reads `rope_parameters` and earlier versions the two keys beside
/// it, and so is the type.
private func persimmonMembers(
  _ model: ModelConfiguration, hasQKLayerNorm: Bool
) -> [(String, String)] {
  sizeMembers(model) + [
    ("architectures", "[\"PersimmonForCausalLM\"]"),
    ("attention_dropout", "0.0"),
    ("hidden_act", "\"gelu_pytorch_tanh\""),
    ("hidden_dropout", "0.0"),
    ("layer_norm_eps", "\(model.normEpsilon)"),
    ("partial_rotary_factor", "1.0"),
    ("qk_layernorm", "\(hasQKLayerNorm)"),
    (
      "rope_parameters",
      "{\"partial_rotary_factor\": 1.0, \"rope_theta\": \(model.rotaryBase),"
        + " \"rope_type\": \"default\"}"
    ),
    ("rope_theta", "\(model.rotaryBase)"),
  ]
}

private func llamaMembers(_ model: ModelConfiguration) -> [(String, String)] {
  sizeMembers(model) + [
    ("architectures", "[\"LlamaForCausalLM\"]"),
    ("attention_bias", "false"),
    ("attention_dropout", "0.0"),
    ("head_dim", "\(model.headWidth)"),
    ("hidden_act", "\"silu\""),
    ("mlp_bias", "false"),
    ("num_key_value_heads", "\(model.keyHeads)"),
    ("rms_norm_eps", "\(model.normEpsilon)"),
    (
      "rope_parameters", "{\"rope_theta\": \(model.rotaryBase), \"rope_type\": \"default\"}"
    ),
    ("rope_theta", "\(model.rotaryBase)"),
  ]
}

private func sizeMembers(_ model: ModelConfiguration) -> [(String, String)] {
  [
    ("hidden_size", "\(model.width)"),
    ("intermediate_size", "\(model.feedForwardWidth)"),
    ("max_position_embeddings", "\(model.context)"),
    ("num_attention_heads", "\(model.heads)"),
    ("num_hidden_layers", "\(model.layers)"),
  ]
}

private func gpt2Members(_ model: ModelConfiguration) -> [(String, String)] {
  [
    ("activation_function", "\"gelu_new\""),
    ("architectures", "[\"GPT2LMHeadModel\"]"),
    ("attn_pdrop", "0.0"),
    ("embd_pdrop", "0.0"),
    ("layer_norm_epsilon", "\(model.normEpsilon)"),
    ("n_ctx", "\(model.context)"),
    ("n_embd", "\(model.width)"),
    ("n_head", "\(model.heads)"),
    ("n_inner", "\(model.feedForwardWidth)"),
    ("n_layer", "\(model.layers)"),
    ("n_positions", "\(model.context)"),
    ("resid_pdrop", "0.0"),
  ]
}
