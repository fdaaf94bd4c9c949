import Kernels
import Models
import Telemetry

/// What a step's loss is of where it is more than the next bytes of its windows.
///
/// What it draws is a function of the step's number, so that a resumed run needs no state of it.
protocol StepObjective {
  /// Whether it is about what the outputs were as the run began.
  static var hasReference: Bool { get }

  /// What it takes of memory of its own, where that is much.
  var memoryBytes: Int { get }

  /// What is to be told as the run begins; nil for nothing.
  var notice: String? { get }

  /// What of its own was not finite in the step, in words; nil where all was.
  var culprit: String? { get }

  /// Puts windows of its own into `tokens`, which hold the run's, and says what their loss is.
  /// - Throws: ``DataError`` where data cannot be read, ``StepUnwanted``, and what judges texts throws.
  mutating func prepare(_ step: ObjectiveStep, _ tokens: inout [Token]) throws -> any TokenLoss

  /// What it measured, once the passes are done.
  mutating func tell(_ statistics: StepStatistics, into samples: inout StepSamples)
}

extension StepObjective {
  static var hasReference: Bool { true }
  var memoryBytes: Int { 0 }
  var notice: String? { nil }
  var culprit: String? { nil }
}

/// A step given up before its passes, since the run is to end: nothing has changed.
struct StepUnwanted: Error {}

/// The step that an objective prepares.
struct ObjectiveStep {
  let number: Int
  /// The number of the first of its windows.
  let firstWindow: Int
  let engine: TransformerEngine
  let parameters: FloatBuffer
  /// As the run began: what its outputs are held to, by an objective that has a reference.
  let reference: FloatBuffer?
  let settings: LossSettings
  /// Whether the step is to be taken still: false once somebody has asked for the run's end.
  let isWanted: @Sendable () -> Bool

  var context: Int { engine.configuration.context }

  /// One for the step's windows, which may be more or fewer than those of the step before.
  func steering(inPlaceOf former: Steering?) -> Steering {
    let tokens = engine.batch * context
    if let former, former.weights.count == tokens { return former }
    return Steering(tokens: tokens, vocabulary: engine.configuration.vocabulary)
  }

  /// The reference's logits of some of the step's windows, where `steering` has them.
  func putReference(_ rows: Range<Int>, of tokens: [Token], into steering: Steering) {
    guard let reference else { preconditionFailure("an objective without a reference") }
    let width = context + 1
    let logits = tokens[rows.lowerBound * width..<rows.upperBound * width]
      .withUnsafeBufferPointer {
        engine.logits(parameters: reference, tokens: $0, rows: rows.count, settings: settings)
      }
    let start = rows.lowerBound * context * engine.configuration.vocabulary
    for (index, logit) in logits.enumerated() { steering.reference[start + index] = logit }
  }
}

extension TrainingRun {
  /// What a step's loss is more than that of its windows' next bytes; nil for nothing.
  /// - Throws: what reading anchors or a teacher throws.
  static func objective(
    _ configuration: TrainingConfiguration, _ reward: TextReward?, data: String,
    engine: TransformerEngine, pool: WorkerPool
  ) throws -> (any StepObjective)? {
    if let anchors = try AnchorObjective(configuration) { return anchors }
    if let distilled = try DistillationObjective(
      configuration, data: data, student: engine, pool: pool)
    {
      return distilled
    }
    return RewardObjective(configuration, reward, pool: pool)
  }

  /// The parameters as a run with this configuration begins: the trunk's function where an adapter
  /// is trained, else the base's weights.
  /// - Throws: what reading the base throws.
  static func reference(
    _ configuration: TrainingConfiguration, layout: ParameterLayout
  ) throws -> FloatBuffer {
    let reference = FloatBuffer(count: layout.count)
    if configuration.model.adapter != nil {
      initialise(parameters: reference, layout: layout, seed: configuration.seed)
    } else if let base = configuration.base {
      try BaseModel(path: base).load(layout.tensors, into: reference)
    }
    return reference
  }
}
