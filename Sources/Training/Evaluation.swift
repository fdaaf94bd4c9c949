import Foundation
import Kernels
import Models

/// The loss of a checkpoint on data: the mean over consecutive, non-overlapping windows.
///
/// It depends neither on the number of workers nor on how the windows are read.
package struct Evaluation {
  package struct Result: Sendable, Equatable {
    /// Nats a token.
    package let loss: Double
    package let tokens: Int
  }

  private static let rowsAtOnce = 64

  private let checkpoint: Checkpoint
  private let windows: ConsecutiveWindows
  private let workers: Int

  /// - Throws: ``DataError`` where the data has less than one window.
  package init(checkpoint: Checkpoint, corpus: Corpus, workers: Int?) throws(DataError) {
    self.checkpoint = checkpoint
    self.workers = workers ?? ProcessInfo.processInfo.activeProcessorCount
    windows = try ConsecutiveWindows(corpus: corpus, context: checkpoint.configuration.context)
  }

  /// - Throws: ``CheckpointError`` or ``DataError`` where a file cannot be read.
  package func run() throws -> Result {
    let engine = TransformerEngine(
      configuration: checkpoint.configuration, batch: 4, pool: WorkerPool(workers: workers))
    let parameters = FloatBuffer(count: checkpoint.layout.count)
    try checkpoint.load(parameters: parameters)
    let settings = checkpoint.forward.settings(qkLayerNormWeight: checkpoint.qkLayerNormWeight)
    var sum = 0.0
    for start in stride(from: 0, to: windows.count, by: Self.rowsAtOnce) {
      let range = start..<min(start + Self.rowsAtOnce, windows.count)
      let bytes = try windows.bytes(of: range)
      let statistics = bytes.withUnsafeBufferPointer {
        engine.loss(parameters: parameters, tokens: $0, rows: range.count, settings: settings)
      }
      sum += statistics.loss * Double(range.count)
    }
    return Result(loss: sum / Double(windows.count), tokens: windows.targets)
  }
}
