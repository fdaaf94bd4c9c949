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

  static func epsilonFlaw(_ epsilon: Double) -> String? {
    (1e-12...1).contains(epsilon) ? nil : "its norms' epsilon is \(epsilon)"
  }

  /// What transformers calls the GELU by a hyperbolic tangent.
  static var tanhGELU: Set<String> {
    ["gelu_new", "gelu_pytorch_tanh", "gelu_fast", "gelu_accurate", "gelu_python_tanh"]
  }
}

/// The type by which a family is known.
private struct ModelType: Decodable {
  var type: String

  enum CodingKeys: String, CodingKey {
    case type = "model_type"
  }
}

/// A member that is there, whatever it says.
struct HuggingFaceMember: Decodable {
  init(from decoder: any Decoder) {}
}

/// What any family may say that changes all its layers, and none of ours does.
private struct OtherLayers: Decodable {
  var isCausal: Bool?
  var layers: [String: HuggingFaceMember]?
  var quantisation: HuggingFaceMember?

  enum CodingKeys: String, CodingKey {
    case isCausal = "is_causal"
    case layers = "per_layer_config"
    case quantisation = "quantization_config"
  }

  var flaw: String? {
    if isCausal == false { return "its positions see later ones (is_causal is false)" }
    if layers?.isEmpty == false { return "its layers differ by a per_layer_config" }
    return quantisation == nil ? nil : "its weights are quantised by a quantization_config"
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
    let others = try? decoder.decode(OtherLayers.self, from: json),
    let description = try? decoder.decode(kind, from: json)
  else { throw .otherLayers(path: path, found: "config.json without the sizes of a model") }
  if let flaw = sizes.flaw ?? others.flaw ?? description.flaw(sizes) {
    throw .otherLayers(path: path, found: flaw)
  }
  var model = sizes.configuration(family)
  description.describe(&model)
  return (model, description.hasQKLayerNorm)
}
