import Foundation
package import Kernels
package import Models

/// A model whose files have been opened and fit it; its tensors are still on disk.
package protocol OpenedModel: Sendable {
  /// The folder that holds the files.
  var path: String { get }
  var configuration: ModelConfiguration { get }
  var layout: ParameterLayout { get }
  /// The share of qk-layernorm in the attention logits.
  var qkLayerNormWeight: Float { get }
  var forward: ForwardState { get }

  /// Reads one tensor to its place in `buffer`.
  /// - Throws: `tensorMissing`, `tensorUnfit`, `unreadable`, `damaged`.
  func load(_ tensor: ParameterTensor, into buffer: FloatBuffer) throws(CheckpointError)
}

extension CheckpointFolder {
  /// Opens a checkpoint, the latest one of a folder of checkpoints, or a model that transformers has
  /// written.
  /// - Throws: what ``read(_:)`` throws; `otherLayers`, `fileMissing`.
  package static func model(_ path: String) throws(CheckpointError) -> any OpenedModel {
    if let folder = try HuggingFaceFolder(path: path) { return folder }
    return try read(path)
  }
}

extension OpenedModel {
  /// What its outputs depend on beside its weights.
  package var settings: LossSettings { forward.settings(qkLayerNormWeight: qkLayerNormWeight) }

  /// Reads the parameters; what lies between tensors is left alone.
  /// - Throws: `unreadable`, `damaged`.
  package func load(parameters: FloatBuffer) throws(CheckpointError) {
    precondition(parameters.count == layout.count, "\(parameters.count) of \(layout.count) values")
    for tensor in layout.tensors { try load(tensor, into: parameters) }
  }

  /// What is not trained, where an adapter is; nil where all is.
  /// - Throws: `unreadable`, `damaged`.
  package func trunk() throws(CheckpointError) -> FloatBuffer? {
    guard configuration.adapter != nil else { return nil }
    let trunk = FloatBuffer(count: layout.trunkCount)
    for tensor in layout.trunk { try load(tensor, into: trunk) }
    deriveAdapters(configuration, trunk: trunk)
    return trunk
  }

  /// Both, of numbers that are finite.
  /// - Throws: `unreadable`, `damaged`, `notFinite`.
  func weights() throws(CheckpointError) -> (parameters: FloatBuffer, trunk: FloatBuffer?) {
    let parameters = FloatBuffer(count: layout.count)
    try load(parameters: parameters)
    let trunk = try trunk()
    try parameters.checkFinite(layout.tensors, path: path)
    try trunk?.checkFinite(layout.trunk, path: path)
    return (parameters, trunk)
  }

  /// It, ready to continue texts.
  /// - Parameters: `workers` are all cores where nil
  /// - Throws: `unreadable`, `damaged`, `notFinite`.
  package func inferenceEngine(workers: Int?) throws(CheckpointError) -> InferenceEngine {
    let (parameters, trunk) = try weights()
    let workers = workers ?? ProcessInfo.processInfo.activeProcessorCount
    return InferenceEngine(
      configuration: configuration, settings: settings, parameters: parameters, trunk: trunk,
      pool: WorkerPool(workers: workers))
  }

  /// - Throws: `noText` for a model whose tokens are no bytes.
  package func checkWritesText() throws(CheckpointError) {
    guard configuration.vocabulary == Corpus.byteVocabulary else {
      throw .noText(path: path, vocabulary: configuration.vocabulary)
    }
  }
}

extension FloatBuffer {
  /// - Throws: `notFinite`, with the first of the tensors that has such numbers.
  func checkFinite(_ tensors: [ParameterTensor], path: String) throws(CheckpointError) {
    for tensor in tensors {
      let values = tensor.offset..<tensor.offset + tensor.count
      guard values.allSatisfy({ self[$0].isFinite }) else {
        throw .notFinite(path: path, tensor: tensor.name)
      }
    }
  }
}
