import Foundation
import Kernels
import Models
import Synchronization
import Telemetry
import Testing
import Training

@testable import Inspection

/// A run that is looked into while it trains.
@Suite(.timeLimit(.minutes(15)))
struct InspectionProbeTests {
  private final class Told: Sendable {
    let samples = Mutex<[StepSamples]>([])
  }

  private func train(
    every: Int, workers: Int = 1, _ options: [String: String] = [:]
  ) async throws -> [StepSamples] {
    let usual = [
      "preset": "tiny", "steps": "5", "width": "32", "layers": "2", "heads": "2",
      "context": "32", "batch": "4", "eval-every": "0", "workers": "\(workers)",
      "inspect-every": "\(every)",
    ]
    let run = try TrainingRun(
      configuration: TrainingConfiguration(options: usual.merging(options) { $1 }),
      corpus: Corpus.synthetic(seed: 1, bytes: 20_000),
      probes: ProbeCatalog.makers + [{ InspectionProbe($0) }], checkpointFolder: nil)
    let told = Told()
    let trainer = Trainer(run) { record in
      guard case .samples(let samples) = record else { return }
      told.samples.withLock { $0.append(samples) }
    }
    await withCheckedContinuation { continuation in
      trainer.start { _ in continuation.resume() }
    }
    return told.samples.withLock { $0 }
  }

  @Test(arguments: ["tiny", "moe-tiny"])
  func `a run looked into has the numbers of one that is not, to the bit`(preset: String)
    async throws
  {
    let options = ["preset": preset]
    let (quiet, watched, again) = (
      try await train(every: 0, options), try await train(every: 2, options),
      try await train(every: 2, workers: 2, options)
    )
    #expect(quiet.count == 5 && watched.count == 5)
    for name in [MetricCatalog.loss, MetricCatalog.gradNorm] {
      #expect(quiet.map { $0[name] } == watched.map { $0[name] })
    }
    let found = watched.map { step in
      zip(step.names, step.values).filter { pair in
        ["rounding", "stable", "outlier", "feature"].contains { pair.0.path.hasPrefix($0) }
      }
    }
    #expect(found.map { $0.count > 10 } == [true, false, true, false, true])
    for (name, number) in found.joined() {
      #expect(MetricCatalog.family(of: name) != nil, "\(name)")
      #expect(number.isFinite, "\(name)")
    }
    for (step, other) in zip(found, again) {
      for (name, number) in step { #expect(other[name] == number, "\(name)") }
    }
  }

  @Test func `what it finds is what the weights as the run begins tell of themselves`()
    async throws
  {
    let first = try #require(try await train(every: 1, ["seed": "7"]).first)
    let options = ["preset": "tiny", "width": "32", "layers": "2", "heads": "2", "context": "32"]
    let model = try TrainingConfiguration(options: options).model
    let layout = ParameterLayout(model)
    let weights = FloatBuffer(count: layout.count)
    initialise(parameters: weights, layout: layout, seed: 7)
    let tensor = try #require(layout["model.layers.1.mlp.dense_h_to_4h.weight"])
    let values = (0..<tensor.count).map { Double(weights[tensor.offset + $0]) }
    let scale = Double(Float(127) / Float(values.map(abs).max() ?? 0))
    let noise = values.reduce(0) { sum, value in
      let error = value - (value * scale).rounded(.toNearestOrEven) / scale
      return sum + error * error
    }
    let signal = values.reduce(0) { $0 + $1 * $1 }
    let told = try #require(
      first[MetricCatalog.roundingDecibels(tensor: tensor.name)])
    #expect(abs(told - 10 * log10(signal / noise)) < 0.01)
    let rank = try #require(first[MetricCatalog.stableRank(tensor: tensor.name)])
    #expect(rank > 1 && rank <= 32)
    let rises = try ["int8", "int4"].map {
      abs(try #require(first[MetricCatalog.roundingRise($0)]))
    }
    #expect(rises[0] < rises[1] && rises[0] > 0)
    #expect(first[MetricCatalog.outlierFeatures(layer: 2)] != nil)
  }

  @Test func `how far the last features have collapsed is told where bytes are many enough`()
    async throws
  {
    let samples = try await train(
      every: 4, ["eval-windows": "40", "batch": "32", "context": "64", "steps": "5"])
    let last = try #require(samples.last)
    let nc1 = try #require(last[MetricCatalog.neuralCollapse("nc1")])
    let nearest = try #require(last[MetricCatalog.neuralCollapse("nc4")])
    #expect(nc1 > 0 && nearest >= 0 && nearest <= 1)
  }
}
