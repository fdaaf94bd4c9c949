import Foundation
import Telemetry
import Testing
import TestSupport

@testable import Formats
@testable import Sessions

@Suite(.timeLimit(.minutes(15))) struct SessionSummaryTests {
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

  /// Held-out losses every 50 steps, the lowest at 100.
  private func judged(_ steps: Range<Int>, shift: Double = 0) -> [RunRecord] {
    steps.map { step in
      let isMeasured = step % 50 == 0
      return .samples(
        StepSamples(
          step: step, wallTime: Double(step),
          names: isMeasured ? ["loss", "loss/eval"] : ["loss"],
          values: [step % 2 == 0 ? 3 : 5 + shift] + (isMeasured ? [abs(Double(step) - 100)] : [])))
    }
  }

  @Test func `a run is judged by its held-out loss, or by the smoothed one, not by a batch`() throws
  {
    let path = folder.path("run.seismo")
    try TestRun.record(judged(0..<180), at: path)
    let summary = SessionSummary(path: path)
    #expect(summary.heldOut == StepValue(step: 150, value: 50))
    #expect(summary.best == StepValue(step: 100, value: 0))
    #expect(summary.judgedLoss == 50)
    #expect(summary.finalLoss == 5)
    #expect(abs((summary.smoothedLoss ?? 0) - 4) < 0.1)

    let plain = folder.path("plain.seismo")
    try TestRun.record(samples(0..<1030, from: 0), at: plain)
    #expect(SessionSummary(path: plain).heldOut == nil)
    #expect(SessionSummary(path: plain).judgedLoss == SessionSummary(path: plain).smoothedLoss)
    #expect(abs((SessionSummary(path: plain).judgedLoss ?? 0) - 9) < 0.1)
  }

  @Test func `the lines that a run left are told with what they came to`() throws {
    let path = folder.path("run.seismo")
    try TestRun.record(
      [.description(RunDescription(name: "run", created: 0, totalSteps: 300))] + judged(0..<300)
        + [.generation(startingAt: 80)] + judged(80..<130, shift: 1)
        + [.generation(startingAt: 120)] + judged(120..<125, shift: 2), at: path)
    let summary = SessionSummary(path: path)
    #expect(summary.steps == 125)
    #expect(summary.newest.number == 3)
    #expect(!summary.newest.isAbandoned)
    #expect(summary.abandoned.map(\.number) == [1, 2])
    #expect(summary.abandoned.map(\.steps) == [300, 130])
    #expect(summary.abandoned.map(\.leftAt) == [80, 120])
    #expect(summary.abandoned.map(\.heldOut?.step) == [250, 100])
  }

  @Test func `steps that came again to the last bit leave no line`() throws {
    let path = folder.path("run.seismo")
    try TestRun.record(
      judged(0..<130) + [.generation(startingAt: 100)] + judged(100..<160), at: path)
    #expect(SessionSummary(path: path).abandoned.isEmpty)
  }

  @Test func `no folder holds no sessions`() throws {
    #expect(try SessionSummary.sessions(in: folder.path("absent")).isEmpty)
    #expect(try SessionSummary.latest(in: folder.url.path) == nil)
  }
}
