import Foundation
import Signals
import Telemetry
import Testing
import TestSupport

@testable import Sessions

@Suite(.timeLimit(.minutes(15))) struct WriterLockTests {
  let folder: TestFolder
  let path: String

  init() throws {
    folder = try TestFolder()
    path = folder.path("run.seismo")
  }

  @Test func `a second writer is refused by name while the first is at work`() throws {
    let recorder = Recorder(store: try SessionStore(creating: path))
    recorder.record(.state(.running))
    recorder.flush()
    #expect(WriterLock.isHeld(session: path))
    #expect(throws: SessionError.alreadyWritten(path: path)) {
      try SessionStore(appendingTo: path)
    }
    #expect(throws: SessionError.exists(path: path)) { try SessionStore(creating: path) }
    try recorder.close()
    #expect(!WriterLock.isHeld(session: path))
    let next = try Recorder(appendingTo: SessionStore(appendingTo: path))
    try next.close()
    #expect(folder.files == ["run.seismo"])
  }

  @Test func `two writers that begin at once are one writer`() async throws {
    let path = path
    let successes = await withTaskGroup(of: SessionStore?.self) { group in
      for _ in 0..<8 { group.addTask { try? SessionStore(creating: path) } }
      return await group.reduce(into: [SessionStore]()) { stores, store in
        if let store { stores.append(store) }
      }
    }
    #expect(successes.count == 1)
  }

  @Test func `a lock that a killed writer left locks nobody out`() throws {
    try TestRun.record(TestRun.samples(0..<10), at: path)
    try "".write(toFile: WriterLock.path(besides: path), atomically: true, encoding: .utf8)
    #expect(!WriterLock.isHeld(session: path))
    let recorder = try Recorder(appendingTo: SessionStore(appendingTo: path))
    try recorder.close()
    #expect(folder.files == ["run.seismo"])
  }

  @Test func `a refused file keeps no lock beside it`() throws {
    try "something else".write(toFile: path, atomically: true, encoding: .utf8)
    #expect(throws: SessionError.exists(path: path)) { try SessionStore(creating: path) }
    #expect(throws: SessionError.notASession(path: path, found: "another kind of file")) {
      try SessionStore(appendingTo: path)
    }
    #expect(throws: SessionError.absent(path: path + "x")) {
      try SessionStore(appendingTo: path + "x")
    }
    #expect(folder.files == ["run.seismo"])
  }

  @Test func `an empty file that is there already becomes the session`() throws {
    try "".write(toFile: path, atomically: true, encoding: .utf8)
    try TestRun.record(TestRun.samples(0..<3), at: path)
    #expect(TestRun.history(try SessionReader(path: path).records()).lastStep == 2)
  }

  @Test func `a folder that is not there is said`() {
    let path = folder.path("absent/run.seismo")
    #expect(
      throws: SessionError.unwritable(path: path, reason: .system(SystemFault(ENOENT)))
    ) { try SessionStore(creating: path) }
  }
}
