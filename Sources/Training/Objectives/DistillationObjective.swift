import Kernels
import Models
import Telemetry

/// The step's windows are read by a teacher too, whose outputs the model learns beside the data.
///
/// - Cost: a forward pass of the teacher, and its logits' memory
/// - Source: see ``Distillation``
struct DistillationObjective: StepObjective {
  static let hasReference = false

  let teacher: Teacher
  private let evalFraction: Double
  private let pool: WorkerPool
  private var engine: TransformerEngine
  private var loss: Distillation
  private var teacherLoss = Double.nan

  /// Nil where nothing is distilled.
  /// - Parameters: `data` is the fingerprint of what the run learns from
  /// - Throws: what a ``Teacher`` throws.
  init?(
    _ configuration: TrainingConfiguration, data: String, student: TransformerEngine,
    pool: WorkerPool
  ) throws {
    guard let path = configuration.distil else { return nil }
    teacher = try Teacher(
      path: path, student: configuration.model,
      data: configuration.takesAnyTeacher ? nil : data)
    evalFraction = configuration.evalFraction
    self.pool = pool
    engine = teacher.engine(beside: student, pool)
    loss = Distillation(
      share: Float(configuration.distilWeight),
      temperature: Float(configuration.distilTemperature), teacher: Self.logits(of: engine))
  }

  private static func logits(of engine: TransformerEngine) -> FloatBuffer {
    let shape = engine.configuration
    return FloatBuffer(untouched: engine.batch * shape.context * shape.vocabulary)
  }

  var memoryBytes: Int { teacher.bytes + engine.memoryBytes + loss.teacher.bytes }

  var notice: String? {
    guard let share = teacher.evalFraction, share < evalFraction else { return nil }
    return "the teacher was trained on some of the bytes that are held out here: its"
      + " eval-fraction is \(share), this run's \(evalFraction)"
  }

  var culprit: String? { teacherLoss.isFinite ? nil : "the loss of the teacher \(teacher.path)" }

  mutating func prepare(_ step: ObjectiveStep, _ tokens: inout [Token]) -> any TokenLoss {
    if engine.batch != step.engine.batch { resize(beside: step.engine) }
    teacherLoss = teacher.loss(engine, tokens, into: loss.teacher)
    return loss
  }

  /// Plans the passes anew for another batch.
  private mutating func resize(beside student: TransformerEngine) {
    engine = teacher.engine(beside: student, pool)
    loss = Distillation(
      share: loss.share, temperature: loss.temperature, teacher: Self.logits(of: engine))
  }

  mutating func tell(_ statistics: StepStatistics, into samples: inout StepSamples) {
    samples.add(MetricCatalog.teacherLoss, teacherLoss)
    samples.add(MetricCatalog.distilLoss, statistics.divergence)
  }
}
