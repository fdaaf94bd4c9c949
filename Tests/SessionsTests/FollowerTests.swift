import Signals
import Telemetry
import Testing
import TestSupport

@testable import Sessions

@Suite(.timeLimit(.minutes(15))) struct FollowerTests {
  let folder: TestFolder
  let path: String

  init() throws {
    folder = try TestFolder()
    path = folder.path("run.seismo")
  }

  @Test(arguments: [1, 25, 300, 1024])
  func `a follower is handed each record once, in order`(stride count: Int) throws {
    let recorder = Recorder(store: try SessionStore(creating: path))
    var follower = try Follower(path: path)
    var told: [RunRecord] = [.description(TestRun.description), .settings(TestRun.settings)]
    var followed: [RunRecord] = []
    for record in told { recorder.record(record) }
    let last = min(2500, count * 60)
    for start in stride(from: 0, to: last, by: count) {
      let records = TestRun.samples(start..<start + count) + [.event(TestRun.event(start))]
      told += records
      for record in records { recorder.record(record) }
      recorder.flush()
      followed += try follower.poll()
      #expect(TestRun.history(followed).lastStep == start + count - 1)
      #expect(try follower.poll().isEmpty)
      #expect(follower.writer == .writing)
    }
    let end: [RunRecord] =
      [.generation(startingAt: 5)] + TestRun.samples(5..<9, seed: 2)
      + [.state(.finished)]
    for record in end { recorder.record(record) }
    try recorder.close()
    followed += try follower.poll()
    #expect(follower.writer == .ended)
    expectEqual(TestRun.history(followed), TestRun.history(told + end))
    let samples = followed.reduce(0) { sum, record in
      guard case .column(let column) = record else { return sum }
      return sum + column.steps.count
    }
    let steps = told.count - 2 - told.count(where: \.isEvent) + 4
    #expect(samples == steps * (TestRun.names.count + 1))
    #expect(folder.files == ["run.seismo"])
  }

  @Test(arguments: [500, 17_000, 33_100])
  func `a history is read on from where it ended, across summaries and generations`(
    count: Int
  ) throws {
    let recorder = Recorder(store: try SessionStore(creating: path))
    recorder.record(.description(TestRun.description))
    for record in TestRun.samples(0..<count) { recorder.record(record) }
    recorder.record(.event(TestRun.event(3)))
    recorder.flush()
    var follower = try Follower(path: path)
    var history = try follower.history { Issue.record("\($0)") }
    #expect(history["loss"]?.isArchived == (count > 16_384))
    var samples = 0
    func readOn() throws {
      recorder.flush()
      for record in try follower.poll() {
        if case .column(let column) = record { samples += column.steps.count }
        history.append(record)
      }
    }
    try readOn()
    #expect(samples == 0)
    for record in TestRun.samples(count..<count + 1200) { recorder.record(record) }
    try readOn()
    for record in TestRun.samples(count - 200..<count + 30, seed: 5) { recorder.record(record) }
    recorder.record(.event(TestRun.event(count)))
    try readOn()
    #expect(samples == (1200 + 230) * (TestRun.names.count + 1))
    recorder.record(.state(.finished))
    try recorder.close()
    for record in try follower.poll() { history.append(record) }
    #expect(follower.writer == .ended)
    expectEqual(history, TestRun.history(try SessionReader(path: path).records()))
    #expect(folder.files == ["run.seismo"])
  }

  @Test func `a follower that comes seldom misses nothing`() throws {
    let recorder = Recorder(store: try SessionStore(creating: path))
    for record in TestRun.samples(0..<900) { recorder.record(record) }
    recorder.flush()
    var follower = try Follower(path: path)
    var followed = try follower.poll()
    for start in stride(from: 900, to: 4500, by: 100) {
      for record in TestRun.samples(start..<start + 100) { recorder.record(record) }
      recorder.flush()
    }
    followed += try follower.poll()
    let told = stride(from: 900, to: 4500, by: 100).flatMap { TestRun.samples($0..<$0 + 100) }
    expectEqual(TestRun.history(followed), TestRun.history(TestRun.samples(0..<900) + told))
    try recorder.close()
  }

  @Test func `a writer that is gone before its run was over has crashed`() throws {
    var recorder: Recorder? = Recorder(store: try SessionStore(creating: path))
    recorder?.record(.state(.running))
    for record in TestRun.samples(0..<5) { recorder?.record(record) }
    recorder?.flush()
    var follower = try Follower(path: path)
    _ = try follower.poll()
    #expect(follower.writer == .writing)
    recorder = nil
    #expect(try follower.poll().isEmpty)
    #expect(follower.writer == .crashed)
  }

  @Test func `following something that is no session is refused`() {
    #expect(throws: SessionError.absent(path: path)) { try Follower(path: path) }
  }
}

extension RunRecord {
  fileprivate var isEvent: Bool {
    guard case .event = self else { return false }
    return true
  }
}
