import Foundation
import Models
import Signals
import Telemetry
import TestSupport
import Testing

@testable import Training

/// Runs whose feed-forward layers train their activations.
@Suite(.timeLimit(.minutes(15)))
struct KANRunTests {
  private static func change(_ configuration: inout TrainingConfiguration) {
    configuration.model.feedForward = .kat
    configuration.steps = 24
    configuration.checkpointEvery = 8
  }

  @Test(arguments: [OptimizerKind.adamW, .muon, .sgd])
  func `a run goes on from its checkpoint bit for bit, and tells what its functions became`(
    optimizer: OptimizerKind
  ) async throws {
    let folder = try TestFolder()
    let run = try await TrainedRun(checkpointFolder: folder.url) {
      Self.change(&$0)
      $0.optimizer = optimizer
      if optimizer == .sgd { $0.learningRate = 0.1 }
    }
    let losses = run.values(MetricCatalog.loss)
    #expect(losses.count == 24 && losses[23] < losses[0] - 0.2)
    let path = folder.url.appending(path: "step-000000016").path
    let rest = try await TrainedRun(resuming: CheckpointFolder.read(path))
    #expect(rest.numbers.count == 8 && rest.numbers == run.numbers.suffix(8))
    let drifts = run.values(MetricCatalog.functionDrift(layer: 1, place: 2, group: 7))
    #expect(drifts.count == 3 && drifts[2] > drifts[0] && drifts[0] > 0)
    #expect(run.values("kat_reciprocal_max/0").allSatisfy { $0 <= 1 })
    #expect(!FileManager.default.fileExists(atPath: path + "/config.json"))
  }

  @Test func `dense layers between mixtures have it, and workers change no bit`() async throws {
    let runs = try await [1, 2].asyncMap { workers in
      try await TrainedRun(.moeTiny) {
        $0.model.feedForward = .kat
        $0.model.experts?.every = 2
        $0.steps = 4
        $0.workers = workers
      }
    }
    #expect(runs[0].numbers == runs[1].numbers)
    #expect(runs[0].values("kat_reciprocal_max/0").count == 4)
    #expect(runs[0].values("kat_reciprocal_max/1").isEmpty)
  }

  @Test func `the option is told where it is not the usual one`() throws {
    let configuration = try TrainingConfiguration(
      options: ["preset": "tiny", "feed-forward": "kat"])
    #expect(configuration.model.feedForward == .kat && configuration.preset == nil)
    #expect(try TrainingConfiguration(options: configuration.options) == configuration)
    #expect(TrainingConfiguration(preset: .tiny).options["feed-forward"] == nil)
    let mixed = try TrainingConfiguration(
      options: ["feed-forward": "kat", "expert-every": "2"])
    #expect(mixed.model.feedForward(inLayer: 0) == .kat)
  }

  @Test func `a function that runs off is an alarm`() async throws {
    let run = try await TrainedRun {
      Self.change(&$0)
      $0.steps = 60
      $0.learningRate = 0.02
      _ = $0.alarms.set(.functionRunsOff, words: "0.1")
    }
    let alarm = try #require(run.events.first { $0.name == "function-runs-off" })
    #expect(alarm.kind == .alarm && alarm.text.contains("runs off: 0."))
    #expect((alarm.values["drift"] ?? 0) > 0.1)
  }
}

extension Array {
  fileprivate func asyncMap<T>(_ transform: (Element) async throws -> T) async rethrows -> [T] {
    var results: [T] = []
    for element in self { results.append(try await transform(element)) }
    return results
  }
}
