import Kernels
package import Models
import Ranks

/// A trained model whose outputs another one learns.
package struct Teacher {
  let configuration: ModelConfiguration
  /// Changes with any of its weights.
  package let fingerprint: String
  private let parameters: FloatBuffer
  private let trunk: FloatBuffer?
  private let settings: LossSettings

  /// - Parameters: `data` is the fingerprint of what the run learns from
  /// - Throws: ``CheckpointError``; ``ConfigurationError`` where it does not fit `student`, or was
  ///   trained on other data.
  package init(path: String, student: ModelConfiguration, data: String) throws {
    let checkpoint = try CheckpointFolder.read(path)
    try Self.check(checkpoint, student: student)
    guard try checkpoint.continuation().dataFingerprint == data else {
      throw ConfigurationError.impossible(
        reason: "\(checkpoint.path) was trained on other data than this run's: give --data that"
          + " data, or --distil another checkpoint")
    }
    var configuration = checkpoint.configuration
    configuration.context = student.context
    parameters = FloatBuffer(count: checkpoint.layout.count)
    try checkpoint.load(parameters: parameters)
    trunk = try checkpoint.trunk()
    try parameters.checkFinite(checkpoint.layout.tensors, path: checkpoint.path)
    try trunk?.checkFinite(checkpoint.layout.trunk, path: checkpoint.path)
    settings = checkpoint.forward.settings(qkLayerNormWeight: checkpoint.qkLayerNormWeight)
    fingerprint = [parameters, trunk].compactMap { $0.map(RankMetrics.digest) }.joined()
    self.configuration = configuration
  }

  private static func check(
    _ checkpoint: Checkpoint, student: ModelConfiguration
  ) throws(ConfigurationError) {
    let (own, path) = (checkpoint.configuration, checkpoint.path)
    guard own.vocabulary == student.vocabulary else {
      throw .impossible(
        reason: "\(path) has \(own.vocabulary) tokens and this model \(student.vocabulary): give"
          + " --distil a checkpoint of the same ones")
    }
    guard own.context >= student.context else {
      throw .impossible(
        reason: "\(path) was trained on windows of \(own.context) bytes, not of"
          + " \(student.context): give --context \(own.context)")
    }
  }

  /// An engine for its passes, over the slices of the step's own.
  func engine(beside student: TransformerEngine, _ pool: WorkerPool) -> TransformerEngine {
    TransformerEngine(
      configuration: configuration, batch: student.batch, slices: student.slices, pool: pool,
      ranks: student.ranks, trunk: trunk, takesGradients: false)
  }

  /// Its loss on a step's windows, nats a token.
  /// - Parameters: `logits` takes those of this rank's slices
  func loss(_ engine: TransformerEngine, _ tokens: [UInt8], into logits: FloatBuffer) -> Double {
    tokens.withUnsafeBufferPointer {
      engine.loss(parameters: parameters, tokens: $0, settings: settings, logits: logits).loss
    }
  }
}
