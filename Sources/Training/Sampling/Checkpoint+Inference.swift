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
    for tensor in layout.tensors {
      let values = tensor.offset..<tensor.offset + tensor.count
      guard values.allSatisfy({ parameters[$0].isFinite }) else {
        throw .notFinite(path: path, tensor: tensor.name)
      }
    }
    let workers = workers ?? ProcessInfo.processInfo.activeProcessorCount
    return InferenceEngine(
      configuration: configuration,
      settings: forward.settings(qkLayerNormWeight: qkLayerNormWeight),
      parameters: parameters, pool: WorkerPool(workers: workers))
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
