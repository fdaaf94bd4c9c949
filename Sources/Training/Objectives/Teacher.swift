import Foundation
import Kernels
package import Models
import Ranks

/// A trained model whose outputs another one learns.
package struct Teacher {
  /// The folder of its files itself: a checkpoint's `step-…`, or one that transformers has written.
  let path: String
  let configuration: ModelConfiguration
  /// Changes with its weights, and with all else that decides its outputs.
  package let fingerprint: String
  /// What it was trained on; nil where no run of this program's tells it.
  package let dataFingerprint: String?
  /// The share of the data that was held out from it; nil as above.
  let evalFraction: Double?
  private let parameters: FloatBuffer
  private let trunk: FloatBuffer?
  private let settings: LossSettings

  /// - Parameters: `data` is the fingerprint of what the run learns from; nil where the teacher may have
  ///   been trained on anything
  /// - Throws: ``CheckpointError``; ``ConfigurationError`` where it does not fit `student`, or was
  ///   trained on other data.
  package init(path: String, student: ModelConfiguration, data: String?) throws {
    let model = try CheckpointFolder.model(path)
    try Self.check(model, student: student)
    let state = try (model as? Checkpoint)?.continuation()
    guard data == nil || state == nil || data == state?.dataFingerprint else {
      throw ConfigurationError.impossible(
        reason: "\(model.path) was trained on other data than this run's: give --data that"
          + " data, or --distil another checkpoint")
    }
    let weights = try model.weights()
    settings = model.settings
    let digests = [weights.parameters, weights.trunk].compactMap { $0.map(RankMetrics.digest) }
    fingerprint = (digests + [try Self.digest(model)]).joined(separator: "-")
    dataFingerprint = state?.dataFingerprint
    evalFraction = state.map {
      $0.options["eval-fraction"].flatMap(Double.init)
        ?? TrainingConfiguration(preset: .tiny).evalFraction
    }
    self.path = model.path
    var configuration = model.configuration
    configuration.context = student.context
    self.configuration = configuration
    let layout = ParameterLayout(configuration)
    parameters = Self.cut(
      weights.parameters, model.layout.tensors, to: layout.tensors, count: layout.count)
    trunk = weights.trunk.map {
      let trunk = Self.cut($0, model.layout.trunk, to: layout.trunk, count: layout.trunkCount)
      if layout.trunk != model.layout.trunk { deriveAdapters(configuration, trunk: trunk) }
      return trunk
    }
  }

  /// Weights as they lie in a model of fewer positions: where these are learned, their table has fewer
  /// rows.
  private static func cut(
    _ weights: FloatBuffer, _ tensors: [ParameterTensor], to others: [ParameterTensor], count: Int
  ) -> FloatBuffer {
    guard tensors != others else { return weights }
    let result = FloatBuffer(count: count)
    for (from, to) in zip(tensors, others) {
      for index in 0..<to.count { result[to.offset + index] = weights[from.offset + index] }
    }
    return result
  }

  private static func check(
    _ model: any OpenedModel, student: ModelConfiguration
  ) throws(ConfigurationError) {
    let (own, path) = (model.configuration, model.path)
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
  private static func digest(_ opened: any OpenedModel) throws -> String {
    struct Function: Encodable {
      let model: StoredModel
      let forward: ForwardState
      let qkLayerNormWeight: Float
    }
    let function = Function(
      model: StoredModel(opened.configuration), forward: opened.forward,
      qkLayerNormWeight: opened.qkLayerNormWeight)
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
