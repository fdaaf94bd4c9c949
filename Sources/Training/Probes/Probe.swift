import Foundation
package import Kernels
package import Models
package import Ranks
package import Telemetry

/// An instrument beside the step: it looks at what a step reads and computes, and changes none of it.
///
/// In a step in which it is due it is called three times, in the order of the run's probes: before
/// the passes, between them and the update, and after the update, where it tells what it found. What
/// it needs for the next step beside that it gives to a checkpoint, so that a continuation tells the
/// same to the last bit. It may run passes of its own before the step's and after its update; between
/// them the engine holds the step's gradients.
package protocol Probe {
  /// What a checkpoint keeps of it beside tensors; `Never` for nothing.
  associatedtype State: Codable & Sendable = Never

  /// The word under which a checkpoint keeps its state: no other probe's, and none of the run's own.
  var key: String { get }

  /// A function of the step's number and its settings alone.
  func isDue(in step: ProbedStep) -> Bool

  /// With the weights of the step, before it draws its windows. Its time is not the step's.
  mutating func beforePasses(of step: ProbedStep)

  /// The engine holds the gradients and what the passes left; the weights are still the step's.
  mutating func beforeUpdate(of step: ProbedStep)

  /// Adds to `samples` what it measured, under names of the catalog, each once.
  mutating func afterUpdate(
    of step: ProbedStep, _ outcome: StepOutcome, into samples: inout StepSamples)

  /// What it has to say of the step in words, after its numbers.
  mutating func events(of step: ProbedStep) -> [RunEvent]

  /// What a checkpoint before the step of this number keeps.
  func state(at step: Int) -> State?

  /// The tensors that a checkpoint before the step of this number keeps.
  func tensors(at step: Int) -> [StoredTensor]

  /// Goes on from what `checkpoint` keeps, whatever was measured before; `state` is nil where it is
  /// from before there was any.
  /// - Throws: What a checkpoint's tensors throw.
  mutating func resume(_ state: State?, from checkpoint: Checkpoint) throws(CheckpointError)
}

extension Probe {
  package var key: String { String(describing: Self.self) }
  package func isDue(in step: ProbedStep) -> Bool { true }
  package mutating func beforePasses(of step: ProbedStep) {}
  package mutating func beforeUpdate(of step: ProbedStep) {}
  package mutating func afterUpdate(
    of step: ProbedStep, _ outcome: StepOutcome, into samples: inout StepSamples
  ) {}
  package mutating func events(of step: ProbedStep) -> [RunEvent] { [] }
  package func tensors(at step: Int) -> [StoredTensor] { [] }
}

extension Probe where State == Never {
  package func state(at step: Int) -> Never? { nil }
  package mutating func resume(
    _ state: Never?, from checkpoint: Checkpoint
  ) throws(CheckpointError) {}
}

/// A step as its probes see it: the parts of the run where they lie.
package struct ProbedStep {
  /// The updates done before, which is also the step's number.
  package let number: Int
  package let engine: TransformerEngine
  /// What the engine sees.
  package let parameters: FloatBuffer
  /// What the optimiser trains: another buffer under a reparametrisation.
  package let weights: FloatBuffer
  package let optimizer: Optimizer
  package let settings: LiveSettings
  /// What the step's loss is computed by.
  package let lossSettings: LossSettings
  /// What its update is made by.
  package let rates: Optimizer.Rates
  /// The learning rate, not yet rounded.
  package let learningRate: Double
  /// Loss of the probe windows before the first update, where it is known.
  package let initialLoss: Double?
  /// Whether somebody asked for the held-out loss at this step.
  package let isEvaluationAsked: Bool
  /// What the machine's matrix product can do; NaN where it was not measured.
  package let peakGFLOPS: Double
}

/// What a step came to.
package struct StepOutcome {
  /// What its passes measured.
  package let statistics: StepStatistics
  package let update: UpdateStatistics
  /// From the windows to the new weights.
  package let seconds: Double
}

/// The run that a probe is fitted to.
package struct ProbedRun {
  package let configuration: TrainingConfiguration
  /// Of what the engine sees.
  package let layout: ParameterLayout
  /// What is not trained, where an adapter is.
  package let trunk: FloatBuffer?
  /// Of what the optimiser trains, which is another one in a subspace.
  package let trained: ParameterLayout
  package let pool: WorkerPool
  /// Nats a token, where the data's own entropy is known.
  package let entropyPerByte: Double?
  /// `rows` windows [rows, T + 1] of the training part, a quarter of the first batch.
  package let tokens: [Token]
  package let rows: Int
  /// The windows of a step when the run began.
  package let firstBatch: Int
  package let heldOut: HeldOutLoss
  /// Nil for a run of whole matrices.
  let sparsity: DynamicSparsity?
  /// Nil where matrices have numbers of their own.
  let shared: SharedParameters?
  /// Nil where nothing was pruned, or before the checkpoint that the run goes on from.
  let pruning: PruningReport?
  /// Those that take the run's steps; what one of them asks the others all of them ask.
  package let ranks: any RankGroup
}

extension StepSamples {
  /// Adds one more value.
  package mutating func add(_ name: MetricName, _ value: Double) {
    names.append(name)
    values.append(value)
  }
}
