import Foundation
import Signals
import Telemetry
import Testing
import TestSupport

@testable import Sessions

@Suite(.timeLimit(.minutes(15))) struct SessionOutlineTests {
  let folder: TestFolder

  init() throws {
    folder = try TestFolder()
  }

  private func samples(_ steps: Range<Int>, loss: Double, evalEvery: Int = 10) -> [RunRecord] {
    steps.map { step in
      let isEvaluated = step % evalEvery == 0
      return .samples(
        StepSamples(
          step: step, wallTime: Double(step),
          names: isEvaluated ? ["loss", "loss/eval"] : ["loss"],
          values: isEvaluated ? [loss, loss + abs(Double(step) - 40) / 100] : [loss]))
    }
  }

  @Test func `the course of the losses is that of the line the run is on, the others aside`() throws
  {
    let path = folder.path("a.seismo")
    try TestRun.record(
      [.description(TestRun.description)] + samples(0..<90, loss: 3)
        + [.event(TestRun.event(50, .alarm)), .generation(startingAt: 30)]
        + samples(30..<61, loss: 2) + [.event(TestRun.event(60, .set)), .state(.stopped)], at: path)
    let outline = try SessionOutline(SessionSummary(path: path))
    #expect(outline.loss.steps == Array(0...60))
    #expect(outline.loss.values == Array(repeating: 3, count: 30) + Array(repeating: 2, count: 31))
    #expect(outline.abandoned.map { [$0.steps.first, $0.steps.last] } == [[30, 89]])
    #expect(outline.heldOut.steps == [0, 10, 20, 30, 40, 50, 60])
    #expect(outline.events.map(\.kind) == [.alarm, .set])
    #expect(outline.metrics.contains("loss"))
  }

  @Test func `a run that is being written is outlined up to its last commit`() throws {
    let recorder = Recorder(store: try SessionStore(creating: folder.path("live.seismo")))
    for record in samples(0..<1_500, loss: 2) { recorder.record(record) }
    recorder.flush()
    let outline = try SessionOutline(SessionSummary(path: folder.path("live.seismo")))
    #expect(outline.loss.steps.last == 1_499)
    #expect(outline.heldOut.steps.last == 1_490)
    try recorder.close()
  }

  @Test func `a session without a loss has an empty outline`() throws {
    let path = folder.path("a.seismo")
    try TestRun.record([.description(TestRun.description), .state(.stopped)], at: path)
    let outline = try SessionOutline(SessionSummary(path: path))
    #expect(outline.loss.isEmpty && outline.abandoned.isEmpty && outline.heldOut.isEmpty)
  }
}
