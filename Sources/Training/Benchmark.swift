import Dispatch
import Foundation
import Glibc
import Kernels
package import Models
package import Ranks

/// Times the whole training step of a preset, or of a model near it: forward, backward, clip,
/// update and statistics.
package struct Benchmark {
  package struct Result: Sendable {
    package let preset: Preset
    package let architecture: Architecture
    package let workers: Int
    package let tokensPerSecond: Double
    package let stepMilliseconds: Double
    package let matmulGFLOPS: Double
    package let peakGFLOPS: Double
    package let peakMemoryBytes: Int
    /// What a step of this rank takes beside its waiting, and what it sends.
    package let ownMilliseconds: Double
    package let updateMilliseconds: Double
    package let bytesPerStep: Double

    package var json: String {
      "{\"preset\":\"\(preset.rawValue)\",\"architecture\":\"\(architecture.rawValue)\","
        + "\"tokens_per_s\":\(tokensPerSecond),"
        + "\"step_ms\":\(stepMilliseconds),\"matmul_gflops\":\(matmulGFLOPS),"
        + "\"peak_gflops\":\(peakGFLOPS),\"peak_memory_bytes\":\(peakMemoryBytes)}"
    }

    /// `small`, and the family where it is not the usual one.
    var name: String {
      preset.rawValue + (architecture == .persimmon ? "" : " as \(architecture.rawValue)")
    }

    package var text: String {
      let share = Int((matmulGFLOPS / peakGFLOPS * 100).rounded())
      return "\(name) on \(workers) cores: \(Int(tokensPerSecond)) tokens/s, "
        + String(
          format: "%.2f ms a step, %.1f of %.1f GFLOP/s (%d%%), %.0f MB at most",
          stepMilliseconds, matmulGFLOPS, peakGFLOPS, share, Double(peakMemoryBytes) / 1e6)
    }
  }

  private static let warmup = 3
  private static let budgetSeconds = 4.0

  private let preset: Preset
  private let model: ModelConfiguration
  private let batch: Int
  private let steps: Int?
  private let workers: Int
  private let keepsMetrics: Bool
  private let slices: Int?
  private let ranks: any RankGroup
  private let isSharded: Bool
  private let sparsity: Double

  /// `steps` count the warm-up, nil is a few seconds' worth; nil `workers` are all cores;
  /// `keepsMetrics` says whether a step also names all it measured, as in a run. `model` and
  /// `batch` are the preset's if not given. All `ranks` take the steps together, over as many
  /// `slices`; `isSharded` cuts the update over them. Of the hidden matrices the share `sparsity` of
  /// the blocks is not there.
  package init(
    preset: Preset, model: ModelConfiguration? = nil, batch: Int? = nil, steps: Int?,
    workers: Int?, keepsMetrics: Bool, slices: Int? = nil, ranks: any RankGroup = SoleRank(),
    isSharded: Bool = false, sparsity: Double = 0
  ) {
    self.preset = preset
    self.model = model ?? preset.model
    self.batch = batch ?? preset.batch
    self.steps = steps
    self.keepsMetrics = keepsMetrics
    self.slices = slices
    self.ranks = ranks
    self.isSharded = isSharded
    self.sparsity = sparsity
    self.workers = workers ?? ProcessInfo.processInfo.activeProcessorCount
  }

  package func run() -> Result {
    let pool = WorkerPool(workers: workers)
    let peak = sgemmPeak(seconds: 0.3, workers: workers)
    let engine = TransformerEngine(
      configuration: model, batch: batch, slices: slices, pool: pool, ranks: ranks)
    let steps = times(engine, pool: pool)
    let median = self.median(steps.map(\.whole))
    let tokensPerSecond = Double(batch * model.context) / median * 1000
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return Result(
      preset: preset, architecture: model.architecture, workers: workers,
      tokensPerSecond: tokensPerSecond,
      stepMilliseconds: median,
      matmulGFLOPS: tokensPerSecond * model.flopsPerToken() / 1e9, peakGFLOPS: peak,
      peakMemoryBytes: usage.ru_maxrss * 1024,
      ownMilliseconds: median - self.median(steps.map(\.waited)),
      updateMilliseconds: self.median(steps.map(\.update)),
      bytesPerStep: steps.reduce(0) { $0 + $1.bytes } / Double(steps.count))
  }

  private func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

  /// Of one step, in milliseconds; those of the update without its waiting.
  private struct Step {
    let whole: Double
    let waited: Double
    let update: Double
    let bytes: Double
  }

  private func times(_ engine: TransformerEngine, pool: WorkerPool) -> [Step] {
    let parameters = FloatBuffer(count: engine.layout.count)
    initialise(parameters: parameters, layout: engine.layout, seed: 0)
    let optimizer = Optimizer(
      layout: engine.layout, pool: pool, slices: engine.slices, ranks: ranks,
      isSharded: isSharded)
    let sparse = sparseMatrices(of: parameters, layout: engine.layout, pool: pool)
    var generator = SystemRandomNumberGenerator()
    let metrics = StepMetrics(model: model, entropyPerByte: nil)
    var kept: [Double] = []
    var tokens = [Token](repeating: 0, count: batch * (model.context + 1))
    var times: [Step] = []
    let begin = DispatchTime.now().uptimeNanoseconds
    while ranks.told(continues(times.count, since: begin) ? [1] : []) == [1] {
      for index in tokens.indices {
        tokens[index] = .random(in: 0...Token(model.vocabulary - 1), using: &generator)
      }
      let (start, waited, sent) = (
        DispatchTime.now().uptimeNanoseconds, ranks.secondsWaited, ranks.bytesSent
      )
      let statistics = tokens.withUnsafeBufferPointer {
        engine.lossAndGradients(
          parameters: parameters, tokens: $0,
          settings: LossSettings(qkLayerNormWeight: 0, zLoss: 0, balanceLoss: 0.01),
          sparse: sparse?.matrices(at: 0))
      }
      let (passesEnd, waitedInPasses) = (
        DispatchTime.now().uptimeNanoseconds, ranks.secondsWaited
      )
      sparse?.mask(engine.sliceGradients)
      _ = optimizer.update(
        parameters: parameters, sliceGradients: engine.sliceGradients, updates: times.count,
        rates: Optimizer.Rates(learningRate: 1e-3, peakLearningRate: 1e-3))
      if keepsMetrics {
        kept.removeAll(keepingCapacity: true)
        metrics.append(statistics, .unmeasured, to: &kept)
      }
      let end = DispatchTime.now().uptimeNanoseconds
      times.append(
        Step(
          whole: Double(end - start) / 1e6, waited: (ranks.secondsWaited - waited) * 1e3,
          update: Double(end - passesEnd) / 1e6 - (ranks.secondsWaited - waitedInPasses) * 1e3,
          bytes: Double(ranks.bytesSent - sent)))
    }
    precondition(kept.count == (keepsMetrics ? metrics.names.count : 0), "metrics were left out")
    return Array(times.dropFirst(Self.warmup))
  }

  private func sparseMatrices(
    of parameters: FloatBuffer, layout: ParameterLayout, pool: WorkerPool
  ) -> DynamicSparsity? {
    var configuration = TrainingConfiguration(preset: preset)
    configuration.sparsity = sparsity
    let sparse = DynamicSparsity(configuration, layout: layout, pool: pool)
    sparse?.begin(at: parameters, seed: 0)
    return sparse
  }

  private func continues(_ done: Int, since begin: UInt64) -> Bool {
    if let steps { return done < steps }
    let seconds = Double(DispatchTime.now().uptimeNanoseconds - begin) / 1e9
    return done < Self.warmup + 5 || seconds < Self.budgetSeconds
  }
}

extension StepMetrics.Step {
  /// A step of which only the engine's statistics are wanted.
  fileprivate static let unmeasured = StepMetrics.Step(
    learningRate: 0, multiplier: 1, gradNorm: 0, clipFraction: 0, tokensPerSecond: 0,
    milliseconds: 0, memoryBytes: 0, flopsFraction: 0)
}
