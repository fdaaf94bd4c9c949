import Foundation
import Kernels
import Models
import Telemetry
import Testing

@testable import Training

/// What the papers say must come out of each router, at the size of a test.
@Suite(.timeLimit(.minutes(15)))
struct RouterOutcomeTests {
  private static let corpus = Corpus.synthetic(seed: 1, bytes: 20_000)

  private static func configuration(
    _ router: ExpertRouter, _ change: (inout TrainingConfiguration) -> Void = { _ in }
  ) -> TrainingConfiguration {
    var configuration = TrainingConfiguration(preset: .moeTiny)
    configuration.model = ModelConfiguration(
      width: 16, layers: 4, heads: 2, context: 16,
      experts: ExpertConfiguration(count: 8, width: 32, active: 2, router: router))
    configuration.model.experts?.routerWidth = 16
    if router.conformer.sendsToOne { configuration.model.experts?.active = 1 }
    if !router.conformer.hasScores { configuration.balanceLoss = 0 }
    configuration.batch = 8
    configuration.steps = 600
    configuration.warmup = 20
    configuration.evalEvery = 0
    change(&configuration)
    return configuration
  }

  private func trained(_ router: ExpertRouter) async throws -> TrainedRun {
    try await TrainedRun(
      TrainingRun(
        configuration: Self.configuration(router), corpus: Self.corpus, checkpointFolder: nil))
  }

  /// The mean over the last third of the steps and all layers that have the metric.
  private func late(_ run: TrainedRun, _ name: (Int) -> MetricName) -> Double {
    let values = (0..<4).flatMap { layer in
      run.samples.filter { $0.step >= 400 }.compactMap { $0[name(layer)] }
    }
    return values.reduce(0, +) / Double(values.count)
  }

  private func loss(_ run: TrainedRun) -> Double { late(run) { _ in MetricCatalog.loss } }

  @Test
  func `a recurrent router is less decided than a linear one and tells layers of each other`()
    async throws
  {
    let linear = try await trained(.topk)
    let recurrent = try await trained(.rmoe)
    let entropies = [linear, recurrent].map { late($0, MetricCatalog.routerEntropy) }
    #expect(entropies[1] > entropies[0], "\(entropies)")
    let information = [linear, recurrent].map { late($0, MetricCatalog.routerMutualInformation) }
    #expect(information[1] > information[0], "\(information)")
    #expect(loss(recurrent) < loss(linear) + 0.1)
  }

  @Test
  func `routers that learn nothing come close to one that does`() async throws {
    let learned = loss(try await trained(.topk))
    let random = loss(try await trained(.random))
    let hash = try await trained(.hash)
    #expect(random < learned + 0.1 && random > learned - 0.1, "\(random) \(learned)")
    #expect(loss(hash) < learned + 0.1, "\(loss(hash)) \(learned)")
    let violation = late(hash, MetricCatalog.expertMaxViolation)
    #expect(violation < 0.6, "\(violation)")
  }

  /// The standard deviation over draws of the loss on windows that were never trained on.
  private func spread(consistency: Double) throws -> (spread: Double, loads: [Int]) {
    let run = try TrainingRun(
      configuration: Self.configuration(.thor) { $0.consistency = consistency },
      corpus: Self.corpus, checkpointFolder: nil)
    var loads = [Int](repeating: 0, count: 8)
    for step in 0..<300 {
      guard case .done = try run.advance(now: { Double(step) }) else { break }
    }
    let rows = run.heldOut.count / run.windows.windowCount
    var settings = run.lossSettings(at: 300)
    let losses = (0..<24).map { draw -> Double in
      settings.draw = UInt64(draw)
      let statistics = run.heldOut.withUnsafeBufferPointer {
        run.engine.loss(parameters: run.parameters, tokens: $0, rows: rows, settings: settings)
      }
      for layer in statistics.expertCounts {
        for (expert, count) in layer.enumerated() { loads[expert] += count }
      }
      return statistics.loss
    }
    let mean = losses.reduce(0, +) / Double(losses.count)
    let square = losses.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(losses.count)
    return (square.squareRoot(), loads)
  }

  @Test
  func `consistency shrinks the spread of the held-out loss over draws, and loads are even`()
    throws
  {
    let free = try spread(consistency: 0)
    let held = try spread(consistency: 5)
    #expect(held.spread < 0.7 * free.spread, "\(held.spread) \(free.spread)")
    let even = Double(free.loads.reduce(0, +)) / 8
    #expect(free.loads.allSatisfy { abs(Double($0) / even - 1) < 0.03 }, "\(free.loads)")
  }
}
