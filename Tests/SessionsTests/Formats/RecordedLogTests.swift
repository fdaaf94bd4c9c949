import Foundation
import Signals
import Telemetry
import Testing

@testable import Formats

/// What other tools' own writers wrote (`Recorded/make.py`): one run's losses in every format.
@Suite(.timeLimit(.minutes(15))) struct RecordedLogTests {
  private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("Recorded").path

  private static let sources = [
    "tensorboardx-events", "tf2-events", "wandb-offline", "lightning", "trainer", "json-lines",
  ]

  private static func run(_ source: String) throws -> RecordedRun {
    let logged = try LoggedRun.all(at: "\(folder)/\(source)")
    #expect(logged.count == 1)
    return try logged[0].read().run
  }

  private func expectLosses(_ run: RecordedRun, isSingle: Bool) {
    let loss = run.generations.first?.columns.first { $0.name == "loss" }
    #expect(loss?.steps == Array(0..<12))
    for (step, value) in zip(loss?.steps ?? [], loss?.values ?? []) {
      let exact = 4.0 / Double(1 + step)
      let expected = isSingle ? Double(Float(exact)) : exact
      #expect(step == 7 ? value.isNaN : value == expected, "step \(step)")
    }
  }

  @Test(arguments: sources)
  func `every format gives the run's losses, NaN included`(source: String) throws {
    let run = try Self.run(source)
    #expect(run.warnings.isEmpty)
    #expect(run.generations.count == 1)
    expectLosses(run, isSingle: source.hasSuffix("events"))
  }

  @Test func `torch's three kinds of scalars, texts, and a restart that purges`() throws {
    let run = try Self.run("torch-events")
    #expect(run.warnings.isEmpty)
    #expect(run.generations.map(\.startingStep) == [0, 8])
    expectLosses(run, isSingle: true)
    let first = run.generations[0]
    #expect(first.columns.map(\.name) == ["loss", "new", "precise"])
    #expect(first.columns[1].values == (0..<12).map { Double($0) / 8 })
    #expect(first.columns[2].values == (0..<12).map { Double($0) / 10 })
    #expect(run.generations[1].columns.map(\.values) == [[0.5, 0.5, 0.5, 0.5]])
    #expect(first.wallTimes.values == (0..<12).map { 1.7e9 + Double($0) })
    let notes = first.happenings.compactMap { happening -> RunEvent? in
      guard case .event(let event) = happening else { return nil }
      return event
    }
    #expect(notes.map(\.text) == ["remark/text_summary: all is well"])
    #expect(notes.map(\.step) == [3])
  }

  @Test func `tensors of half, bfloat16 and whole numbers are read`() throws {
    let columns = try Self.run("tf2-events").generations[0].columns
    #expect(columns.map(\.name) == ["loss", "half", "brain", "whole"])
    #expect(columns[1].values == [Double](repeating: 1, count: 12))
    #expect(columns[2].values == [Double](repeating: 3, count: 12))
    #expect(columns[3].values == (0..<12).map { -Double($0) })
  }

  @Test func `W&B's configuration, nested keys and end come along`() throws {
    let run = try Self.run("wandb-offline")
    let options = run.description?.options
    #expect(options?["lr"] == "0.01")
    #expect(options?["model.width"] == "64")
    #expect(options?["qk_norm"] == "on")
    #expect(run.description?.name == "recorded")
    #expect(run.state == .finished)
    #expect(run.generations[0].columns.map(\.name) == ["loss", "deep/er"])
    #expect(run.generations[0].columns[1].values == (0..<12).map { Double($0) / 8 })
  }

  @Test func `Lightning's sparse rows and hyper-parameters, Hugging Face's plan`() throws {
    let lightning = try Self.run("lightning")
    let held = lightning.generations[0].columns.first { $0.name == "loss/eval" }
    #expect(held == MetricColumn(name: "loss/eval", steps: [5, 11], values: [8.0 / 6, 8.0 / 12]))
    #expect(lightning.description?.options == ["lr": "0.01", "name": "tiny", "nested.width": "64"])
    let trainer = try Self.run("trainer")
    #expect(trainer.description?.totalSteps == 12)
    #expect(trainer.state == .stopped)
    #expect(trainer.names == ["epoch", "loss", "loss/eval", "lr"])
  }
}
