import Foundation
import Signals
import Telemetry
import Testing
import TestSupport

@testable import Formats
@testable import Sessions

@Suite(.timeLimit(.minutes(15))) struct SessionImportTests {
  let folder: TestFolder

  init() throws {
    folder = try TestFolder()
  }

  private func history(_ path: String) throws -> RunHistory {
    TestRun.history(try SessionReader(path: path).records())
  }

  @Test func `importing again adds what has come since and doubles nothing`() throws {
    let path = folder.path("a.seismo")
    let records = TestRun.samples(0..<30) + [.event(TestRun.event(3))]
    let later =
      records + TestRun.samples(30..<50, seed: 2) + [.generation(startingAt: 40)]
      + TestRun.samples(40..<60, seed: 3) + [.event(TestRun.event(41))]
    #expect(try SessionImport.add(RecordedRun(records: records), to: path) == 120)
    #expect(try SessionImport.add(RecordedRun(records: records), to: path) == 0)
    #expect(try SessionImport.add(RecordedRun(records: later), to: path) == 160)
    #expect(try SessionImport.add(RecordedRun(records: later), to: path) == 0)
    #expect(folder.files == ["a.seismo"])
    expectEqual(try history(path), TestRun.history(later))
  }

  @Test func `what is missing in the middle is put there`() throws {
    let path = folder.path("a.seismo")
    let all = TestRun.samples(0..<20)
    let part = RecordedRun(records: Array(all[0..<5] + all[12...]))
    #expect(try SessionImport.add(part, to: path) == 52)
    #expect(try SessionImport.add(RecordedRun(records: all), to: path) == 28)
    expectEqual(try history(path), TestRun.history(all))
  }

  @Test func `a session that is being written is left alone`() throws {
    let path = folder.path("a.seismo")
    try TestRun.record(TestRun.samples(0..<3), at: path)
    let before = try Data(contentsOf: URL(fileURLWithPath: path))
    let lock = try WriterLock(session: path)
    #expect(throws: SessionError.alreadyWritten(path: path)) {
      try SessionImport.add(RecordedRun(records: TestRun.samples(0..<9)), to: path)
    }
    lock.removeFile()
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == before)
  }
}
