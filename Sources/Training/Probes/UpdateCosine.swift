import Kernels
import Models
import Telemetry

/// The cosine of two successive updates: near 1 where the weights go on the same way, below 0 where
/// they swing across a valley, which they do when the rate is too high for it.
///
/// An update is what a step changed, decay included. Every twentieth update is kept and held
/// against the next one, so that it costs a few passes over the weights in twenty steps.
final class UpdateCosine {
  static let interval = 20
  private static let chunk = 1 << 16

  private let before: FloatBuffer
  private let earlier: FloatBuffer
  private let sums: Buffer<UpdateProducts>
  private let pool: WorkerPool
  /// The step whose update is kept; nil where none is.
  private var keptStep: Int?

  init(parameters: Int, pool: WorkerPool) {
    before = FloatBuffer(count: parameters)
    earlier = FloatBuffer(count: parameters)
    sums = Buffer(
      repeating: UpdateProducts(), count: (parameters + Self.chunk - 1) / Self.chunk)
    self.pool = pool
  }

  /// Before the update of `step`.
  func keep(_ weights: FloatBuffer, step: Int) {
    switch step % Self.interval {
    case 0: earlier.copy(from: weights)
    case 1 where keptStep == step - 1: before.copy(from: weights)
    default: return
    }
  }

  /// After the update of `step`.
  /// - Returns: the cosine of this update and the one before, where it is due
  func cosine(_ weights: FloatBuffer, step: Int) -> Double? {
    if step % Self.interval == 0 {
      forEachChunk { [earlier] _, start, count in
        subtract(earlier, from: weights, start: start, count: count)
      }
      keptStep = step
      return nil
    }
    guard keptStep == step - 1 else { return nil }
    keptStep = nil
    forEachChunk { [earlier, before, sums] chunk, start, count in
      sums[chunk] = updateProducts(
        earlier: earlier, before: before, after: weights, start: start, count: count)
    }
    var total = UpdateProducts()
    for chunk in 0..<sums.count { total += sums[chunk] }
    return total.cosine
  }

  private func forEachChunk(_ body: @Sendable (_ chunk: Int, _ start: Int, _ count: Int) -> Void) {
    let count = before.count
    pool.run(jobs: sums.count) { chunk, _ in
      let start = chunk * Self.chunk
      body(chunk, start, min(Self.chunk, count - start))
    }
  }
}

extension UpdateCosine: Probe {
  /// Nil where updates go in random directions, which say nothing of each other.
  convenience init?(_ run: ProbedRun) {
    guard run.configuration.optimizer.takesGradients else { return nil }
    self.init(parameters: run.trained.count, pool: run.pool)
  }

  /// In two steps that follow one another.
  func isDue(in step: ProbedStep) -> Bool { step.number % Self.interval <= 1 }

  func beforeUpdate(of step: ProbedStep) { keep(step.weights, step: step.number) }

  func afterUpdate(of step: ProbedStep, _ outcome: StepOutcome, into samples: inout StepSamples) {
    guard let cosine = cosine(step.weights, step: step.number) else { return }
    samples.add(MetricCatalog.updateCosine, cosine)
  }

  func tensors(at step: Int) -> [StoredTensor] { keptStep == step - 1 ? [tensor] : [] }

  func resume(_ state: Never?, from checkpoint: Checkpoint) throws(CheckpointError) {
    keptStep = nil
    guard checkpoint.holds(tensor) else { return }
    try checkpoint.load(tensor)
    keptStep = checkpoint.step - 1
  }

  private var tensor: StoredTensor {
    StoredTensor(name: "last_update", shape: [earlier.count], buffer: earlier)
  }
}
