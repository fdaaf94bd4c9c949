internal import Dispatch
internal import Kernels

/// What all passes of a step have in common.
struct PassPlan: Sendable {
  let configuration: ModelConfiguration
  let ends: Transformer.Ends
  let settings: LossSettings
  let parameters: ParameterView
  let windows: TokenRows
  let sums: [PassSums]
  let routerBias: FloatBuffer
  let slices: Int
  /// What the tokens' loss is; nil for a mean.
  var tokenLoss: (any TokenLoss)?
  /// Matrices with empty blocks; nil where all are whole.
  var sparse: SparseMatrices?
  /// [rows·T, V], what passes that only read leave their logits in.
  var logits: Matrix?

  private var batchTokens: Int { windows.rows * configuration.context }
  /// One over the batch's tokens.
  var weight: Float { 1 / Float(batchTokens) }

  /// - Parameters: `number` is nil for a pass that only reads
  func pass(_ slice: Int, number: Int? = 0, activations: Activations) -> TransformerPass {
    let samples = windows.rows / slices
    let inputs = PassInputs(
      parameters: parameters, settings: settings,
      tokens: windows.rows(from: slice * samples, count: samples), batchTokens: batchTokens,
      number: number, firstToken: slice * samples * configuration.context,
      sums: sums[(number ?? 0) * slices + slice], routerBias: routerBias,
      adapters: activations.adapters, tokenLoss: tokenLoss, sparse: sparse)
    return TransformerPass(
      configuration: configuration, ends: ends, inputs: inputs, activations: activations)
  }
}

/// What the passes of a step write to, and the jobs that do.
struct SliceMemory: Sendable {
  /// Jobs are counted from here on.
  let firstSlice: Int
  let activations: [Activations]
  /// Of all slices, where gradients are this rank's.
  let sums: [PassSums]
  let gradients: [ParameterView]
  let balance: FloatBuffer

  /// A slice's forward and backward pass in the memory of the worker.
  func runWholePass(_ plan: PassPlan, job: Int, worker: Int) {
    let slice = firstSlice + job
    let pass = plan.pass(slice, activations: activations[worker])
    forward(pass, slice, weight: plan.weight)
    backward(pass, job)
  }

  func runTwoPasses(_ plan: PassPlan, job: Int, worker: Int) {
    let slice = firstSlice + job
    let first = plan.pass(slice, activations: activations[2 * worker])
    let second = plan.pass(slice, number: 1, activations: activations[2 * worker + 1])
    sums[slice].times[0] = timed {
      first.forward(weight: nil)
      second.forward(weight: nil)
      first.meet(second, weight: plan.weight)
    }
    sums[slice].times[1] = timed {
      first.backward(gradients: gradients[job], balance: balance)
      second.backward(gradients: gradients[job], balance: balance)
    }
  }

  func runForward(_ plan: PassPlan, job: Int, worker: Int) {
    let slice = firstSlice + job
    forward(plan.pass(slice, activations: activations[job]), slice, weight: plan.weight)
  }

  func runBackward(_ plan: PassPlan, job: Int, worker: Int) {
    backward(plan.pass(firstSlice + job, activations: activations[job]), job)
  }

  /// A slice's forward pass alone, whose logits are kept.
  func runReading(_ plan: PassPlan, job: Int, worker: Int) {
    let (slice, memory) = (firstSlice + job, activations[worker])
    plan.pass(slice, number: nil, activations: memory).forward(weight: nil)
    plan.logits?.rows(from: slice * memory.logits.rows, count: memory.logits.rows)
      .copy(from: memory.logits)
  }

  private func forward(_ pass: TransformerPass, _ slice: Int, weight: Float) {
    sums[slice].times[0] = timed { pass.forward(weight: weight) }
  }

  private func backward(_ pass: TransformerPass, _ job: Int) {
    sums[firstSlice + job].times[1] = timed {
      pass.backward(gradients: gradients[job], balance: balance)
    }
  }
}

/// Nanoseconds that `body` takes.
private func timed(_ body: () -> Void) -> UInt64 {
  let start = DispatchTime.now().uptimeNanoseconds
  body()
  return DispatchTime.now().uptimeNanoseconds - start
}
