import Foundation
import Kernels
package import Models
import Ranks

/// A trained model whose outputs another one learns.
package struct Teacher {
  /// The checkpoint's folder `step-…` itself.
  let path: String
  let configuration: ModelConfiguration
  /// Changes with its weights, and with all else that decides its outputs.
  package let fingerprint: String
  /// What it was trained on.
  package let dataFingerprint: String
  /// The share of the data that was held out from it.
  let evalFraction: Double
  private let parameters: FloatBuffer
  private let trunk: FloatBuffer?
  private let settings: LossSettings

  /// - Parameters: `data` is the fingerprint of what the run learns from; nil where the teacher may have
  ///   been trained on anything
  /// - Throws: ``CheckpointError``; ``ConfigurationError`` where it does not fit `student`, or was
  ///   trained on other data.
  package init(path: String, student: ModelConfiguration, data: String?) throws {
    let checkpoint = try CheckpointFolder.read(path)
    try Self.check(checkpoint, student: student)
    let state = try checkpoint.continuation()
    guard data == nil || data == state.dataFingerprint else {
      throw ConfigurationError.impossible(
        reason: "\(checkpoint.path) was trained on other data than this run's: give --data that"
          + " data, or --distil another checkpoint")
    }
    parameters = FloatBuffer(count: checkpoint.layout.count)
    try checkpoint.load(parameters: parameters)
    trunk = try checkpoint.trunk()
    try parameters.checkFinite(checkpoint.layout.tensors, path: checkpoint.path)
    try trunk?.checkFinite(checkpoint.layout.trunk, path: checkpoint.path)
    settings = checkpoint.forward.settings(qkLayerNormWeight: checkpoint.qkLayerNormWeight)
    let weights = [parameters, trunk].compactMap { $0.map(RankMetrics.digest) }
    fingerprint = (weights + [try Self.digest(checkpoint)]).joined(separator: "-")
    dataFingerprint = state.dataFingerprint
    evalFraction =
      state.options["eval-fraction"].flatMap(Double.init)
      ?? TrainingConfiguration(preset: .tiny).evalFraction
    self.path = checkpoint.path
    var configuration = checkpoint.configuration
    configuration.context = student.context
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

  /// Changes with what decides the outputs beside the weights.
  private static func digest(_ checkpoint: Checkpoint) throws -> String {
    struct Function: Encodable {
      let model: StoredModel
      let forward: ForwardState
      let qkLayerNormWeight: Float
    }
    let function = Function(
      model: StoredModel(checkpoint.configuration), forward: checkpoint.forward,
      qkLayerNormWeight: checkpoint.qkLayerNormWeight)
    return String(FNV1a(try checkpointEncoder().encode(function)).value, radix: 16)
  }

  /// - Throws: `teacherGone`.
  package static func checkIsThere(_ path: String) throws(CheckpointError) {
    guard !FileManager.default.fileExists(atPath: path) else { return }
    throw .teacherGone(path: path)
  }

  /// Its weights.
  var bytes: Int { parameters.bytes + (trunk?.bytes ?? 0) }

  /// An engine for its passes, over the slices of the step's own.
  func engine(beside student: TransformerEngine, _ pool: WorkerPool) -> TransformerEngine {
    TransformerEngine(
      configuration: configuration, batch: student.batch, slices: student.slices, pool: pool,
      ranks: student.ranks, trunk: trunk, takesGradients: false)
  }

  /// Its loss on a step's windows, nats a token.
  /// - Parameters: `logits` takes those of this rank's slices
  func loss(_ engine: TransformerEngine, _ tokens: [Token], into logits: FloatBuffer) -> Double {
    tokens.withUnsafeBufferPointer {
      engine.loss(parameters: parameters, tokens: $0, settings: settings, logits: logits).loss
    }
  }
}

extension TrainingRun {
  /// Nil where none is learnt from.
  var teacher: Teacher? { (objective as? DistillationObjective)?.teacher }

  /// - Throws: `teacherGone` where the teacher that a checkpoint's run names lies there no more.
  static func checkTeacher(
    _ configuration: TrainingConfiguration, continues options: [String: String]
  ) throws(CheckpointError) {
    guard let path = configuration.distil, options["distil"] == path else { return }
    try Teacher.checkIsThere(path)
  }

  /// Another one would have the same run go on elsewhere.
  /// - Parameters: `earlier` is the fingerprint of the checkpoint's; nil for one without
  func checkTeacher(continues earlier: String?) throws(ConfigurationError) {
    guard let teacher, let earlier, teacher.fingerprint != earlier,
      !configuration.takesAnyTeacher
    else { return }
    throw .impossible(
      reason: "\(teacher.path) is not the teacher that the checkpoint's run learnt from: give"
        + " --distil where that one lies")
  }
}
