/// The family of layers that a model is made of, by Hugging Face's word for it.
///
/// What its tensors are called, and how they lie in a file, is the family's too.
public enum Architecture: String, CaseIterable, Sendable, Hashable, Codable {
  /// LayerNorm without biases, rotary positions, GELU; with qk-layernorm where it is on.
  case persimmon
  /// LayerNorm and biases everywhere, positions that are learned, GELU, one table for both ends.
  case gpt2
  /// RMSNorm, rotary positions, SwiGLU; several queries may share a key.
  case llama

  /// Whether linear layers and norms add a bias.
  var hasBiases: Bool { self == .gpt2 }
  /// Whether norms take the mean away.
  var centresNorms: Bool { self != .llama }
  /// Whether a position is a row of a table, added to the token's.
  package var learnsPositions: Bool { self == .gpt2 }
  /// Whether one weight makes queries, keys and values.
  package var joinsProjections: Bool { self != .llama }
  /// What follows attention.
  package var feedForward: LayerKind { self == .llama ? .swiglu : .gelu }
  /// ε of its norms where a model says nothing else.
  package var normEpsilon: Double { self == .llama ? 1e-6 : 1e-5 }
  /// Whether the unembedding is the embedding's table where a model says nothing else.
  package var isTied: Bool { self == .gpt2 }

  /// The hidden width of a feed-forward layer where none is given: SwiGLU's three matrices come to about
  /// the weights of two.
  package func feedForwardWidth(_ width: Int) -> Int {
    self == .llama ? max(16, (8 * width / 3 + 15) / 16 * 16) : 4 * width
  }

  var names: TensorNames {
    switch self {
    case .persimmon: TensorNames(finalNorm: "final_layernorm", attentionOutput: "dense")
    case .gpt2: .gpt2
    case .llama: TensorNames(finalNorm: "norm", attentionOutput: "o_proj")
    }
  }
}

/// What a family calls its tensors.
struct TensorNames: Sendable {
  var stem = "model."
  var blocks = "layers."
  var embedding = "embed_tokens"
  var positions = "embed_positions"
  var mixerNorm = "input_layernorm"
  var feedForwardNorm = "post_attention_layernorm"
  var finalNorm: String
  var attention = "self_attn."
  var queryKeyValue = "query_key_value"
  var attentionOutput: String
  var up = "mlp.dense_h_to_4h"
  var down = "mlp.dense_4h_to_h"

  fileprivate static let gpt2 = TensorNames(
    stem: "transformer.", blocks: "h.", embedding: "wte", positions: "wpe", mixerNorm: "ln_1",
    feedForwardNorm: "ln_2", finalNorm: "ln_f", attention: "attn.", queryKeyValue: "c_attn",
    attentionOutput: "c_proj", up: "mlp.c_fc", down: "mlp.c_proj")
}

extension ModelConfiguration {
  /// Heads of keys and values: as many as of queries unless several of these share one.
  package var keyHeads: Int { keyValueHeads ?? keptHeads }

  /// Queries that share a key.
  package var queriesPerKey: Int { keptHeads / keyHeads }

  /// The width of all heads' keys, side by side.
  package var keyWidth: Int { keyHeads * headWidth }

  /// What positions turn by; nil where they turn nothing.
  package var rotation: Double? { architecture.learnsPositions ? nil : rotaryBase }

  /// Whether a head's channels are turned in pairs, so that there must be an even number of them.
  package var turnsPairs: Bool { rotation != nil && hasAttention }

  /// What the name of the weight behind a layer's heads ends in.
  package var attentionOutput: String {
    let names = architecture.names
    return names.attention + names.attentionOutput + ".weight"
  }

  /// Whether all blocks are those of Hugging Face's model of that family.
  package func isAll(_ family: Architecture) -> Bool {
    architecture == family && isPlain
  }

  /// Whether all blocks are those of Hugging Face's model of its family: attention, and the family's own
  /// feed-forward layer.
  package var isPlain: Bool {
    pruned == nil && experts == nil && feedForward == architecture.feedForward
      && mixers.allSatisfy { $0 == .attention }
  }

  /// Has it be of another family, in all that the family says.
  package mutating func setArchitecture(_ family: Architecture) {
    architecture = family
    feedForward = family.feedForward
    feedForwardWidth = family.feedForwardWidth(width)
    normEpsilon = family.normEpsilon
    isTied = family.isTied
  }
}
