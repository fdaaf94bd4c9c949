import Foundation
import Models

/// The head of `run.json`: what kind of file it is, and the model whose tensors lie beside it.
struct CheckpointManifest: Codable {
  static let formatName = "seismo checkpoint"
  static let supportedVersion = 1

  var format = Self.formatName
  var version = Self.supportedVersion
  var step: Int
  var model: StoredModel
  var qkLayerNormWeight: Float
  /// Absent in checkpoints from before there was anything in it.
  var forward: ForwardState?

  enum CodingKeys: String, CodingKey {
    case format, version, step, model, forward
    case qkLayerNormWeight = "qk_layernorm_weight"
  }

  /// For a message.
  var summary: String {
    let experts = model.experts.map {
      ", \($0.active) of \($0.count) experts of width \($0.width)"
    }
    return "step \(step), width \(model.width), \(model.layers) layers, \(model.heads) heads, "
      + "context \(model.context), \(model.vocabulary) tokens\(experts ?? ""), "
      + "qk-layernorm \(qkLayerNormWeight)"
  }
}

/// A model's sizes as `run.json` spells them.
struct StoredModel: Codable {
  struct Experts: Codable {
    var count: Int
    var width: Int
    var active: Int
    /// Absent for `topk`.
    var router: ExpertRouter?
    /// Absent for 1.
    var every: Int?
    /// Absent for 0.
    var sharedWidth: Int?
    /// There for a router that has a state.
    var routerWidth: Int?

    enum CodingKeys: String, CodingKey {
      case count, width, active, router, every
      case sharedWidth = "shared_width"
      case routerWidth = "router_width"
    }
  }

  var width: Int
  var layers: Int
  var heads: Int
  var context: Int
  var vocabulary: Int
  var feedForwardWidth: Int
  var experts: Experts?
  /// Absent for false.
  var sigmaReparam: Bool?
  /// Absent for 0.
  var sharing: Double?
  /// Absent for attention.
  var mixers: [LayerKind]?
  /// Absent for GELU.
  var feedForward: LayerKind?
  /// Absent where the model's own tensors are trained.
  var adapter: AdapterConfiguration?
  /// Absent where nothing was cut out.
  var pruned: PrunedShape?
  /// Absent for Persimmon.
  var architecture: Architecture?
  /// Absent for as many as heads.
  var keyValueHeads: Int?
  /// Absent for the family's own.
  var isTied: Bool?
  var normEpsilon: Double?
  /// Absent for 10,000.
  var rotaryBase: Double?

  enum CodingKeys: String, CodingKey {
    case width, layers, heads, context, vocabulary, experts, mixers, adapter, pruned, sharing
    case architecture
    case keyValueHeads = "key_value_heads"
    case isTied = "tied"
    case normEpsilon = "norm_epsilon"
    case rotaryBase = "rotary_base"
    case feedForward = "feed_forward"
    case feedForwardWidth = "feed_forward_width"
    case sigmaReparam = "sigma_reparam"
  }

  init(_ configuration: ModelConfiguration) {
    width = configuration.width
    layers = configuration.layers
    heads = configuration.heads
    context = configuration.context
    vocabulary = configuration.vocabulary
    feedForwardWidth = configuration.feedForwardWidth
    sigmaReparam = configuration.sigmaReparam ? true : nil
    sharing = configuration.sharing > 0 ? configuration.sharing : nil
    mixers = configuration.mixers == [.attention] ? nil : configuration.mixers
    let family = configuration.architecture
    feedForward = configuration.feedForward == family.feedForward ? nil : configuration.feedForward
    architecture = family == .persimmon ? nil : family
    keyValueHeads = configuration.keyValueHeads
    isTied = configuration.isTied == family.isTied ? nil : configuration.isTied
    normEpsilon =
      configuration.normEpsilon == family.normEpsilon ? nil : configuration.normEpsilon
    rotaryBase =
      configuration.rotaryBase == ModelConfiguration.usualRotaryBase
      ? nil : configuration.rotaryBase
    adapter = configuration.adapter
    pruned = configuration.pruned
    experts = configuration.experts.map {
      Experts(
        count: $0.count, width: $0.width, active: $0.active,
        router: $0.router == .topk ? nil : $0.router, every: $0.every == 1 ? nil : $0.every,
        sharedWidth: $0.sharedWidth == 0 ? nil : $0.sharedWidth,
        routerWidth: $0.router.conformer.hasState ? $0.routerWidth : nil)
    }
  }

  /// Nil for sizes that no model with so many tensors can have: a damaged file must not reach the
  /// code that counts on them.
  func configuration(tensors: Int) -> ModelConfiguration? {
    guard [width, heads, context, feedForwardWidth].allSatisfy((1...(1 << 20)).contains),
      (1...Corpus.largestVocabulary).contains(vocabulary),
      width % heads == 0, layers >= 1, layers <= tensors
    else { return nil }
    var model = ModelConfiguration(width: width, layers: layers, heads: heads, context: context)
    model.vocabulary = vocabulary
    guard setFamily(of: &model) else { return nil }
    model.feedForwardWidth = feedForwardWidth
    model.sigmaReparam = sigmaReparam ?? false
    guard (0...1).contains(sharing ?? 0) else { return nil }
    model.sharing = sharing ?? 0
    if let mixers, !mixers.isEmpty { model.mixers = mixers }
    guard model.fitsStateSpaces, model.headWidth % 2 == 0 || !model.turnsPairs else { return nil }
    if let feedForward { model.feedForward = feedForward }
    if let adapter {
      guard experts == nil, adapter.fits(model) else { return nil }
      model.adapter = adapter
    }
    if let pruned {
      guard model.isAll(.persimmon), experts == nil, pruned.fits(model) else { return nil }
      model.pruned = pruned
    }
    guard let experts else { return model }
    guard experts.count >= 1, experts.count <= tensors / layers,
      (1...(1 << 20)).contains(experts.width), (1...experts.count).contains(experts.active),
      (1...2).contains(experts.every ?? 1), (0...(1 << 20)).contains(experts.sharedWidth ?? 0),
      (1...(1 << 16)).contains(experts.routerWidth ?? 1)
    else { return nil }
    model.experts = ExpertConfiguration(
      count: experts.count, width: experts.width, active: experts.active,
      router: experts.router ?? .topk)
    model.experts?.every = experts.every ?? 1
    model.experts?.sharedWidth = experts.sharedWidth ?? 0
    if let width = experts.routerWidth { model.experts?.routerWidth = width }
    return model
  }
}

extension StoredModel {
  /// - Returns: whether its numbers are ones that a model can have
  private func setFamily(of model: inout ModelConfiguration) -> Bool {
    if let architecture { model.setArchitecture(architecture) }
    if let isTied { model.isTied = isTied }
    if let normEpsilon { model.normEpsilon = normEpsilon }
    if let rotaryBase { model.rotaryBase = rotaryBase }
    model.keyValueHeads = keyValueHeads
    let isShared = keyValueHeads.map {
      $0 >= 1 && heads % $0 == 0 && !model.architecture.joinsProjections
    }
    return isShared ?? true && (1e-12...1).contains(model.normEpsilon)
      && (1...1e9).contains(model.rotaryBase)
      && (model.architecture == .persimmon || mixers == nil)
  }
}

/// The manifest with the trainer's own state beside it, under the key `run`.
struct CheckpointDocument<Run: Encodable>: Encodable {
  var manifest: CheckpointManifest
  var run: Run

  func encode(to encoder: any Encoder) throws {
    try manifest.encode(to: encoder)
    var container = encoder.container(keyedBy: CheckpointDocumentKey.self)
    try container.encode(run, forKey: .run)
  }
}

struct CheckpointRunState<Run: Decodable>: Decodable {
  var run: Run
}

/// The same, where a value chooses what of it is read.
struct ConfiguredRunState<Run: DecodableWithConfiguration>: DecodableWithConfiguration {
  let run: Run

  init(from decoder: any Decoder, configuration: Run.DecodingConfiguration) throws {
    let container = try decoder.container(keyedBy: CheckpointDocumentKey.self)
    run = try container.decode(Run.self, forKey: .run, configuration: configuration)
  }
}

private enum CheckpointDocumentKey: CodingKey { case run }

/// A loss may be infinite or no number; JSON has no word of its own for that.
private let infinity = "Infinity"
private let negativeInfinity = "-Infinity"
private let notANumber = "NaN"

func checkpointEncoder() -> JSONEncoder {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
  encoder.nonConformingFloatEncodingStrategy = .convertToString(
    positiveInfinity: infinity, negativeInfinity: negativeInfinity, nan: notANumber)
  return encoder
}

func checkpointDecoder() -> JSONDecoder {
  let decoder = JSONDecoder()
  decoder.nonConformingFloatDecodingStrategy = .convertFromString(
    positiveInfinity: infinity, negativeInfinity: negativeInfinity, nan: notANumber)
  return decoder
}
