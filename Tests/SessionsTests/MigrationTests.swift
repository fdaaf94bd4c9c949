import Foundation
import GRDB
import Signals
import Telemetry
import Testing
import TestSupport

@testable import Sessions

/// Files of older formats, kept as their own Seismo wrote them, are read and written on.
@Suite(.timeLimit(.minutes(15))) struct MigrationTests {
  let folder: TestFolder
  let path: String

  init() throws {
    folder = try TestFolder()
    path = folder.path("old.seismo")
    let recorded = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Recorded/format-1.seismo")
    try FileManager.default.copyItem(atPath: recorded.path, toPath: path)
  }

  private func version() throws -> Int? {
    let reader = try SessionReader(path: path)
    return try reader.read { try Int.fetchOne($0, sql: "PRAGMA user_version") }
  }

  @Test func `a file of format 1 is read as it is`() throws {
    let history = TestRun.history(try SessionReader(path: path).records())
    #expect(try version() == 1)
    #expect(history.lastStep == 59)
    #expect(history.names.count == 62)
    #expect(history[MetricCatalog.loss]?.count == 60)
    #expect(history.state == .finished)
    expectEqual(try SessionReader(path: path).history(), history)
    #expect(SessionSummary(path: path).steps == 60)
  }

  @Test func `writing on leads a file of format 1 to the present one and keeps all`() throws {
    let before = try SessionReader(path: path).records()
    let store = try SessionStore(appendingTo: path)
    let recorder = try Recorder(appendingTo: store, generationStartingAt: 60)
    let more = TestRun.samples(60..<17_000)
    for record in more { recorder.record(record) }
    try recorder.close()
    #expect(try version() == Migrations.currentVersion)
    let told = TestRun.history(before + more)
    expectEqual(TestRun.history(try SessionReader(path: path).records()), told)
    let history = try SessionReader(path: path).history()
    expectEqual(history, told)
    #expect(history[MetricCatalog.loss]?.isArchived == true)
    #expect(folder.files == ["old.seismo"])
  }

  @Test func `what a file of format 1 holds in many chunks is summed up when it is written on`()
    throws
  {
    let long = folder.path("long.seismo")
    let samples = TestRun.samples(0..<33_500)
    try TestRun.record(samples, at: long)
    let store = try SessionStore(appendingTo: long)
    try store.database.writeWithoutTransaction { database in
      try database.execute(sql: "DROP TABLE summaries")
      try database.execute(sql: "DROP TABLE endings")
      try database.execute(sql: "DROP TABLE restarts")
      try database.execute(sql: "PRAGMA user_version = 1")
    }
    store.finish()
    // The next writer finds format 1 and no summaries.
    let recorder = try Recorder(appendingTo: SessionStore(appendingTo: long))
    recorder.record(.console(wallTime: 1, line: "on"))
    try recorder.close()
    let history = try SessionReader(path: long).history()
    #expect(history["loss"]?.isArchived == true)
    expectEqual(history, TestRun.history(samples + [.console(wallTime: 1, line: "on")]))
  }
}
