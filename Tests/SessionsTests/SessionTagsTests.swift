import Foundation
import Telemetry
import Testing
import TestSupport

@testable import Sessions

@Suite(.timeLimit(.minutes(15))) struct SessionTagsTests {
  let folder: TestFolder

  init() throws {
    folder = try TestFolder()
  }

  private var session: SessionFiles { SessionFiles(path: folder.path("a.seismo")) }

  private func record() throws {
    try TestRun.record(
      [.description(TestRun.description)] + TestRun.samples(0..<30) + [.state(.finished)],
      at: session.path)
  }

  @Test func `tags are kept in the session, found by a filter, and change nothing else`() throws {
    try record()
    let before = TestRun.history(try SessionReader(path: session.path).records())
    #expect(try session.tags().isEmpty)
    try session.set(tags: ["paper", "keep"])
    #expect(try session.tags() == ["paper", "keep"])
    let summary = SessionSummary(path: session.path)
    let traits = RunTraits(summary, try SessionOutline(summary))
    #expect(traits.tags == ["paper", "keep"])
    #expect(try RunFilter("tag:paper -tag:draft").matches(traits))
    expectEqual(TestRun.history(try SessionReader(path: session.path).records()), before)
    try session.set(tags: [])
    #expect(try session.tags().isEmpty)
    #expect(folder.files == ["a.seismo"])
  }

  @Test func `a run that is gone on with keeps its tags`() throws {
    try record()
    try session.set(tags: ["paper"])
    let recorder = try Recorder(appendingTo: SessionStore(appendingTo: session.path))
    recorder.record(.description(TestRun.description))
    recorder.record(.state(.running))
    try recorder.close()
    #expect(try session.tags() == ["paper"])
  }

  @Test func `a session that is being written is tagged beside its writer, who writes on`() throws {
    let recorder = Recorder(store: try SessionStore(creating: session.path))
    for record in TestRun.samples(0..<5) { recorder.record(record) }
    recorder.flush()
    try session.set(tags: ["paper"])
    #expect(try session.tags() == ["paper"])
    for record in TestRun.samples(5..<9) { recorder.record(record) }
    recorder.record(.description(TestRun.description))
    recorder.record(.state(.finished))
    try recorder.close()
    #expect(try session.tags() == ["paper"])
    #expect(SessionSummary(path: session.path).steps == 9)
    #expect(folder.files == ["a.seismo"])
  }

  @Test func `tags stand apart by blanks or commas, each once`() {
    #expect(SessionFiles.tags(in: " paper, keep paper,,x\t") == ["paper", "keep", "x"])
    #expect(SessionFiles.tags(in: " , ").isEmpty)
  }
}
