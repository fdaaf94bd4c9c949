import Foundation
import Kernels
package import Models

extension Checkpoint {
  /// Its model, ready to continue texts.
  /// - Parameters: `workers` are all cores where nil
  /// - Throws: `unreadable`, `damaged`, `notFinite`.
  package func inferenceEngine(workers: Int?) throws(CheckpointError) -> InferenceEngine {
    let parameters = FloatBuffer(count: layout.count)
    try load(parameters: parameters)
    let trunk = try trunk()
    try parameters.checkFinite(layout.tensors, path: path)
    try trunk?.checkFinite(layout.trunk, path: path)
    let workers = workers ?? ProcessInfo.processInfo.activeProcessorCount
    return InferenceEngine(
      configuration: configuration,
      settings: forward.settings(qkLayerNormWeight: qkLayerNormWeight),
      parameters: parameters, trunk: trunk, pool: WorkerPool(workers: workers))
  }
}

extension Checkpoint {
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

extension ModelConfiguration {
  /// A model of this shape as a run would begin with it.
  /// - Parameters: `workers` are all cores where nil
  package func randomInferenceEngine(workers: Int?) -> InferenceEngine {
    let layout = ParameterLayout(self)
    let parameters = FloatBuffer(count: layout.count)
    initialise(parameters: parameters, layout: layout, seed: 0)
    return InferenceEngine(
      configuration: self, settings: LossSettings(), parameters: parameters,
      pool: WorkerPool(workers: workers ?? ProcessInfo.processInfo.activeProcessorCount))
  }
}
