import Foundation
import Signals
import Telemetry
import Testing
import TestSupport

@testable import Sessions

@Suite(.timeLimit(.minutes(15))) struct SessionFilesTests {
  let folder: TestFolder

  init() throws {
    folder = try TestFolder()
  }

  private var session: SessionFiles { SessionFiles(path: folder.path("a.seismo")) }

  private func record() throws {
    var description = TestRun.description
    description.environment["host"] = "here"
    try TestRun.record(
      [.description(description)] + TestRun.samples(0..<30) + [.state(.finished)],
      at: session.path)
  }

  @Test func `a renamed session is the same session, its checkpoints with it`() throws {
    try record()
    try FileManager.default.createDirectory(
      atPath: session.checkpoints, withIntermediateDirectories: true)
    let before = TestRun.history(try SessionReader(path: session.path).records())
    let path = try session.rename(to: "b")
    #expect(path == folder.path("b.seismo"))
    #expect(folder.files == ["b.checkpoints", "b.seismo"])
    expectEqual(TestRun.history(try SessionReader(path: path).records()), before)
  }

  @Test func `a killed writer's log goes with its session`() throws {
    try record()
    let path = folder.path("killed.seismo")
    // The bytes of a session mid-write, as a killed process leaves them.
    let recorder = Recorder(store: try SessionStore(creating: path))
    for record in TestRun.samples(0..<40) { recorder.record(record) }
    recorder.flush()
    for ending in ["", "-wal"] {
      try FileManager.default.copyItem(
        atPath: path + ending, toPath: folder.path("left.seismo") + ending)
    }
    try recorder.close()
    let renamed = try SessionFiles(path: folder.path("left.seismo")).rename(to: "found")
    let history = TestRun.history(try SessionReader(path: renamed).records())
    #expect(history.lastStep == 39)
    #expect(!folder.files.contains { $0.hasPrefix("left") })
  }

  @Test func `another session's name is not taken`() throws {
    try record()
    try Data("x".utf8).write(to: folder.url.appendingPathComponent("b.seismo"))
    #expect(throws: SessionError.taken(path: folder.path("b.seismo"))) {
      try session.rename(to: "b")
    }
    #expect(folder.files == ["a.seismo", "b.seismo"])
  }

  @Test func `a log that another session left behind does not become this one's`() throws {
    try record()
    try Data("x".utf8).write(to: folder.url.appendingPathComponent("b.seismo-wal"))
    #expect(throws: SessionError.taken(path: folder.path("b.seismo-wal"))) {
      try session.rename(to: "b")
    }
    #expect(folder.files == ["a.seismo", "b.seismo-wal"])
  }

  @Test func `a session that is being written is refused by name and left alone`() throws {
    let recorder = Recorder(store: try SessionStore(creating: session.path))
    for record in TestRun.samples(0..<5) { recorder.record(record) }
    recorder.flush()
    let refused = SessionError.alreadyWritten(path: session.path)
    #expect(throws: refused) { try session.rename(to: "b") }
    #expect(throws: refused) { try session.remove(withCheckpoints: true) }
    #expect(throws: refused) { try session.add(note: "x") }
    try recorder.close()
    #expect(folder.files == ["a.seismo"])
  }

  @Test func `what is no session is never removed`() throws {
    try Data("important".utf8).write(to: folder.url.appendingPathComponent("a.seismo"))
    #expect(throws: SessionError.notASession(path: session.path, found: "another kind of file")) {
      try session.remove(withCheckpoints: true)
    }
    #expect(folder.files == ["a.seismo"])
    #expect(throws: SessionError.absent(path: folder.path("b.seismo"))) {
      try SessionFiles(path: folder.path("b.seismo")).remove(withCheckpoints: false)
    }
  }

  @Test func `checkpoints are removed only where told`() throws {
    for isTold in [false, true] {
      try record()
      try FileManager.default.createDirectory(
        atPath: session.checkpoints + "/step-000000000", withIntermediateDirectories: true)
      try session.remove(withCheckpoints: isTold)
      #expect(folder.files == (isTold ? [] : ["a.checkpoints"]))
    }
  }

  @Test func `a note stands at the last step and changes nothing else`() throws {
    try record()
    let before = TestRun.history(try SessionReader(path: session.path).records())
    #expect(try session.add(note: "went well") == 30)
    let after = TestRun.history(try SessionReader(path: session.path).records())
    #expect(after.events.count == before.events.count + 1)
    #expect(after.events.last?.text == "went well")
    #expect(after.state == .finished)
    #expect(after[MetricCatalog.loss]?.values == before[MetricCatalog.loss]?.values)
    #expect(after.generationStarts.isEmpty)
    let summary = SessionSummary(path: session.path)
    let traits = RunTraits(summary, try SessionOutline(summary))
    #expect(traits.notes == ["went well"])
    #expect(traits.metrics.contains(MetricCatalog.loss))
    #expect(traits.options == ["lr": "0.01"])
    #expect(traits.environment == ["host": "here"])
    #expect(folder.files == ["a.seismo"])
  }
}
