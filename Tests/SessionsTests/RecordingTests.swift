import Signals
import Telemetry
import Testing
import TestSupport

@testable import Formats
@testable import Sessions

@Suite(.timeLimit(.minutes(15))) struct RecordingTests {
  let folder: TestFolder

  init() throws {
    folder = try TestFolder()
  }

  @Test(arguments: [0, 1, 10, 1023, 1024, 1025, 2500])
  func `a run comes back to the last bit`(steps: Int) throws {
    let path = folder.path("run.seismo")
    let records =
      [.description(TestRun.description), .settings(TestRun.settings), .state(.running)]
      + TestRun.samples(0..<steps)
      + [
        .event(TestRun.event(3)), .console(wallTime: 1.7e9, line: "hello\u{0}world"),
        .state(.failed(reason: "the disk is full")),
      ]
    let recorder = Recorder(store: try SessionStore(creating: path))
    for record in records { recorder.record(record) }
    try recorder.close()

    let read = try SessionReader(path: path).records()
    expectEqual(TestRun.history(read), TestRun.history(records))
    #expect(TestRun.history(read).description?.options == ["lr": "0.01"])
    #expect(TestRun.history(read).description?.initialLoss?.isNaN == true)
    #expect(folder.files == ["run.seismo"])
  }

  @Test func `what is being written can be read at any moment`() throws {
    let path = folder.path("run.seismo")
    let recorder = Recorder(store: try SessionStore(creating: path))
    var records: [RunRecord] = []
    for start in stride(from: 0, to: 3000, by: 300) {
      let more = TestRun.samples(start..<start + 300)
      records += more
      for record in more { recorder.record(record) }
      recorder.flush()
      let read = try SessionReader(path: path).records()
      expectEqual(TestRun.history(read), TestRun.history(records))
    }
    try recorder.close()
    expectEqual(
      TestRun.history(try SessionReader(path: path).records()), TestRun.history(records))
    #expect(folder.files == ["run.seismo"])
  }

  @Test(arguments: [1, 5, 37, 1500])
  func `a step that goes backwards keeps what it supersedes`(commit: Int) throws {
    let path = folder.path("run.seismo")
    let recorder = Recorder(store: try SessionStore(creating: path))
    let parts = [
      TestRun.samples(0..<1300), TestRun.samples(700..<900, seed: 2),
      TestRun.samples(890..<1000, seed: 3),
    ]
    for (index, record) in parts.flatMap({ $0 }).enumerated() {
      recorder.record(record)
      if index % commit == 0 { recorder.flush() }
    }
    try recorder.close()
    let told =
      parts[0] + [.generation(startingAt: 700)] + parts[1]
      + [.generation(startingAt: 890)] + parts[2]
    expectEqual(TestRun.history(try SessionReader(path: path).records()), TestRun.history(told))
  }

  @Test func `recording goes on where a session ended`() throws {
    let path = folder.path("run.seismo")
    let first = Recorder(store: try SessionStore(creating: path))
    for record in TestRun.samples(0..<1500) { first.record(record) }
    try first.close()
    let second = try Recorder(
      appendingTo: SessionStore(appendingTo: path), generationStartingAt: 1500)
    for record in TestRun.samples(1500..<1700) { second.record(record) }
    try second.close()
    let third = try Recorder(
      appendingTo: SessionStore(appendingTo: path), generationStartingAt: 1600)
    for record in TestRun.samples(1600..<1800) { third.record(record) }
    try third.close()

    let told =
      TestRun.samples(0..<1500) + TestRun.samples(1500..<1700) + [.generation(startingAt: 1600)]
      + TestRun.samples(1600..<1800)
    expectEqual(TestRun.history(try SessionReader(path: path).records()), TestRun.history(told))
  }

  /// The held-out loss at a run's end, of the step that would come next.
  private func end(_ step: Int, heldOut: Double) -> RunRecord {
    .samples(
      StepSamples(
        step: step, wallTime: 1.8e9, names: [MetricCatalog.evalLoss], values: [heldOut]))
  }

  @Test(arguments: [true, false])
  func `a run goes on behind its measured end without leaving a line`(measuresAgain: Bool) throws {
    let path = folder.path("run.seismo")
    try TestRun.record(TestRun.samples(0..<1500) + [end(1500, heldOut: 2)], at: path)
    #expect(SessionSummary(path: path).steps == 1500)
    let recorder = try Recorder(
      appendingTo: SessionStore(appendingTo: path), generationStartingAt: 1500)
    let more = TestRun.samples(1500..<1600)
    for (index, record) in more.enumerated() {
      guard case .samples(var samples) = record, index == 0, measuresAgain else {
        recorder.record(record)
        continue
      }
      samples.names.append(MetricCatalog.evalLoss)
      samples.values.append(2)
      recorder.record(.samples(samples))
    }
    try recorder.close()
    let run = RecordedRun(records: try SessionReader(path: path).records())
    #expect(run.generations.count == 1)
    let columns = run.generations[0].columns
    #expect(columns.first { $0.name == MetricCatalog.evalLoss }?.steps == [1500])
    #expect(columns.first { $0.name == MetricCatalog.loss }?.steps == Array(0..<1600))
    #expect(run.generations[0].wallTimes.steps == Array(0..<1600))
    let summary = SessionSummary(path: path)
    #expect(summary.steps == 1600)
    #expect(summary.abandoned.isEmpty)
  }

  @Test func `what comes after the close is not kept`() throws {
    let recorder = Recorder(store: try SessionStore(creating: folder.path("run.seismo")))
    for record in TestRun.samples(0..<10) { recorder.record(record) }
    try recorder.close()
    for record in TestRun.samples(10..<500) { recorder.record(record) }
    #expect(recorder.recordsTaken == 0)
    #expect(TestRun.history(try SessionReader(path: recorder.path).records()).lastStep == 9)
  }

  @Test func `a run that is looked at leaves its older samples to its session, and stays as it is`()
    throws
  {
    let recorder = Recorder(store: try SessionStore(creating: folder.path("run.seismo")))
    let count = 40_000
    var history = RunHistory()
    for record in TestRun.samples(0..<count) {
      recorder.record(record)
      history.append(record)
    }
    recorder.flush()
    let whole = history
    let reader = try SessionReader(path: recorder.path)
    let read = try #require(try reader.archivedHistory { Issue.record("\($0)") })
    history.leaveSamples(toArchiveOf: read)
    #expect(whole.stepsInMemory == count)
    #expect(history.stepsInMemory <= count - 2 * SummaryRow.capacity * ColumnChunk.capacity)
    // It goes on, and leaves more later.
    for record in TestRun.samples(count..<count + 9152, seed: 2) {
      recorder.record(record)
      history.append(record)
    }
    recorder.flush()
    let again = try SessionReader(path: recorder.path).archivedHistory { Issue.record("\($0)") }
    history.leaveSamples(toArchiveOf: try #require(again))
    #expect(history.stepsInMemory == 0)
    try recorder.close()
    for name in TestRun.names {
      let (left, kept) = (try #require(history[name]), try #require(whole[name]))
      #expect(left.count == count + 9152 && left.steps == Array(0..<count + 9152))
      #expect(left.values.prefix(count).map(\.bitPattern) == kept.values.map(\.bitPattern))
    }
  }

  @Test func `samples of another generation than was read are kept in memory`() throws {
    let recorder = Recorder(store: try SessionStore(creating: folder.path("run.seismo")))
    var history = RunHistory()
    for record in TestRun.samples(0..<20_000) {
      recorder.record(record)
      history.append(record)
    }
    recorder.flush()
    let reader = try SessionReader(path: recorder.path)
    let read = try #require(try reader.archivedHistory { Issue.record("\($0)") })
    history.append(.generation(startingAt: 5000))
    history.leaveSamples(toArchiveOf: read)
    #expect(history.stepsInMemory == 5000)
    try recorder.close()
  }
}
