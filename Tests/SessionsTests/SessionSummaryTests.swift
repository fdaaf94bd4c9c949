import Foundation
import Telemetry
import Testing

@testable import Sessions

@Suite struct SessionSummaryTests {
  let folder: TestFolder

  init() throws {
    folder = try TestFolder()
  }

  private func samples(_ steps: Range<Int>, from start: Double) -> [RunRecord] {
    steps.map { step in
      .samples(
        StepSamples(
          step: step, wallTime: start + Double(step), names: ["loss", "lr"],
          values: [10 - Double(step) / 1000, 0.1]))
    }
  }

  @Test func `sessions are listed with their figures, the newest first`() throws {
    let description = RunDescription(name: "old", created: 1000, totalSteps: 3000)
    try TestRun.record(
      [.description(description)] + samples(0..<2500, from: 1000)
        + [
          .event(TestRun.event(7, .alarm)), .event(TestRun.event(8, .alarm)),
          .event(TestRun.event(9)), .state(.stopped),
        ],
      at: folder.path("old.seismo"))
    let live = Recorder(store: try SessionStore(creating: folder.path("new.seismo")))
    for record in samples(0..<1100, from: 9000) { live.record(record) }
    live.flush()
    for record in samples(1100..<1500, from: 9000) { live.record(record) }
    live.flush()
    try "nonsense".write(
      toFile: folder.path("broken.seismo"), atomically: true, encoding: .utf8)
    try "".write(toFile: folder.path("notes.txt"), atomically: true, encoding: .utf8)

    let summaries = try SessionSummary.sessions(in: folder.url.path)
    #expect(summaries.map(\.name) == ["broken", "new", "old"])
    #expect(
      summaries[0].flaw
        == "\(folder.path("broken.seismo")) is no session of Seismo but another kind of file: "
        + "give a .seismo file")
    #expect(summaries[1].isLive)
    #expect(summaries[1].steps == 1500)
    #expect(summaries[1].finalLoss == 10 - 1499.0 / 1000)
    #expect(summaries[1].seconds == 1499)
    #expect(!summaries[2].isLive)
    #expect(summaries[2].steps == 2500)
    #expect(summaries[2].totalSteps == 3000)
    #expect(summaries[2].finalLoss == 10 - 2499.0 / 1000)
    #expect(summaries[2].alarms == 2)
    #expect(summaries[2].seconds == 2499)
    #expect(summaries[2].state == .stopped)
    #expect(summaries[2].bytes == FileSystem.size(folder.path("old.seismo")))
    #expect(try SessionSummary.latest(in: folder.url.path)?.name == "new")
    try live.close()
  }

  @Test func `the figures are those of the newest generation`() throws {
    let path = folder.path("run.seismo")
    try TestRun.record(
      samples(0..<1500, from: 1000) + [.generation(startingAt: 100)]
        + samples(100..<200, from: 5000), at: path)
    let summary = SessionSummary(path: path)
    #expect(summary.steps == 200)
    #expect(summary.finalLoss == 10 - 199.0 / 1000)
    #expect(summary.seconds == 4199)
    #expect(summary.isKilled)
  }

  @Test func `no folder holds no sessions`() throws {
    #expect(try SessionSummary.sessions(in: folder.path("absent")).isEmpty)
    #expect(try SessionSummary.latest(in: folder.url.path) == nil)
  }
}
