import Foundation
import Kernels
package import Models

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
