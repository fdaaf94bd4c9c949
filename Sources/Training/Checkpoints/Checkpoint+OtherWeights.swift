package import Kernels
import Models

extension Checkpoint {
  /// Writes the files of a checkpoint of this one's run at this step, but with other weights.
  ///
  /// No run arrived at them: the optimizer's moments begin at 0, and what the run had measured on the
  /// way here is forgotten. Its options, settings and script stay, so that it can go on from there; one
  /// whose matrices had blocks left out, or that moved in a subspace, goes on with all weights.
  /// - Parameters:
  ///   - parameters: in the layout's order.
  ///   - routerBias: as ``ForwardState`` has it.
  ///   - folder: is there.
  /// - Throws: `damaged` where this one has no such state, `unwritable`.
  package func write(
    _ parameters: FloatBuffer, routerBias: [Float]?, into folder: String
  ) throws(CheckpointError) {
    var forward = forward
    forward.routerBias = routerBias
    let moments = FloatBuffer(untouched: layout.count)
    let contents = CheckpointContents(
      configuration: configuration, layout: layout, qkLayerNormWeight: qkLayerNormWeight,
      forward: forward, parameters: parameters, firstMoments: moments, secondMoments: moments)
    var state = try continuation()
    state.forgetMeasurements()
    let runFile = try CheckpointFolder.encoded(contents, step: step, run: state, path: folder)
    try CheckpointFolder.write(contents, runFile: runFile, to: folder)
  }
}

extension ContinuationState {
  /// Keeps what decides how the run goes on, and nothing that was measured of other weights.
  fileprivate mutating func forgetMeasurements() {
    var fresh = TrainingProgress()
    fresh.batchOffset = progress.batchOffset
    (progress, clipping) = (fresh, nil)
    for option in ["sparsity", "regrow", "subspace"] { options[option] = nil }
  }
}
