internal import Foundation

/// One tensor's place in the flat parameters.
package struct ParameterTensor: Sendable, Hashable {
  package enum Kind: Sendable, Hashable {
    case embedding
    case matrix
    case unembedding
    case gain
    case bias
    /// As it was drawn, for good.
    case fixed
  }

  package let name: String
  package let shape: [Int]
  package let offset: Int
  package let kind: Kind
  package let layer: Int?

  package var count: Int { shape.reduce(1, *) }
  package var fanIn: Int { shape[shape.count - 1] }
  package var isDecayed: Bool { kind != .gain && kind != .bias && kind != .fixed }

  /// A matrix between two hidden layers; a router's outputs are logits, so it is none.
  package var isHiddenMatrix: Bool {
    kind == .matrix && shape.count == 2 && !name.contains(".router.")
  }

  /// Under which the layout has a matrix's γ if it is trained as γ·W/σ(W).
  package var sigmaGainName: String { name.replacing(".weight", with: ".sigma") }
}

/// Where every tensor lies in one flat run of numbers, under the names of Hugging Face's Persimmon.
///
/// Each tensor starts at a cache line; the numbers between two tensors stay zero. Parameters,
/// gradients and moments all have this layout.
package struct ParameterLayout: Sendable, Hashable {
  package let tensors: [ParameterTensor]
  /// All numbers, those between tensors included.
  package let count: Int
  private let positions: [String: Int]

  package init(_ configuration: ModelConfiguration) {
    var builder = LayoutBuilder()
    let width = configuration.width
    builder.add("model.embed_tokens.weight", [configuration.vocabulary, width], .embedding)
    for layer in 0..<configuration.layers { builder.addLayer(layer, configuration) }
    builder.addRouterCell(configuration)
    builder.add("model.final_layernorm.weight", [width], .gain)
    builder.add("lm_head.weight", [configuration.vocabulary, width], .unembedding)
    if configuration.sigmaReparam { builder.addSigmaGains() }
    tensors = builder.tensors
    count = builder.count
    positions = Dictionary(uniqueKeysWithValues: tensors.enumerated().map { ($1.name, $0) })
  }

  package subscript(name: String) -> ParameterTensor? {
    positions[name].map { tensors[$0] }
  }
}

private struct LayoutBuilder {
  private(set) var tensors: [ParameterTensor] = []
  private(set) var count = 0

  /// Last, where the engine, which sees the matrices alone, does not look.
  mutating func addSigmaGains() {
    for tensor in tensors where tensor.isHiddenMatrix {
      let matrices = tensor.name.contains("query_key_value") ? 3 : 1
      add(tensor.sigmaGainName, [matrices], .gain, layer: tensor.layer)
    }
  }

  mutating func add(
    _ name: String, _ shape: [Int], _ kind: ParameterTensor.Kind, layer: Int? = nil
  ) {
    let tensor = ParameterTensor(
      name: name, shape: shape, offset: count, kind: kind, layer: layer)
    tensors.append(tensor)
    count += (tensor.count + 15) / 16 * 16
  }

  mutating func addLayer(_ layer: Int, _ configuration: ModelConfiguration) {
    let (width, headWidth) = (configuration.width, configuration.headWidth)
    let prefix = "model.layers.\(layer)."
    let attention = prefix + "self_attn."
    add(prefix + "input_layernorm.weight", [width], .gain, layer: layer)
    add(attention + "query_key_value.weight", [3 * width, width], .matrix, layer: layer)
    add(attention + "q_layernorm.weight", [headWidth], .gain, layer: layer)
    add(attention + "k_layernorm.weight", [headWidth], .gain, layer: layer)
    add(attention + "dense.weight", [width, width], .matrix, layer: layer)
    add(prefix + "post_attention_layernorm.weight", [width], .gain, layer: layer)
    guard let experts = configuration.experts(inLayer: layer) else {
      let hidden = configuration.feedForwardWidth
      add(prefix + "mlp.dense_h_to_4h.weight", [hidden, width], .matrix, layer: layer)
      add(prefix + "mlp.dense_4h_to_h.weight", [width, hidden], .matrix, layer: layer)
      return
    }
    addRouter(prefix + "mlp.router.", experts, width: width, layer: layer)
    for expert in 0..<experts.count {
      let name = prefix + "mlp.experts.\(expert)."
      add(name + "up.weight", [experts.width, width], .matrix, layer: layer)
      add(name + "down.weight", [width, experts.width], .matrix, layer: layer)
    }
    guard experts.sharedWidth > 0 else { return }
    let shared = prefix + "mlp.shared_expert."
    add(shared + "up.weight", [experts.sharedWidth, width], .matrix, layer: layer)
    add(shared + "down.weight", [width, experts.sharedWidth], .matrix, layer: layer)
  }

  private mutating func addRouter(
    _ prefix: String, _ experts: ExpertConfiguration, width: Int, layer: Int
  ) {
    let name = prefix + "weight"
    switch experts.router {
    case .topk, .switch, .sigmoid: add(name, [experts.count, width], .matrix, layer: layer)
    case .random: add(name, [experts.count, width], .fixed, layer: layer)
    case .rmoe:
      add(prefix + "projection.weight", [experts.routerWidth, width], .matrix, layer: layer)
      add(name, [experts.count, experts.routerWidth], .matrix, layer: layer)
    case .hash, .thor: break
    }
  }

  /// What the recurrent routers of all layers share.
  mutating func addRouterCell(_ configuration: ModelConfiguration) {
    guard let experts = configuration.experts, experts.router == .rmoe,
      !configuration.mixtureLayers.isEmpty
    else { return }
    let width = experts.routerWidth
    let prefix = "model.router."
    add(prefix + "input.weight", [3 * width, width], .matrix)
    add(prefix + "state.weight", [3 * width, width], .matrix)
    add(prefix + "input.bias", [3 * width], .bias)
    add(prefix + "state.bias", [3 * width], .bias)
  }
}
