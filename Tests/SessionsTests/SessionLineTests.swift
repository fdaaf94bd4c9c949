import Formats
import Foundation
import GRDB
import Signals
import Telemetry
import Testing
import TestSupport

@testable import Sessions

/// What a run left when it was resumed from an earlier step, or went back, is still there.
@Suite(.timeLimit(.minutes(15))) struct SessionLineTests {
  let folder: TestFolder
  let path: String

  init() throws {
    folder = try TestFolder()
    path = folder.path("run.seismo")
  }

  private static func description(_ steps: Int) -> RunRecord {
    .description(
      RunDescription(name: "run", created: 1, totalSteps: steps, options: ["steps": "\(steps)"]))
  }

  /// A run of `steps`, resumed from a tenth of them as a shorter one.
  private func record(steps: Int) throws -> [RunRecord] {
    let first =
      [Self.description(steps), .settings(TestRun.settings)] + TestRun.samples(0..<steps)
      + [.event(TestRun.event(steps / 2)), .state(.finished)]
    try TestRun.record(first, at: path)
    let recorder = try Recorder(
      appendingTo: SessionStore(appendingTo: path), generationStartingAt: steps / 10)
    recorder.record(Self.description(steps / 5))
    for record in TestRun.samples(steps / 10..<steps / 5, seed: 2) { recorder.record(record) }
    recorder.record(.event(TestRun.event(steps / 8)))
    recorder.record(.state(.stopped))
    try recorder.close()
    return first
  }

  @Test(arguments: [500, 40_000])
  func `a line is read as it was before the run left it`(steps: Int) throws {
    let first = try record(steps: steps)
    let reader = try SessionReader(path: path)
    for line in [try reader.history(line: 1), TestRun.history(try reader.records(line: 1))] {
      expectEqual(line, TestRun.history(first))
      #expect(line.description?.totalSteps == steps)
      #expect(line.state == .finished)
    }
    #expect(try reader.history().description?.totalSteps == steps / 5)
    expectEqual(try reader.history(line: 2), try reader.history())
    let wrong = #expect(throws: SessionError.self) { try reader.history(line: 3) }
    #expect(wrong?.description == "\(path) has no line 3: its lines are 1 to 2")
  }

  @Test func `the list tells how far the abandoned line had got, and of how many steps`() throws {
    _ = try record(steps: 500)
    let summary = SessionSummary(path: path)
    #expect(summary.steps == 100)
    #expect(summary.totalSteps == 100)
    #expect(summary.abandoned.map(\.steps) == [500])
    #expect(summary.abandoned.map(\.totalSteps) == [500])
    #expect(summary.abandoned.map { $0.options?["steps"] } == ["500"])
  }

  /// A session may hold any number.
  @Test func `lines are those that there are, and not all numbers up to the largest`() throws {
    _ = try record(steps: 500)
    let number = 30_000_000
    let database = try DatabaseQueue(path: path)
    try database.write {
      try $0.execute(
        sql: "INSERT INTO generations (id, starting_step, checksum) VALUES (?, ?, ?)",
        arguments: [number, 90, Checksum.of("", number, 90)])
    }
    try database.close()
    let summary = SessionSummary(path: path)
    #expect(summary.steps == 100)
    #expect(summary.abandoned.map(\.steps) == [500])
  }

  @Test func `a line that is restored is the run again, and what it gave way to a line`() throws {
    let first = try record(steps: 500)
    let before = try SessionReader(path: path).history()
    #expect(try SessionFiles(path: path).restore(line: 1) == 500)
    let reader = try SessionReader(path: path)
    let now = try reader.history()
    let then = TestRun.history(first)
    #expect(now["loss"]?.steps == then["loss"]?.steps)
    #expect(now["loss"]?.values == then["loss"]?.values)
    #expect(now.wallTimes.values == then.wallTimes.values)
    #expect(now.description?.totalSteps == 500)
    #expect(now.state == .finished)
    #expect(now.lineageEvents.count { $0.step == 250 } == 1)
    #expect(now.lineageEvents.last?.text == "line 1 is the run again, from step 50")
    expectEqual(try reader.history(line: 2), before)
    #expect(SessionSummary(path: path).abandoned.map(\.number) == [2])
    #expect(throws: SessionError.self) { try SessionFiles(path: path).restore(line: 9) }
  }

  @Test(arguments: [200, 500])
  func `a branch has what led to its step, and the other session stays as it is`(step: Int) throws {
    let records =
      [Self.description(500)] + TestRun.samples(0..<500)
      + [
        .event(TestRun.event(120)), .event(TestRun.event(450)),
        .samples(
          StepSamples(step: 500, wallTime: 2, names: [MetricCatalog.evalLoss], values: [1.5])),
        .state(.finished),
      ]
    try TestRun.record(records, at: path)
    let before = try Data(contentsOf: URL(fileURLWithPath: path))
    let other = folder.path("other.seismo")
    try SessionFiles(path: path).branch(to: other, at: step)
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == before)
    let branch = try SessionReader(path: other).history()
    #expect(branch.stepsDone == step)
    #expect(branch.events.map(\.step) == (step == 500 ? [120, 450] : [120]))
    #expect(branch[MetricCatalog.evalLoss]?.lastValue == (step == 500 ? 1.5 : nil))
    let recorder = try Recorder(
      appendingTo: SessionStore(appendingTo: other), generationStartingAt: step)
    for record in TestRun.samples(step..<step + 9) { recorder.record(record) }
    try recorder.close()
    #expect(try SessionReader(path: other).history().generationStarts.isEmpty)
    #expect(throws: SessionError.taken(path: other)) {
      try SessionFiles(path: path).branch(to: other, at: step)
    }
  }

  @Test func `a run that a killed process left is told from one that is handed over`() throws {
    try TestRun.record(TestRun.samples(0..<9) + [.state(.running)], at: path)
    #expect(try !SessionSuccession(session: path).isBeingTakenOver)
    let detached = folder.path("detached.seismo")
    let event = RunEvent(
      step: 9, wallTime: Date().timeIntervalSince1970, kind: .detach, by: "you", text: "detach")
    try TestRun.record(
      TestRun.samples(0..<9) + [.state(.running), .event(event)], at: detached)
    #expect(try SessionSuccession(session: detached).isBeingTakenOver)
    let branched = folder.path("branched.seismo")
    try TestRun.record(
      TestRun.samples(0..<9) + [
        .event(
          RunEvent(step: 9, wallTime: 1, kind: .branch, by: "run", name: "run", text: "on")),
        .state(.stopped),
      ], at: branched)
    #expect(try SessionSuccession(session: branched).branch == path)
    #expect(try SessionSuccession(session: path).branch == nil)
  }
}
