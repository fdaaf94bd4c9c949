import Foundation
import GRDB
import Signals
import Telemetry
import Testing
import TestSupport

@testable import Formats
@testable import Sessions

@Suite(.timeLimit(.minutes(15))) struct ReadingTests {
  let folder: TestFolder
  let path: String

  init() throws {
    folder = try TestFolder()
    path = folder.path("run.seismo")
  }

  private var contents: [String: Data?] {
    Dictionary(
      uniqueKeysWithValues: folder.files.map {
        ($0, try? Data(contentsOf: URL(fileURLWithPath: folder.path($0))))
      })
  }

  @Test func `reading changes nothing and leaves nothing behind`() throws {
    try TestRun.record(TestRun.samples(0..<1200), at: path)
    let before = contents
    _ = try SessionReader(path: path).records()
    _ = SessionSummary(path: path)
    var follower = try Follower(path: path)
    _ = try follower.poll()
    #expect(contents == before)
  }

  /// The superuser may write everywhere: there the folder is not read-only.
  @Test(arguments: [true, false])
  func `a folder that may not be written is read all the same`(isEnded: Bool) throws {
    let samples = TestRun.samples(0..<1200)
    var recorder: Recorder? = Recorder(store: try SessionStore(creating: path))
    for record in samples { recorder?.record(record) }
    recorder?.flush()
    let files = FileManager.default
    let copy = folder.path("copy.seismo")
    if isEnded { try recorder?.close() }
    for ending in ["", "-wal"] where files.fileExists(atPath: path + ending) {
      try files.copyItem(atPath: path + ending, toPath: copy + ending)
      try files.setAttributes([.posixPermissions: 0o444], ofItemAtPath: copy + ending)
    }
    recorder = nil
    folder.setPermissions(0o555)
    let before = contents
    let history = TestRun.history(try SessionReader(path: copy).records())
    expectEqual(history, TestRun.history(samples))
    #expect(SessionSummary(path: copy).steps == 1200)
    #expect(contents == before)
    folder.setPermissions(0o755)
  }

  @Test func `a reader that stays does not keep the writer from ending`() throws {
    let recorder = Recorder(store: try SessionStore(creating: path))
    for record in TestRun.samples(0..<100) { recorder.record(record) }
    recorder.flush()
    let reader = try SessionReader(path: path)
    _ = try reader.records()
    try recorder.close()
    #expect(!WriterLock.isHeld(session: path))
    #expect(TestRun.history(try reader.records()).lastStep == 99)
    #expect(TestRun.history(try SessionReader(path: path).records()).lastStep == 99)
  }

  @Test func `the file says what it is`() throws {
    try TestRun.record(TestRun.samples(0..<10), at: path)
    let database = try DatabaseQueue(path: path)
    let (identity, version, mode) = try database.read { database in
      (
        try Int.fetchOne(database, sql: "PRAGMA application_id"),
        try Int.fetchOne(database, sql: "PRAGMA user_version"),
        try String.fetchOne(database, sql: "PRAGMA journal_mode")
      )
    }
    #expect(identity == 0x5345_4953)
    #expect(version == Migrations.currentVersion)
    #expect(mode == "delete")
  }

  @Test func `a folder on another machine's disk is known by its mount`() {
    let mounts = """
      /dev/sda1 / ext4 rw 0 0
      server:/home /home nfs4 rw 0 0
      /dev/sdb1 /home/me/scratch ext4 rw 0 0
      """
    #expect(!FileSystem.isRemote(folder: "/", mounts: mounts))
    #expect(!FileSystem.isRemote(folder: "/homework", mounts: mounts))
    #expect(FileSystem.isRemote(folder: "/home", mounts: mounts))
    #expect(FileSystem.isRemote(folder: "/home/me/runs", mounts: mounts))
    #expect(!FileSystem.isRemote(folder: "/home/me/scratch/runs", mounts: mounts))
  }
}
