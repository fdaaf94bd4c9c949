import Foundation
import Kernels
import Models

/// A model that transformers has written, where its layers are this program's: a Persimmon, GPT-2 or
/// Llama.
struct HuggingFaceFolder: OpenedModel {
  let path: String
  let configuration: ModelConfiguration
  let layout: ParameterLayout
  let hasQKLayerNorm: Bool
  private let weights: HuggingFaceWeights

  var qkLayerNormWeight: Float { hasQKLayerNorm ? 1 : 0 }
  var forward: ForwardState { ForwardState() }

  /// Nil for a folder that is no such model at all, or that has a state of Seismo's beside it.
  /// - Throws: `otherLayers` for a model of another kind; `fileMissing`, `weightMissing`,
  ///   `tensorUnfit`, `unreadable`, `damaged`.
  init?(path: String) throws(CheckpointError) {
    let file = path + "/config.json"
    let manager = FileManager.default
    guard manager.fileExists(atPath: file), !manager.fileExists(atPath: path + "/run.json") else {
      return nil
    }
    guard let json = manager.contents(atPath: file) else {
      throw .unreadable(path: file, reason: "it is no file this account may read")
    }
    let description = try huggingFaceDescription(json, path: path)
    weights = try HuggingFaceWeights(folder: path)
    self.path = path
    hasQKLayerNorm = description.hasQKLayerNorm
    let layers = description.configuration.layers
    guard layers <= weights.names.count else {
      throw .otherLayers(path: path, found: "\(layers) layers and fewer tensors")
    }
    // A model with some of its layers would do something, and nothing that anybody trained.
    if let name = weights.names.first(where: { Self.layer(of: $0) ?? 0 >= layers }) {
      throw .otherLayers(path: path, found: "\(layers) layers by its config.json, and \(name)")
    }
    configuration = try weights.untied(description.configuration)
    layout = ParameterLayout(configuration)
    // All of them before any is read, and before there is memory for what is not in the files.
    for tensor in layout.tensors where isInFiles(tensor) {
      try weights.check(
        weights.name(of: tensor), shape: FileForm(tensor, configuration).shape(of: tensor))
    }
    if configuration.architecture == .persimmon { try checkBiases() }
  }

  /// Gains of qk-layernorm are in no file of a model without.
  private func isInFiles(_ tensor: ParameterTensor) -> Bool {
    hasQKLayerNorm || tensor.role != .queryKeyGain
  }

  /// The number of the layer that a tensor is of.
  private static func layer(of tensor: String) -> Int? {
    let parts = tensor.split(separator: ".")
    return zip(parts, parts.dropFirst()).first { ["layers", "h"].contains($0.0) }
      .flatMap { Int($0.1) }
  }

  /// A Persimmon's biases must all be 0: ours has none.
  private func checkBiases() throws(CheckpointError) {
    for name in weights.names where name.hasSuffix(".bias") {
      let values = try weights.values(of: name)
      let isZero = (0..<values.count).allSatisfy { values[$0] == 0 }
      guard isZero else { throw .otherLayers(path: path, found: "\(name) is not 0") }
    }
  }

  /// Reads one tensor to its place; gains of qk-layernorm are 1 where the model has none.
  func load(_ tensor: ParameterTensor, into buffer: FloatBuffer) throws(CheckpointError) {
    guard isInFiles(tensor) else {
      for index in 0..<tensor.count { buffer[tensor.offset + index] = 1 }
      return
    }
    let form = FileForm(tensor, configuration)
    let stored = try weights.values(
      of: weights.name(of: tensor), shape: form.shape(of: tensor))
    let values = UnsafeMutableBufferPointer(
      start: buffer.base + tensor.offset, count: tensor.count)
    form.restore(
      UnsafeBufferPointer(start: stored.base, count: tensor.count), rows: tensor.shape[0],
      into: values)
  }
}

/// The tensors of such a folder, in one file or in the shards that an index names, of whatever
/// floating-point type.
private struct HuggingFaceWeights: Sendable {
  private let folder: String
  private let files: [SafetensorsFile]
  private let owners: [String: Int]
  /// The file that each tensor should be in; empty where there is no index.
  private let index: [String: String]

  private struct Index: Decodable {
    var shards: [String: String]

    enum CodingKeys: String, CodingKey {
      case shards = "weight_map"
    }
  }

  private static let whole = "model.safetensors"

  init(folder: String) throws(CheckpointError) {
    index = try Self.index(of: folder)
    let names = index.isEmpty ? [Self.whole] : Set(index.values).sorted()
    var files: [SafetensorsFile] = []
    var owners: [String: Int] = [:]
    for name in names {
      let file = try Self.open(name, in: folder)
      for tensor in file.names { owners[tensor] = files.count }
      files.append(file)
    }
    (self.folder, self.files, self.owners) = (folder, files, owners)
  }

  private static func open(
    _ name: String, in folder: String
  ) throws(CheckpointError) -> SafetensorsFile {
    do throws(CheckpointError) {
      return try SafetensorsFile(path: folder + "/" + name)
    } catch {
      guard case .missing = error else { throw error }
      throw .fileMissing(path: folder, file: name)
    }
  }

  private static func index(of folder: String) throws(CheckpointError) -> [String: String] {
    let path = folder + "/model.safetensors.index.json"
    guard !FileManager.default.fileExists(atPath: folder + "/" + whole),
      let json = FileManager.default.contents(atPath: path)
    else { return [:] }
    let index = try? JSONDecoder().decode(Index.self, from: json)
    // A name alone: an index must not lead out of its folder.
    guard let shards = index?.shards, !shards.isEmpty,
      shards.values.allSatisfy({ !$0.isEmpty && !$0.contains("/") })
    else {
      throw .damaged(
        path: path, offset: nil, expected: "a weight_map of tensors to files in this folder",
        found: "something else")
    }
    return shards
  }

  var names: [String] { owners.keys.sorted() }

  /// - Throws: `weightMissing`, `tensorUnfit`.
  func check(_ name: String, shape: [Int]? = nil) throws(CheckpointError) {
    _ = try stored(name, shape: shape)
  }

  /// The file that should have it; the folder where any might.
  private func place(ofMissing name: String) -> String {
    guard files.count > 1 else { return files[0].path }
    return index[name].map { folder + "/" + $0 } ?? folder
  }

  private func stored(
    _ name: String, shape: [Int]?
  ) throws(CheckpointError) -> (
    file: SafetensorsFile, tensor: SafetensorsFile.Tensor, type: StoredNumber
  ) {
    guard let owner = owners[name], let tensor = files[owner].tensor(name) else {
      throw .weightMissing(path: place(ofMissing: name), tensor: name)
    }
    guard let type = StoredNumber(rawValue: tensor.type), shape ?? tensor.shape == tensor.shape
    else {
      throw .tensorUnfit(
        path: files[owner].path, tensor: name, expected: "numbers \(shape ?? tensor.shape)",
        found: "\(tensor.type) \(tensor.shape)")
    }
    return (files[owner], tensor, type)
  }

  /// A model without its head is written without the stem.
  func name(of tensor: ParameterTensor) -> String {
    let stems = ["transformer.", "model."]
    guard owners[tensor.name] == nil, let stem = stems.first(where: { tensor.name.hasPrefix($0) })
    else { return tensor.name }
    let short = String(tensor.name.dropFirst(stem.count))
    return owners[short] == nil ? tensor.name : short
  }

  /// A model whose file has an unembedding that is not the embedding's table has two, whatever it says of
  /// them: so does transformers 5 (`tie_weights`).
  func untied(_ model: ModelConfiguration) throws(CheckpointError) -> ModelConfiguration {
    var apart = model
    apart.isTied = false
    let layout = ParameterLayout(apart)
    guard model.isTied, let own = layout.unembedding, owners[own.name] != nil,
      let table = layout.tensors.first(where: { $0.role == .embedding })
    else { return model }
    let values = try values(of: own.name, shape: own.shape)
    let others = try self.values(of: name(of: table), shape: table.shape)
    return (0..<own.count).allSatisfy { values[$0] == others[$0] } ? model : apart
  }

  /// A tensor in Float32.
  /// - Parameters: `shape` is that which it must have; nil for any
  /// - Throws: `weightMissing`, `tensorUnfit`, `unreadable`.
  func values(of name: String, shape: [Int]? = nil) throws(CheckpointError) -> FloatBuffer {
    let (file, tensor, type) = try stored(name, shape: shape)
    let count = tensor.shape.reduce(1, *)
    let stored = Buffer<UInt8>(count: max(tensor.bytes, 1))
    try file.read(
      name, from: 0, into: UnsafeMutableRawBufferPointer(rebasing: stored.memory[..<tensor.bytes]))
    let values = FloatBuffer(count: max(count, 1))
    decode(stored, as: type, from: 0, count: count, into: values)
    return values
  }
}
