import Dispatch
import Foundation
import Kernels
package import Models
package import Ranks

/// Times the training step of a preset over ranks and what their exchanges cost, and says what more
/// ranks would come to.
package struct RankBenchmark {
  package struct Result: Sendable {
    package let ranks: Int
    package let step: Benchmark.Result
    /// Of all ranks, as a mean.
    package let bytesPerStep: Double
    package let model: StepTimeModel

    package var json: String {
      let predictions = Self.shown.map { "\"\($0)\":\(model.milliseconds(ranks: $0))" }
      return "{\"preset\":\"\(step.preset.rawValue)\","
        + "\"architecture\":\"\(step.architecture.rawValue)\",\"ranks\":\(ranks),"
        + "\"tokens_per_s\":\(step.tokensPerSecond),\"step_ms\":\(step.stepMilliseconds),"
        + "\"bytes_per_step\":\(bytesPerStep),\"latency_us\":\(model.latency * 1e6),"
        + "\"bytes_per_s\":\(model.bandwidth),\"peak_memory_bytes\":\(step.peakMemoryBytes),"
        + "\"model_ms\":{\(predictions.joined(separator: ","))}}"
    }

    /// The measured step, the exchanges, then a line for each number of ranks.
    package var text: String {
      let head = String(
        format: "%@ on %d ranks of %d: %.0f tokens/s, %.2f ms a step, %.3f MB sent by a rank;"
          + " an exchange takes %.1f µs and %.2f GB/s; %.0f MB at most",
        step.name, ranks, step.workers, step.tokensPerSecond, step.stepMilliseconds,
        bytesPerStep / 1e6, model.latency * 1e6, model.bandwidth / 1e9,
        Double(step.peakMemoryBytes) / 1e6)
      let lines = Self.shown.map { count in
        String(
          format: "%5d ranks: %9.2f ms for this batch, %3.0f%% of each rank where the batch grows",
          count, model.milliseconds(ranks: count), 100 * model.efficiency(ranks: count))
      }
      return ([head] + lines).joined(separator: "\n")
    }

    private static let shown = [1, 2, 4, 8, 16, 64, 256, 1024, 4096]
  }

  private static let exchanges = (small: 400, large: 12)
  private static let largeBytes = 8 << 20

  private let benchmark: Benchmark
  private let parameters: Int
  private let ranks: any RankGroup

  package init(_ benchmark: Benchmark, model: ModelConfiguration, ranks: any RankGroup) {
    self.benchmark = benchmark
    parameters = model.parameterCount
    self.ranks = ranks
  }

  /// All ranks call it together.
  package func run() -> Result {
    let latency = seconds(bytes: 64, times: Self.exchanges.small)
    let large = seconds(bytes: Self.largeBytes, times: Self.exchanges.large)
    let step = benchmark.run()
    let bytes = ranks.said("\(step.bytesPerStep)").compactMap(Double.init)
    return Result(
      ranks: ranks.count, step: step, bytesPerStep: bytes.reduce(0, +) / Double(ranks.count),
      model: StepTimeModel(
        passes: (step.ownMilliseconds - step.updateMilliseconds) * Double(ranks.count) / 1e3,
        update: step.updateMilliseconds / 1e3, latency: latency,
        bandwidth: Double(Self.largeBytes) / max(large - latency, 1e-9), parameters: parameters))
  }

  /// The median of exchanges with the nearest rank, both ways at once as in a step.
  private func seconds(bytes: Int, times: Int) -> Double {
    let (sent, received) = (Buffer<UInt8>(count: bytes), Buffer<UInt8>(count: bytes))
    let measured = (0..<times).map { _ in
      let start = DispatchTime.now().uptimeNanoseconds
      ranks.exchange(
        with: ranks.rank ^ 1, sending: UnsafeRawBufferPointer(sent.memory),
        receiving: received.memory)
      return Double(DispatchTime.now().uptimeNanoseconds - start) / 1e9
    }
    return measured.sorted()[times / 2]
  }
}

/// What a step takes over R ranks.
///
/// T(R) = passes/R + update + log₂R·n·α + 2·P·4·(R − 1)/R/β: each rank computes its share of the
/// slices, then the gradients are added along the edges of a hypercube and given back. α and β are
/// those of an exchange between two ranks; a network that many pairs share has less of both.
package struct StepTimeModel: Sendable, Equatable {
  /// Seconds of both passes over the whole batch by one rank.
  package let passes: Double
  package let update: Double
  /// α, seconds.
  package let latency: Double
  /// β, bytes a second, both ways at once.
  package let bandwidth: Double
  /// P.
  package let parameters: Int

  /// n: exchanges of a step along each edge.
  private static let exchanges = 8.0

  package init(
    passes: Double, update: Double, latency: Double, bandwidth: Double, parameters: Int
  ) {
    self.passes = passes
    self.update = update
    self.latency = latency
    self.bandwidth = bandwidth
    self.parameters = parameters
  }

  /// Of a step over a batch of one size, whatever the number of ranks.
  package func milliseconds(ranks: Int) -> Double {
    1e3 * (passes / Double(ranks) + update + exchange(ranks))
  }

  /// The share of its time that a rank computes where the batch grows with the ranks, each taking as
  /// much as one rank takes of this one.
  package func efficiency(ranks: Int) -> Double {
    (passes + update) / (passes + update + exchange(ranks))
  }

  private func exchange(_ ranks: Int) -> Double {
    guard ranks > 1 else { return 0 }
    let share = Double(ranks - 1) / Double(ranks)
    return log2(Double(ranks)) * Self.exchanges * latency
      + 8 * Double(parameters) * share / bandwidth
  }
}
