import Models

/// The `config.json` that lets `AutoModelForCausalLM.from_pretrained` load a checkpoint, or nil for
/// a model Hugging Face cannot express: one of other layers, a mixture, one whose logits are soft-capped, or one whose
/// attention is between two states.
///
/// Persimmon is the architecture with qk-layernorm; its own defaults for the activation, the
/// rotation's share and base, and the epsilon differ from this model's. The rotation is written
/// twice because transformers 5 reads `rope_parameters` and earlier versions the two keys beside
/// it, and so is the type. A byte model has no tokens that begin or end a text.
func huggingFaceConfiguration(
  _ configuration: ModelConfiguration, qkLayerNormWeight: Float, forward: ForwardState
) -> [UInt8]? {
  guard configuration.isPersimmon, [0, 1].contains(qkLayerNormWeight), forward.isPlain else {
    return nil
  }
  let members = [
    ("architectures", "[\"PersimmonForCausalLM\"]"),
    ("attention_dropout", "0.0"),
    ("bos_token_id", "null"),
    ("dtype", "\"float32\""),
    ("eos_token_id", "null"),
    ("hidden_act", "\"gelu_pytorch_tanh\""),
    ("hidden_dropout", "0.0"),
    ("hidden_size", "\(configuration.width)"),
    ("intermediate_size", "\(configuration.feedForwardWidth)"),
    ("layer_norm_eps", "1e-05"),
    ("max_position_embeddings", "\(configuration.context)"),
    ("model_type", "\"persimmon\""),
    ("num_attention_heads", "\(configuration.heads)"),
    ("num_hidden_layers", "\(configuration.layers)"),
    ("pad_token_id", "null"),
    ("partial_rotary_factor", "1.0"),
    ("qk_layernorm", qkLayerNormWeight == 1 ? "true" : "false"),
    (
      "rope_parameters",
      "{\"partial_rotary_factor\": 1.0, \"rope_theta\": 10000.0, \"rope_type\": \"default\"}"
    ),
    ("rope_theta", "10000.0"),
    ("tie_word_embeddings", "false"),
    ("torch_dtype", "\"float32\""),
    ("use_cache", "true"),
    ("vocab_size", "\(configuration.vocabulary)"),
  ]
  let lines = members.map { "  \"\($0)\": \($1)" }.joined(separator: ",\n")
  return Array("{\n\(lines)\n}\n".utf8)
}
