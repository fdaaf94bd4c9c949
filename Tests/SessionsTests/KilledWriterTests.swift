import Dispatch
import Foundation
import GRDB
import Signals
import Telemetry
import Testing
import TestSupport

@testable import Sessions

@Suite(.timeLimit(.minutes(15))) struct KilledWriterTests {
  let folder: TestFolder
  let path: String

  init() throws {
    folder = try TestFolder()
    path = folder.path("run.seismo")
  }

  /// Records in a process of its own that kills itself, with SIGKILL, at a random step while
  /// another thread of it commits without a pause. The first 500 steps are committed before.
  @Test(arguments: 0..<12)
  func `a killed writer leaves a whole session that lacks nothing it had committed`(
    seed: UInt64
  ) async throws {
    await #expect(processExitsWith: .signal(SIGKILL)) {
      [path = path as String, seed = seed as UInt64] in
      let recorder = Recorder(store: try SessionStore(creating: path))
      recorder.record(.state(.running))
      for record in TestRun.samples(0..<500) { recorder.record(record) }
      recorder.flush()
      DispatchQueue.global().async { while true { recorder.flush() } }
      var random = RandomBits(seed: seed)
      let last = Int.random(in: 500..<6000, using: &random)
      for record in TestRun.samples(500..<last, seed: 2) { recorder.record(record) }
      kill(getpid(), SIGKILL)
    }
    try expectWhole(path)
    #expect(SessionSummary(path: path).isKilled)

    // Reading has changed nothing; the next writer goes on from there.
    let read = TestRun.history(try SessionReader(path: path).records())
    let last = try #require(read.lastStep)
    let recorder = try Recorder(
      appendingTo: SessionStore(appendingTo: path), generationStartingAt: last + 1)
    for record in TestRun.samples(last + 1..<last + 50, seed: 3) { recorder.record(record) }
    try recorder.close()
    #expect(folder.files == ["run.seismo"])
    let told =
      TestRun.samples(0..<500) + Array(TestRun.samples(500..<6000, seed: 2).prefix(last - 499))
      + TestRun.samples(last + 1..<last + 50, seed: 3) + [.state(.running)]
    expectEqual(TestRun.history(try SessionReader(path: path).records()), TestRun.history(told))
  }

  /// The first 500 steps and some of those after them, without a gap, each with its values.
  private func expectWhole(_ path: String) throws {
    let records = try SessionReader(path: path).records()
    let history = TestRun.history(records)
    let last = try #require(history.lastStep)
    #expect(last >= 499)
    let told =
      TestRun.samples(0..<500)
      + Array(TestRun.samples(500..<6000, seed: 2).prefix(last - 499)) + [.state(.running)]
    expectEqual(history, TestRun.history(told))
  }

  /// What lies on the disk at any moment, as a machine that went down would leave it.
  @Test func `a copy of the file and its log taken at any moment opens whole`() throws {
    let recorder = Recorder(store: try SessionStore(creating: path))
    recorder.record(.state(.running))
    recorder.flush()
    var committed = 0
    for (index, start) in stride(from: 0, to: 3000, by: 60).enumerated() {
      let steps = TestRun.samples(0..<3000)[start..<start + 60]
      for record in steps { recorder.record(record) }
      if index % 3 != 0 {
        recorder.flush()
        committed = start + 60
      }
      let copy = folder.path("copy-\(index).seismo")
      try FileManager.default.copyItem(atPath: path, toPath: copy)
      try FileManager.default.copyItem(atPath: path + "-wal", toPath: copy + "-wal")
      let history = TestRun.history(try SessionReader(path: copy).records())
      #expect((history.lastStep ?? -1) + 1 >= committed)
      #expect(history.state == .running)
      #expect(!folder.files.contains("copy-\(index).seismo-shm"))
      try expectIntegrity(copy)
    }
    try recorder.close()
  }

  private func expectIntegrity(_ path: String) throws {
    let database = try DatabaseQueue(path: path)
    let verdict = try database.read { try String.fetchOne($0, sql: "PRAGMA integrity_check") }
    #expect(verdict == "ok")
    try database.close()
  }

  @Test func `a session without the log it should have is read as far as it goes`() throws {
    let recorder = Recorder(store: try SessionStore(creating: path))
    for record in TestRun.samples(0..<50) { recorder.record(record) }
    recorder.flush()
    let copy = folder.path("copy.seismo")
    try FileManager.default.copyItem(atPath: path, toPath: copy)
    try recorder.close()
    #expect(try SessionReader(path: copy).records().isEmpty)
    #expect(folder.files == ["copy.seismo", "run.seismo"])
  }
}
