import Foundation
import Kernels
import Models

/// A model that transformers has written, where its layers are this program's: a Persimmon of bytes.
struct HuggingFaceFolder: Sendable {
  let path: String
  let configuration: ModelConfiguration
  let hasQKLayerNorm: Bool
  private let model: SafetensorsFile

  /// Nil for a folder that is no such model at all, or that has a state of Seismo's beside it.
  /// - Throws: `otherLayers` for a model of another kind; `missing` or `unfit` tensors.
  init?(path: String) throws(CheckpointError) {
    let file = path + "/config.json"
    let manager = FileManager.default
    guard manager.fileExists(atPath: file), !manager.fileExists(atPath: path + "/run.json") else {
      return nil
    }
    guard let json = manager.contents(atPath: file),
      let description = try? JSONDecoder().decode(PersimmonDescription.self, from: json)
    else { throw .otherLayers(path: path, found: "config.json without the sizes of a model") }
    if let flaw = description.flaw { throw .otherLayers(path: path, found: flaw) }
    model = try SafetensorsFile(path: path + "/model.safetensors")
    self.path = path
    configuration = description.configuration
    hasQKLayerNorm = description.qkLayerNorm ?? true
    guard configuration.layers <= model.tensorCount else {
      throw .otherLayers(path: path, found: "\(configuration.layers) layers and fewer tensors")
    }
    try checkBiases()
  }

  /// Its biases must all be 0: ours has none.
  private func checkBiases() throws(CheckpointError) {
    for tensor in model.tensors where tensor.name.hasSuffix(".bias") {
      let values = UnsafeMutableBufferPointer<Float>.allocate(capacity: tensor.shape.reduce(1, *))
      defer { values.deallocate() }
      try model.read(tensor.name, shape: tensor.shape, into: values)
      guard values.allSatisfy({ $0 == 0 }) else {
        throw .otherLayers(path: path, found: "\(tensor.name) is not 0")
      }
    }
  }

  /// Reads one tensor to its place; gains of qk-layernorm are 1 where the model has none.
  func load(_ tensor: ParameterTensor, into buffer: FloatBuffer) throws(CheckpointError) {
    guard hasQKLayerNorm || tensor.role != .queryKeyGain else {
      for index in 0..<tensor.count { buffer[tensor.offset + index] = 1 }
      return
    }
    try model.read(tensor.name, into: buffer, at: tensor)
  }
}

/// What of Persimmon's `config.json` decides whether its layers are ours.
private struct PersimmonDescription: Decodable {
  struct Rotation: Decodable {
    var share: Double?
    var base: Double?

    enum CodingKeys: String, CodingKey {
      case share = "partial_rotary_factor"
      case base = "rope_theta"
    }
  }

  var type: String
  var width: Int
  var hidden: Int?
  var layers: Int
  var heads: Int
  var context: Int
  var vocabulary: Int
  var activation: String?
  var epsilon: Double?
  var qkLayerNorm: Bool?
  var rotaryShare: Double?
  var rotaryBase: Double?
  var rotation: Rotation?
  var isTied: Bool?

  enum CodingKeys: String, CodingKey {
    case type = "model_type"
    case width = "hidden_size"
    case hidden = "intermediate_size"
    case layers = "num_hidden_layers"
    case heads = "num_attention_heads"
    case context = "max_position_embeddings"
    case vocabulary = "vocab_size"
    case activation = "hidden_act"
    case epsilon = "layer_norm_eps"
    case qkLayerNorm = "qk_layernorm"
    case rotaryShare = "partial_rotary_factor"
    case rotaryBase = "rope_theta"
    case rotation = "rope_parameters"
    case isTied = "tie_word_embeddings"
  }

  /// What of it is another model's, in half a line; nil where nothing is.
  var flaw: String? {
    if type != "persimmon" { return "its type is \(type)" }
    if vocabulary != 256 { return "\(vocabulary) tokens, not the 256 bytes" }
    let sizes = [width, heads, context].allSatisfy((1...(1 << 20)).contains)
    guard sizes, layers >= 1, width % heads == 0, width / heads % 2 == 0 else {
      return "width \(width) in \(heads) heads, \(layers) layers, context \(context)"
    }
    if let hidden, hidden != 4 * width { return "a hidden width of \(hidden), not \(4 * width)" }
    if !["gelu_new", "gelu_pytorch_tanh"].contains(activation ?? "relu2") {
      return "its activation is \(activation ?? "relu2"), not gelu_pytorch_tanh"
    }
    if epsilon ?? 1e-5 != 1e-5 { return "its layer_norm_eps is \(epsilon ?? 0), not 1e-05" }
    let share = rotation?.share ?? rotaryShare ?? 0.5
    if share != 1 { return "positions rotate a share of \(share) of a head, not all of it" }
    let base = rotation?.base ?? rotaryBase ?? 10000
    if base != 10000 { return "positions rotate by base \(base), not 10000" }
    return isTied == true ? "its embeddings are tied" : nil
  }

  var configuration: ModelConfiguration {
    ModelConfiguration(width: width, layers: layers, heads: heads, context: context)
  }
}
