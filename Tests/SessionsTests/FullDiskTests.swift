import GRDB
import Synchronization
import Signals
import Telemetry
import Testing
import TestSupport

@testable import Sessions

@Suite(.timeLimit(.minutes(15))) struct FullDiskTests {
  let folder: TestFolder
  let path: String

  init() throws {
    folder = try TestFolder()
    path = folder.path("run.seismo")
  }

  /// SQLite answers as on a full disk once the file would outgrow so many pages.
  private func limit(_ store: SessionStore, pages: Int?) throws {
    try store.database.writeWithoutTransaction { database in
      let present = try Int.fetchOne(database, sql: "PRAGMA page_count") ?? 0
      _ = try Int.fetchOne(database, sql: "PRAGMA max_page_count = \(pages ?? present + 1_000_000)")
    }
  }

  @Test func `a disk that fills loses nothing and is written to once there is room`() throws {
    let store = try SessionStore(creating: path, pageSize: 1024)
    let recorder = Recorder(store: store)
    let heard = Mutex<[RecorderStatus]>([])
    recorder.onStatusChange { status in heard.withLock { $0.append(status) } }
    recorder.record(.description(TestRun.description))
    recorder.flush()
    #expect(recorder.status == .ok)
    try limit(store, pages: 1)
    let samples = TestRun.samples(0..<3000)
    for start in stride(from: 0, to: 3000, by: 1000) {
      for record in samples[start..<start + 1000] { recorder.record(record) }
      recorder.flush()
    }
    #expect(
      recorder.status == .waiting(reason: .fullDisk, pendingRecords: 3000))
    #expect(
      recorder.status.text == "not recorded yet, the disk is full: 3000 records wait in memory")
    #expect(
      throws: SessionError.recordsUnwritten(
        path: path, records: 3000, reason: .fullDisk)
    ) { try recorder.close() }
    #expect(TestRun.history(try SessionReader(path: path).records()).lastStep == nil)

    try limit(store, pages: nil)
    recorder.flush()
    #expect(recorder.status == .ok)
    #expect(heard.withLock { $0.first } != .ok)
    #expect(heard.withLock { $0.last } == .ok)
    try recorder.close()
    expectEqual(
      TestRun.history(try SessionReader(path: path).records()), TestRun.history(samples))
    #expect(folder.files == ["run.seismo"])
  }

  @Test func `a locked file is waited for`() throws {
    let store = try SessionStore(creating: path)
    let recorder = Recorder(store: store)
    var configuration = Configuration()
    configuration.allowsUnsafeTransactions = true
    let other = try DatabaseQueue(path: path, configuration: configuration)
    try other.writeWithoutTransaction { try $0.execute(sql: "BEGIN IMMEDIATE") }
    for record in TestRun.samples(0..<10) { recorder.record(record) }
    recorder.flush()
    #expect(
      recorder.status
        == .waiting(reason: .locked, pendingRecords: 10))
    try other.writeWithoutTransaction { try $0.execute(sql: "COMMIT") }
    try other.close()
    try recorder.close()
    #expect(TestRun.history(try SessionReader(path: path).records()).lastStep == 9)
  }
}
