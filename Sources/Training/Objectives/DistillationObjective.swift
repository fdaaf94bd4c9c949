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
  private let share: Float
  private let temperature: Float
  private let pool: WorkerPool
  private var engine: TransformerEngine?
  private var loss: Distillation?
  private var teacherLoss = Double.nan

  /// Nil where nothing is distilled.
  /// - Parameters: `data` is the fingerprint of what the run learns from
  /// - Throws: what a ``Teacher`` throws.
  init?(_ configuration: TrainingConfiguration, data: String, pool: WorkerPool) throws {
    guard let path = configuration.distil else { return nil }
    teacher = try Teacher(path: path, student: configuration.model, data: data)
    share = Float(configuration.distilWeight)
    temperature = Float(configuration.distilTemperature)
    self.pool = pool
  }

  mutating func prepare(_ step: ObjectiveStep, _ tokens: inout [UInt8]) -> any TokenLoss {
    let (engine, loss) = memory(step.engine)
    teacherLoss = teacher.loss(engine, tokens, into: loss.teacher)
    return loss
  }

  /// Planned anew where the batch has changed.
  private mutating func memory(
    _ student: TransformerEngine
  ) -> (TransformerEngine, Distillation) {
    if let engine, let loss, engine.batch == student.batch { return (engine, loss) }
    let fresh = teacher.engine(beside: student, pool)
    let configuration = teacher.configuration
    let logits = FloatBuffer(
      untouched: student.batch * configuration.context * configuration.vocabulary)
    let loss = Distillation(share: share, temperature: temperature, teacher: logits)
    (engine, self.loss) = (fresh, loss)
    return (fresh, loss)
  }

  mutating func tell(_ statistics: StepStatistics, into samples: inout StepSamples) {
    samples.add(MetricCatalog.teacherLoss, teacherLoss)
    samples.add(MetricCatalog.distilLoss, statistics.divergence)
  }
}
