package import Kernels

extension TransformerEngine {
  /// The loss of a step's windows, without gradients, and their logits; it allocates nothing, as a step.
  ///
  /// - Parameters: `tokens` as for a step; `logits` [rows·T, V] takes those of this rank's slices
  package func loss(
    parameters: FloatBuffer, tokens: UnsafeBufferPointer<Token>, settings: LossSettings,
    logits: FloatBuffer
  ) -> StepStatistics {
    let rows = batch * configuration.context
    precondition(
      logits.count == rows * configuration.vocabulary,
      "\(logits.count) places for the logits of \(batch) windows")
    windows.fill(from: tokens)
    var plan = plan(parameters, settings)
    plan.logits = Matrix(logits, rows: rows, columns: configuration.vocabulary)
    readingPasses.run(jobs: sliceGradients.count, plan)
    shareSums()
    statistics.measure(sums[..<slices], samples: batch, settings: settings, configuration)
    return statistics
  }
}
