import Foundation
import Signals
import Synchronization
import Telemetry
import Testing
import Training

@testable import Dashboard

/// The dashboard draws the schedule to come from what a run records; the trainer follows its own.
@Suite(.timeLimit(.minutes(15))) struct ScheduleAgreementTests {
  /// What a run over 120 steps told, with commands at their steps.
  private func records(
    _ options: [String: String], _ commands: [(Int, String)]
  ) async throws -> [RunRecord] {
    let small = [
      "preset": "tiny", "width": "16", "layers": "1", "heads": "2", "context": "16", "batch": "4",
      "steps": "120", "warmup": "10", "eval-every": "0", "workers": "1", "lr": "0.01",
      "min-lr": "0.001",
    ]
    let configuration = try TrainingConfiguration(options: small.merging(options) { $1 })
    let script = try commands.map {
      ScriptedCommand(step: $0.0, command: try Command(words: $0.1))
    }
    let run = try TrainingRun(
      configuration: configuration, corpus: .synthetic(seed: 1, bytes: 20_000), script: script,
      checkpointFolder: nil)
    let told = Told(.description(run.description(name: "run", created: 0)))
    let trainer = Trainer(run) { told.add($0) }
    await withCheckedContinuation { continuation in
      trainer.start { _ in continuation.resume() }
    }
    return told.all
  }

  private final class Told: Sendable {
    private let records: Mutex<[RunRecord]>

    init(_ first: RunRecord) { records = Mutex([first]) }

    func add(_ record: RunRecord) { records.withLock { $0.append(record) } }

    var all: [RunRecord] { records.withLock { $0 } }
  }

  @Test(arguments: [
    ["schedule": "cosine"], ["schedule": "linear"], ["schedule": "constant"],
    ["schedule": "wsd", "decay-steps": "30"], ["schedule": "wsd"],
    ["schedule": "cosine", "lr": "1e-4"],
  ])
  func `at every step what is drawn to come is what came`(options: [String: String])
    async throws
  {
    let scripts = [
      [], [(40, "set lr.decay_now 50")], [(5, "set lr.decay_now 200")],
      [(40, "set lr.warmup_again 30"), (80, "set lr.multiplier 0.5")],
      [(30, "set lr.decay_now 60"), (50, "set lr.warmup_again 20"), (70, "undo"), (90, "undo")],
    ]
    for script in scripts {
      let records = try await records(options, script)
      let history = RunHistory(records)
      let rates = try #require(history[MetricCatalog.learningRate])
      let factors = try #require(history[MetricCatalog.learningRateMultiplier])
      #expect(rates.count == 120)
      let changes = script.map(\.0) + [120]
      for (index, begin) in ([0] + script.map(\.0)).enumerated() {
        let schedule = try #require(Schedule(history, at: begin))
        // What a person does later nobody can know.
        for step in begin..<changes[index] {
          let factor = try #require(factors.value(at: step))
          let rate = try #require(rates.value(at: step))
          let drawn = schedule.rate(at: step) * factor
          #expect(abs(drawn - rate) <= 1e-12 + 1e-9 * rate, "\(script): \(step) from \(begin)")
        }
      }
    }
  }
}
