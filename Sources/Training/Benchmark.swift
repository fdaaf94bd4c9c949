import Dispatch
import Foundation
import Glibc
import Kernels
package import Models

/// Times the whole training step of a preset, or of a model near it: forward, backward, clip,
/// update and statistics.
package struct Benchmark {
  package struct Result: Sendable {
    package let preset: Preset
    package let workers: Int
    package let tokensPerSecond: Double
    package let stepMilliseconds: Double
    package let matmulGFLOPS: Double
    package let peakGFLOPS: Double
    package let peakMemoryBytes: Int

    package var json: String {
      "{\"preset\":\"\(preset.rawValue)\",\"tokens_per_s\":\(tokensPerSecond),"
        + "\"step_ms\":\(stepMilliseconds),\"matmul_gflops\":\(matmulGFLOPS),"
        + "\"peak_gflops\":\(peakGFLOPS),\"peak_memory_bytes\":\(peakMemoryBytes)}"
    }

    package var text: String {
      let share = Int((matmulGFLOPS / peakGFLOPS * 100).rounded())
      return "\(preset.rawValue) on \(workers) cores: \(Int(tokensPerSecond)) tokens/s, "
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

  /// `steps` count the warm-up, nil is a few seconds' worth; nil `workers` are all cores;
  /// `keepsMetrics` says whether a step also names all it measured, as in a run. `model` and
  /// `batch` are the preset's if not given.
  package init(
    preset: Preset, model: ModelConfiguration? = nil, batch: Int? = nil, steps: Int?,
    workers: Int?, keepsMetrics: Bool
  ) {
    self.preset = preset
    self.model = model ?? preset.model
    self.batch = batch ?? preset.batch
    self.steps = steps
    self.keepsMetrics = keepsMetrics
    self.workers = workers ?? ProcessInfo.processInfo.activeProcessorCount
  }

  package func run() -> Result {
    let pool = WorkerPool(workers: workers)
    let peak = sgemmPeak(seconds: 0.3, workers: workers)
    let engine = TransformerEngine(
      configuration: model, batch: batch, pool: pool)
    let milliseconds = times(engine, pool: pool)
    let median = milliseconds.sorted()[milliseconds.count / 2]
    let tokensPerSecond = Double(batch * model.context) / median * 1000
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return Result(
      preset: preset, workers: workers, tokensPerSecond: tokensPerSecond,
      stepMilliseconds: median,
      matmulGFLOPS: tokensPerSecond * model.flopsPerToken() / 1e9, peakGFLOPS: peak,
      peakMemoryBytes: usage.ru_maxrss * 1024)
  }

  private func times(_ engine: TransformerEngine, pool: WorkerPool) -> [Double] {
    let parameters = FloatBuffer(count: engine.layout.count)
    initialise(parameters: parameters, layout: engine.layout, seed: 0)
    let optimizer = Optimizer(layout: engine.layout, pool: pool)
    var generator = SystemRandomNumberGenerator()
    let metrics = StepMetrics(model: model, entropyPerByte: nil)
    var kept: [Double] = []
    var tokens = [UInt8](repeating: 0, count: batch * (model.context + 1))
    var times: [Double] = []
    let begin = DispatchTime.now().uptimeNanoseconds
    while continues(times.count, since: begin) {
      for index in tokens.indices { tokens[index] = .random(in: 0...255, using: &generator) }
      let start = DispatchTime.now().uptimeNanoseconds
      let statistics = tokens.withUnsafeBufferPointer {
        engine.lossAndGradients(
          parameters: parameters, tokens: $0,
          settings: LossSettings(qkLayerNormWeight: 0, zLoss: 0, balanceLoss: 0.01))
      }
      _ = optimizer.update(
        parameters: parameters, sliceGradients: engine.sliceGradients, updates: times.count,
        rates: Optimizer.Rates(learningRate: 1e-3, peakLearningRate: 1e-3))
      if keepsMetrics {
        kept.removeAll(keepingCapacity: true)
        metrics.append(statistics, .unmeasured, to: &kept)
      }
      times.append(Double(DispatchTime.now().uptimeNanoseconds - start) / 1e6)
    }
    precondition(kept.count == (keepsMetrics ? metrics.names.count : 0), "metrics were left out")
    return Array(times.dropFirst(Self.warmup))
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
