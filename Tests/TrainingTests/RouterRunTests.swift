import Foundation
import Kernels
import Models
import Telemetry
import Testing

@testable import Training

@Suite(.timeLimit(.minutes(15)))
struct RouterRunTests {
  static let routers: [ExpertRouter] = [.rmoe, .random, .hash, .thor]

  private static func configuration(_ router: ExpertRouter, workers: Int) -> TrainingConfiguration {
    var configuration = TrainingConfiguration(preset: .moeTiny)
    configuration.model = ModelConfiguration(
      width: 20, layers: 4, heads: 2, context: 11,
      experts: ExpertConfiguration(count: 5, width: 18, active: 2, router: router))
    if router.conformer.sendsToOne { configuration.model.experts?.active = 1 }
    if !router.conformer.hasScores { configuration.balanceLoss = 0 }
    configuration.model.experts?.every = 2
    configuration.model.experts?.routerWidth = 11
    configuration.batch = 8
    configuration.steps = 24
    configuration.warmup = 3
    configuration.evalEvery = 6
    configuration.evalWindows = 5
    configuration.checkpointEvery = 7
    configuration.workers = workers
    return configuration
  }

  private static let corpus = Corpus.synthetic(seed: 1, bytes: 20_000)

  private func train(_ configuration: TrainingConfiguration) async throws -> [StepSamples] {
    try await TrainedRun(
      TrainingRun(configuration: configuration, corpus: Self.corpus, checkpointFolder: nil)
    ).samples
  }

  @Test(arguments: routers, [2, 3, 4])
  func `any number of workers gives the bits of one`(
    router: ExpertRouter, workers: Int
  ) async throws {
    let one = try await train(Self.configuration(router, workers: 1))
    let many = try await train(Self.configuration(router, workers: workers))
    #expect(one.map(\.step) == Array(0...24))
    #expect(one.map(\.unclocked) == many.map(\.unclocked))
  }

  @Test
  func `thor's consistency changes in the running model, and only there`() async throws {
    var configuration = Self.configuration(.thor, workers: 2)
    configuration.consistency = 1
    func losses(_ script: [ScriptedCommand]) async throws -> [Double?] {
      try await TrainedRun(
        TrainingRun(
          configuration: configuration, corpus: Self.corpus, script: script,
          checkpointFolder: nil)
      ).samples.map { $0[MetricCatalog.loss] }
    }
    let changed = ScriptedCommand(step: 5, command: try Command(words: "set moe.consistency 8"))
    let plain = try await losses([])
    let held = try await losses([changed])
    #expect(held.prefix(6) == plain.prefix(6))
    #expect(held.dropFirst(6) != plain.dropFirst(6))
    configuration.consistency = 8
    let fromStart = try await losses([])
    #expect(fromStart[1] != plain[1])
    let atStart = ScriptedCommand(step: 0, command: try Command(words: "set moe.consistency 8"))
    configuration.consistency = 1
    #expect(try await losses([atStart]) == fromStart)
  }

  @Test
  func `likeness, information and held-out violation come on their own clocks`() async throws {
    var configuration = Self.configuration(.rmoe, workers: 2)
    configuration.steps = 101
    let samples = try await train(configuration)
    let steps = { (name: MetricName) in samples.filter { $0[name] != nil }.map(\.step) }
    #expect(steps(MetricCatalog.expertSimilarity(layer: 1)) == [0, 50, 100])
    #expect(steps(MetricCatalog.expertSimilarity(layer: 3)) == [0, 50, 100])
    #expect(steps(MetricCatalog.routerMutualInformation(layer: 3)) == [0, 50, 100])
    #expect(steps(MetricCatalog.routerMutualInformation(layer: 1)) == [])
    let evaluations = Array(stride(from: 0, through: 100, by: 6)) + [101]
    #expect(steps(MetricCatalog.heldOutMaxViolation(layer: 1)) == evaluations)
    #expect(steps(MetricCatalog.heldOutMaxViolation(layer: 3)) == evaluations)
    let names = Set(samples.flatMap(\.names))
    #expect(names.allSatisfy { MetricCatalog.family(of: $0) != nil })
  }

  @Test
  func `a checkpoint of another router is refused in one line`() async throws {
    let folder = try ScratchFolder()
    var configuration = Self.configuration(.rmoe, workers: 1)
    configuration.steps = 1
    _ = try await TrainedRun(
      TrainingRun(
        configuration: configuration, corpus: Self.corpus,
        checkpointFolder: URL(fileURLWithPath: folder.path)))
    let path = try #require(try CheckpointFolder.list(in: folder.path).last?.path)
    configuration.model.experts?.router = .topk
    let error = #expect(throws: ConfigurationError.self) {
      try TrainingRun(
        resuming: CheckpointFolder.read(path), configuration: configuration, corpus: Self.corpus,
        script: [], checkpointFolder: nil)
    }
    let sizes = "width 20, 4 layers, 2 heads, context 11, 2 of 5 experts of width 18 by the router"
    let every = ", expert-every 2"
    #expect(
      error?.description
        == "\(path) holds \(sizes) rmoe, router-width 11\(every), not \(sizes) topk\(every): leave the"
        + " sizes out when resuming")
  }

  @Test(arguments: routers)
  func `a run goes on from any of its checkpoints bit for bit`(router: ExpertRouter) async throws {
    let folder = try ScratchFolder()
    let whole = try await TrainedRun(
      TrainingRun(
        configuration: Self.configuration(router, workers: 2), corpus: Self.corpus,
        checkpointFolder: URL(fileURLWithPath: folder.path)))
    let entries = try CheckpointFolder.list(in: folder.path)
    #expect(entries.map(\.step) == [0, 7, 14, 21, 24])
    for entry in entries.dropLast() {
      let checkpoint = try CheckpointFolder.read(entry.path)
      let rest = try await TrainedRun(
        TrainingRun(
          resuming: checkpoint,
          configuration: TrainingConfiguration(options: checkpoint.continuation().options),
          corpus: Self.corpus, script: [], checkpointFolder: nil))
      let expected = Array(whole.samples.map(\.unclocked).dropFirst(entry.step))
      #expect(rest.samples.map(\.unclocked) == expected, "from \(entry.step)")
    }
  }
}
