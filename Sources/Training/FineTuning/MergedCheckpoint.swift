import Foundation
import Kernels
package import Models

extension Checkpoint {
  /// Writes the checkpoint of a plain model that does what this adapted one does, to rounding; a run
  /// that begins with it has all of its weights to train.
  /// - Throws: ``FineTuningError`` where there is nothing to merge or `folder` exists;
  ///   ``CheckpointError``.
  package func writeMerged(to folder: String) throws {
    try Self.checkMerging(of: configuration.adapter, path: path)
    try Self.checkMerging(into: folder)
    guard let trunk = try trunk() else { return }
    let parameters = FloatBuffer(count: layout.count)
    try load(parameters: parameters)
    let plain = configuration.withoutAdapter
    let merged = mergedParameters(configuration, parameters: parameters, trunk: trunk)
    let moments = FloatBuffer(untouched: merged.count)
    let contents = CheckpointContents(
      configuration: plain, layout: ParameterLayout(plain), qkLayerNormWeight: qkLayerNormWeight,
      forward: forward, parameters: merged, firstMoments: moments, secondMoments: moments)
    try CheckpointFolder.write(contents, step: step, run: try mergedState(), at: folder)
  }

  /// - Throws: ``FineTuningError`` where there is nothing to merge.
  package static func checkMerging(of adapter: AdapterConfiguration?, path: String) throws {
    guard let adapter else { throw FineTuningError.notAdapted(path: path) }
    guard adapter.method.isMergeable else {
      throw FineTuningError.notMergeable(path: path, method: adapter.method)
    }
  }

  /// - Throws: ``FineTuningError/exists(path:)``.
  package static func checkMerging(into folder: String) throws {
    guard !FileManager.default.fileExists(atPath: folder) else {
      throw FineTuningError.exists(path: folder)
    }
  }

  /// What the run would say of itself if it had trained the weights themselves.
  private func mergedState() throws(CheckpointError) -> ContinuationState {
    var state = try continuation()
    for option in RunOptionCatalog.fineTuning where option.name != "base" {
      state.options[option.name] = nil
    }
    state.options["method"] = RunOptionCatalog.fullMethod
    state.clipping = nil
    return state
  }
}

extension CheckpointFolder {
  /// Writes a checkpoint that is no run's own, under a name of its own.
  /// - Throws: `CheckpointError.unwritable`; then nothing is left.
  static func write(
    _ contents: CheckpointContents, step: Int, run: some Encodable, at folder: String
  ) throws {
    let runFile = try encoded(contents, step: step, run: run, path: folder)
    try makeWholeFolder(at: folder) { try write(contents, runFile: runFile, to: $0) }
  }
}
