import Kernels
package import Models
import Telemetry

/// What a run can begin with: a checkpoint of Seismo's, or another program's model of the same
/// layers.
package struct BaseModel {
  /// As it is written, without what only training asks for.
  package let configuration: ModelConfiguration
  let qkLayerNormWeight: Float
  let forward: ForwardState
  private let source: Source

  private enum Source {
    case checkpoint(Checkpoint)
    case huggingFace(HuggingFaceFolder)
  }

  /// - Throws: what reading a checkpoint throws; `otherLayers`; ``FineTuningError/adapted(path:)``.
  package init(path: String) throws {
    if let folder = try HuggingFaceFolder(path: path) {
      source = .huggingFace(folder)
      (configuration, forward) = (folder.configuration, ForwardState())
      qkLayerNormWeight = folder.qkLayerNormWeight
      return
    }
    let checkpoint = try CheckpointFolder.read(path)
    guard checkpoint.configuration.adapter == nil else {
      throw FineTuningError.adapted(path: path)
    }
    guard checkpoint.configuration.pruned == nil else {
      throw FineTuningError.pruned(path: path)
    }
    guard [0, 1].contains(checkpoint.qkLayerNormWeight) else {
      throw FineTuningError.blended(path: path)
    }
    var configuration = checkpoint.configuration
    // Its file holds the products γ·W/σ(W).
    configuration.sigmaReparam = false
    source = .checkpoint(checkpoint)
    (self.configuration, forward) = (configuration, checkpoint.forward)
    qkLayerNormWeight = checkpoint.qkLayerNormWeight
  }

  package var path: String {
    switch source {
    case .checkpoint(let checkpoint): checkpoint.path
    case .huggingFace(let folder): folder.path
    }
  }

  /// The options of a run that has its shape and its forward pass, by long name: all but the rate
  /// and the length, which are training's own.
  package func options() throws -> [String: String] {
    let preset = Preset.allCases.first { $0.model == configuration }
    var shaped = TrainingConfiguration(
      preset: preset ?? (configuration.experts == nil ? .tiny : .moeTiny))
    shaped.model = configuration
    shaped.qkLayerNorm = qkLayerNormWeight == 1
    shaped.logitSoftCap = Double(forward.logitSoftCap)
    shaped.outputSoftCap = Double(forward.outputSoftCap)
    shaped.capacity = Double(forward.capacity ?? 0)
    var options: [String: String] = [:]
    for option in RunOptionCatalog.all where !["lr", "steps"].contains(option.name) {
      options[option.name] = option.words(shaped)
    }
    if case .checkpoint(let checkpoint) = source {
      options["batch"] = try checkpoint.continuation().options["batch"]
    }
    return options
  }

  /// - Throws: ``ConfigurationError`` where the run has another shape.
  func check(_ run: TrainingConfiguration) throws(ConfigurationError) {
    var shape = run.model
    (shape.adapter, shape.isMasked) = (nil, false)
    shape.sigmaReparam = false
    guard shape == configuration else {
      throw .impossible(
        reason: "\(path) holds \(configuration.words), not \(shape.words): leave the sizes out")
    }
  }

  /// Reads tensors to their places in `buffer`; those that only training has are left as they are.
  /// - Throws: `tensorMissing`, `tensorUnfit`, `unreadable`, `damaged`, `notFinite`.
  func load(_ tensors: [ParameterTensor], into buffer: FloatBuffer) throws(CheckpointError) {
    let own = tensors.filter { $0.role != .sigmaGain }
    for tensor in own {
      switch source {
      case .checkpoint(let checkpoint): try checkpoint.load(tensor, into: buffer)
      case .huggingFace(let folder): try folder.load(tensor, into: buffer)
      }
    }
    try buffer.checkFinite(own, path: path)
  }
}

extension TrainingRun {
  /// Takes the weights of the base, and of the adapter that it is to go on from.
  func begin(at base: BaseModel) throws {
    if let trunk = engine.trunk {
      try base.load(engine.layout.trunk, into: trunk)
      deriveAdapters(configuration.model, trunk: trunk)
    } else {
      try base.load(engine.layout.tensors, into: parameters)
    }
    routerBias = RouterBias(configuration.model, values: base.forward.routerBias)
    guard let path = configuration.startingAdapter else { return }
    let missing = try AdapterFolder(path: path).load(
      configuration.model, engine.layout, into: parameters)
    guard let first = missing.first else { return }
    let others = missing.count == 1 ? "" : " and \(missing.count - 1) more"
    notices.append(
      "the adapter \(path) has nothing for \(first)\(others): what stands beside them begins at 0")
  }
}

/// Why a run cannot begin with a checkpoint. The description is one line.
package enum FineTuningError: Error, Equatable, CustomStringConvertible {
  /// It has an adapter beside its own weights.
  case adapted(path: String)
  /// Parts of it were cut out.
  case pruned(path: String)
  /// It was written while a switch of qk-layernorm was blended.
  case blended(path: String)
  /// There is nothing to merge.
  case notAdapted(path: String)
  /// What its adapter does is done by no weight.
  case notMergeable(path: String, method: AdapterMethod)
  case exists(path: String)

  package var description: String {
    switch self {
    case .adapted(let path):
      "\(path): has an adapter beside its weights: go on with it by 'seismo train --resume', or give"
        + " --merge-into FOLDER and begin with that folder"
    case .pruned(let path):
      "\(path): parts of it were cut out by --light: go on with it by 'seismo train --resume', or"
        + " begin with a whole model"
    case .blended(let path):
      "\(path): its attention is between two states of qk-layernorm: use a later checkpoint"
    case .notAdapted(let path):
      "\(path): has no adapter to merge: give the checkpoint of a run with --method lora"
    case .notMergeable(let path, let method):
      "\(path): what \(method.rawValue) adds is no part of a weight: it stays beside them"
    case .exists(let path): "\(path) exists: give --merge-into a new folder"
    }
  }
}
