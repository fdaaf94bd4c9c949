import Foundation
package import Kernels
package import Models

/// A checkpoint that has been opened: its files are whole and fit its model; tensors are still on
/// disk.
package struct Checkpoint: OpenedModel {
  /// The folder `step-…` itself.
  package let path: String
  /// How many updates the weights have had.
  package let step: Int
  package let configuration: ModelConfiguration
  package let layout: ParameterLayout
  /// The share of qk-layernorm in the attention logits of this step.
  package let qkLayerNormWeight: Float
  package let forward: ForwardState

  private let runFile: Data
  private let model: SafetensorsFile
  private let optimizer: SafetensorsFile
  /// Nil where no adapter is trained.
  private let adapter: SafetensorsFile?
  /// No state of a run comes near it.
  private static let longestRunFile = 256 << 20

  /// - Throws: `missing`, `unreadable`, `foreign`, `newer`, `damaged`, `tensorMissing`,
  ///   `tensorUnfit`.
  init(folder: String) throws(CheckpointError) {
    path = folder
    runFile = try Self.runFile(in: folder)
    let manifest = try Self.manifest(runFile, path: folder + "/run.json")
    model = try SafetensorsFile(path: folder + "/model.safetensors")
    optimizer = try SafetensorsFile(path: folder + "/optimizer.safetensors")
    // More layers than tensors cannot be true, and a layout of them could fill the memory.
    guard let configuration = manifest.model.configuration(tensors: model.tensorCount),
      manifest.step >= 0, (0...1).contains(manifest.qkLayerNormWeight),
      manifest.forward?.fits(configuration) != false
    else {
      throw .damaged(
        path: folder + "/run.json", offset: nil, expected: "a step and sizes a model can have",
        found: manifest.summary)
    }
    step = manifest.step
    self.configuration = configuration
    layout = ParameterLayout(configuration)
    adapter =
      configuration.adapter == nil
      ? nil : try SafetensorsFile(path: AdapterFolder.weights(in: folder + "/adapter"))
    qkLayerNormWeight = manifest.qkLayerNormWeight
    forward = manifest.forward ?? ForwardState()
    try checkTensors()
  }

  /// The trainer's own state, as it was given to `CheckpointFolder.write`.
  /// - Throws: `damaged`, with the key that is missing or of another type.
  package func run<Run: Decodable>(as type: Run.Type) throws(CheckpointError) -> Run {
    try decoded { try $0.decode(CheckpointRunState<Run>.self, from: runFile).run }
  }

  /// A part of the trainer's own state that `configuration` chooses.
  /// - Throws: `damaged`, with the key that is missing or of another type.
  func run<Run: DecodableWithConfiguration>(
    as type: Run.Type, configuration: Run.DecodingConfiguration
  ) throws(CheckpointError) -> Run {
    try decoded {
      try $0.decode(
        ConfiguredRunState<Run>.self, from: runFile, configuration: configuration
      ).run
    }
  }

  private func decoded<Value>(
    _ body: (JSONDecoder) throws -> Value
  ) throws(CheckpointError) -> Value {
    do {
      return try body(checkpointDecoder())
    } catch {
      throw .damaged(
        path: path + "/run.json", offset: nil, expected: "a run's state", found: evidence(error))
    }
  }

  package func load(_ tensor: ParameterTensor, into buffer: FloatBuffer) throws(CheckpointError) {
    try file(of: tensor).read(
      name(of: tensor), into: buffer, at: tensor, in: form(of: tensor))
  }

  /// Reads the optimizer's moments.
  /// - Throws: `unreadable`, `damaged`.
  package func load(
    firstMoments: FloatBuffer, secondMoments: FloatBuffer
  ) throws(CheckpointError) {
    precondition(firstMoments.count == layout.count && secondMoments.count == layout.count)
    for tensor in layout.tensors where layout.isTrained(tensor) {
      try optimizer.read(firstMomentName(tensor), into: firstMoments, at: tensor)
      try optimizer.read(secondMomentName(tensor), into: secondMoments, at: tensor)
    }
  }

  /// Whether it has what a run stores beside the layout's tensors now and then.
  func holds(_ tensor: StoredTensor) -> Bool { optimizer.contains(tensor.name) }

  /// Reads what is stored beside the layout's tensors.
  /// - Throws: `tensorMissing`, `tensorUnfit`, `unreadable`, `damaged`.
  func load(_ tensor: StoredTensor) throws(CheckpointError) {
    try optimizer.check(tensor.name, shape: tensor.shape)
    try optimizer.read(tensor.name, shape: tensor.shape, into: tensor.values)
  }

  private func file(of tensor: ParameterTensor) -> SafetensorsFile {
    if let adapter, !tensor.isFrozen { return adapter }
    return isInModelFile(tensor, qkLayerNormWeight: qkLayerNormWeight) ? model : optimizer
  }

  private func name(of tensor: ParameterTensor) -> String {
    adapter == nil || tensor.isFrozen ? tensor.name : AdapterFolder.name(of: tensor)
  }

  /// The optimizer's file has tensors as the engine has them.
  private func form(of tensor: ParameterTensor) -> FileForm {
    let isOwn = adapter == nil || tensor.isFrozen
    let isInOptimizer = isOwn && !isInModelFile(tensor, qkLayerNormWeight: qkLayerNormWeight)
    return isInOptimizer ? .plain : FileForm(tensor, configuration)
  }

  private func check(_ tensor: ParameterTensor) throws(CheckpointError) {
    try file(of: tensor).check(name(of: tensor), shape: form(of: tensor).shape(of: tensor))
  }

  /// All of it before any of it is read, so that a run is not left with half a checkpoint.
  private func checkTensors() throws(CheckpointError) {
    for tensor in layout.trunk {
      try check(tensor)
    }
    for tensor in layout.tensors {
      try check(tensor)
      guard layout.isTrained(tensor) else { continue }
      try optimizer.check(firstMomentName(tensor), shape: tensor.shape)
      try optimizer.check(secondMomentName(tensor), shape: tensor.shape)
    }
  }

  private static func runFile(in folder: String) throws(CheckpointError) -> Data {
    let input: CheckpointInput
    do throws(CheckpointError) {
      input = try CheckpointInput(path: folder + "/run.json")
    } catch {
      guard case .missing = error else { throw error }
      throw .foreign(path: folder, found: "it has no run.json")
    }
    guard input.count <= longestRunFile else {
      throw .foreign(path: input.path, found: "\(input.count) bytes")
    }
    return Data(try input.bytes(at: 0, count: input.count))
  }

  private static func manifest(
    _ json: Data, path: String
  ) throws(CheckpointError) -> CheckpointManifest {
    struct Kind: Decodable {
      var format: String
      var version: Int
    }
    let decoder = checkpointDecoder()
    do {
      let kind = try decoder.decode(Kind.self, from: json)
      guard kind.format == CheckpointManifest.formatName else {
        throw CheckpointError.foreign(path: path, found: "its format is \"\(kind.format)\"")
      }
      guard kind.version <= CheckpointManifest.supportedVersion else {
        throw CheckpointError.newer(
          path: path, version: kind.version, supported: CheckpointManifest.supportedVersion)
      }
      return try decoder.decode(CheckpointManifest.self, from: json)
    } catch let error as CheckpointError {
      throw error
    } catch {
      throw .damaged(
        path: path, offset: nil, expected: "a run's description in JSON", found: evidence(error))
    }
  }
}

extension SafetensorsFile {
  func read(
    _ name: String, into buffer: FloatBuffer, at tensor: ParameterTensor
  ) throws(CheckpointError) {
    let values = UnsafeMutableBufferPointer(
      start: buffer.base + tensor.offset, count: tensor.count)
    try read(name, shape: tensor.shape, into: values)
  }
}

/// What a decoder stumbled over, in a few words.
private func evidence(_ error: any Error) -> String {
  func place(_ path: [any CodingKey]) -> String {
    path.map(\.stringValue).joined(separator: ".")
  }
  guard let error = error as? DecodingError else { return "something else" }
  switch error {
  case .keyNotFound(let key, let context): return "no \(place(context.codingPath + [key]))"
  case .typeMismatch(_, let context): return "another type at \(place(context.codingPath))"
  case .valueNotFound(_, let context): return "nothing at \(place(context.codingPath))"
  case .dataCorrupted(let context):
    return context.codingPath.isEmpty ? "no JSON" : "another value at \(place(context.codingPath))"
  @unknown default: return "something else"
  }
}
