import Formats
import Foundation
import GRDB
import Signals
import Telemetry
import Testing
import TestSupport

@testable import Sessions

/// Whatever happens to a session's bytes, what is read is what was recorded, or an error of one
/// line.
@Suite(.timeLimit(.minutes(15))) struct DamageTests {
  let folder: TestFolder
  let whole: [UInt8]
  let told: RunHistory

  init() throws {
    folder = try TestFolder()
    let path = folder.path("whole.seismo")
    let records: [RunRecord] =
      [.description(TestRun.description), .settings(TestRun.settings)] + TestRun.samples(0..<40)
      + [.event(TestRun.event(3, .alarm)), .console(wallTime: 1, line: "hello")]
      + TestRun.samples(30..<45, seed: 2) + [.state(.finished)]
    try TestRun.record(records, at: path, pageSize: 512)
    whole = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
    told = TestRun.history(try SessionReader(path: path).records())
  }

  /// - Returns: whether anything was read.
  private func read(_ bytes: [UInt8], _ what: @autoclosure () -> String) throws -> Bool {
    let path = folder.path("damaged.seismo")
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    do {
      let found = TestRun.history(try SessionReader(path: path).records())
      expectPart(found, of: told, what())
      let isSaid = !found.damage.isEmpty
      #expect(isSaid || isAll(found), "\(what()): something is missing and nothing said")
      return true
    } catch {
      #expect(!"\(error)".contains("\n"), "\(what())")
      return false
    }
  }

  private func isAll(_ found: RunHistory) -> Bool {
    found.names == told.names && found.names.allSatisfy { found[$0]?.count == told[$0]?.count }
      && found.events.count == told.events.count && found.console.count == told.console.count
      && found.state == told.state && found.settings == told.settings
      && found.description?.name == told.description?.name
      && found.generationStarts == told.generationStarts
  }

  private func expectPart(_ found: RunHistory, of told: RunHistory, _ what: String) {
    for name in found.names {
      guard let original = told[name], let series = found[name] else {
        Issue.record("\(what): a metric \(name) that was never recorded")
        continue
      }
      let known = [original] + told.superseded[name, default: []]
      let invented = zip(series.steps, series.values).first { step, value in
        !known.contains { $0.value(at: step)?.bitPattern == value.bitPattern }
      }
      if let invented { Issue.record("\(what): \(name) at \(invented.0)") }
    }
    #expect(found.events.allSatisfy { $0.text == told.events.first?.text }, "\(what)")
    let lines = found.console.filter { !found.damage.map(\.line).contains($0) }
    #expect(lines.isEmpty || lines == told.console, "\(what)")
  }

  @Test func `a file cut at any byte is an error or its good part`() throws {
    var readable = 0
    // Every byte of the first pages, then places that meet all parts of a page in turn.
    for length in Array(0..<1_100) + stride(from: 1_100, to: whole.count, by: 37) {
      if try read(Array(whole.prefix(length)), "cut at \(length)") { readable += 1 }
    }
    #expect(readable < whole.count)
    #expect(try read(whole, "whole"))
  }

  @Test func `a list shows a damaged file with its flaw`() throws {
    var random = RandomBits(seed: 7)
    let path = folder.path("damaged.seismo")
    for start in stride(from: 0, to: whole.count, by: 64) {
      var bytes = whole
      bytes[start + Int.random(in: 0..<64, using: &random)] ^= 0x55
      try Data(bytes).write(to: URL(fileURLWithPath: path))
      let summary = SessionSummary(path: path)
      #expect(summary.name == "damaged")
      #expect(summary.flaw?.contains("\n") != true)
    }
  }

  @Test(arguments: 0..<2)
  func `a flipped bit anywhere is an error or leaves the good part`(seed: UInt64) throws {
    var random = RandomBits(seed: seed)
    var readable = 0
    for start in stride(from: 0, to: whole.count - 32, by: 32) {
      let index = start + Int.random(in: 0..<32, using: &random)
      var bytes = whole
      bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      if try read(bytes, "byte \(index) is \(bytes[index]), was \(whole[index])") { readable += 1 }
    }
    #expect(readable > whole.count / 64)
  }

  @Test func `a damaged chunk is left out and said`() throws {
    let path = folder.path("damaged.seismo")
    let samples = TestRun.samples(0..<1500)
    try TestRun.record(samples, at: path)
    let store = try SessionStore(appendingTo: path)
    try store.database.write { database in
      try database.execute(
        sql: """
          UPDATE payloads SET bytes = CAST(substr(bytes, 1, 99) || x'00' || substr(bytes, 101) AS BLOB)
          WHERE chunk = (SELECT id FROM chunks WHERE metric = 2 ORDER BY start LIMIT 1)
          """)
    }
    store.finish()
    let history = TestRun.history(try SessionReader(path: path).records())
    #expect(history["loss"]?.steps == Array(1024..<1500))
    #expect(history["lr"]?.count == 1500)
    #expect(history.damage == [.steps(first: 0, last: 1023, metric: "loss")])
    #expect(history.console == ["damaged session: steps 0 to 1023 of loss are lost"])
  }

  @Test func `what a trainer prints is never taken for damage`() throws {
    let path = folder.path("printed.seismo")
    let line = "damaged session: steps 0 to 9 of loss are lost"
    try TestRun.record([.console(wallTime: 1, line: line)], at: path)
    let records = try SessionReader(path: path).records()
    let history = TestRun.history(records)
    #expect(history.console == [line] && history.damage.isEmpty)
    #expect(RecordedRun(records: records).damage.isEmpty)
    #expect(!RunReport(history, name: "printed", metrics: []).html.contains("<h2>Damage</h2>"))
  }

  @Test func `another program's file is refused by name`() throws {
    let path = folder.path("damaged.seismo")
    func expectError(_ error: SessionError) {
      #expect(throws: error) { try SessionReader(path: path) }
    }
    expectError(.absent(path: path))
    try Data().write(to: URL(fileURLWithPath: path))
    expectError(.notASession(path: path, found: "an empty file"))
    try Data("{\"a\":1}".utf8).write(to: URL(fileURLWithPath: path))
    expectError(.notASession(path: path, found: "another kind of file"))
    try Data(whole.prefix(50)).write(to: URL(fileURLWithPath: path))
    expectError(.damaged(path: path, what: "it ends after 50 bytes"))
    #expect(throws: SessionError.notASession(path: folder.url.path, found: "a folder")) {
      try SessionReader(path: folder.url.path)
    }
  }

  @Test func `a newer file and another program's database are refused by name`() throws {
    let path = folder.path("damaged.seismo")
    func write(applicationID: UInt32, version: UInt32) throws {
      var bytes = whole
      withUnsafeBytes(of: version.bigEndian) { bytes.replaceSubrange(60..<64, with: $0) }
      withUnsafeBytes(of: applicationID.bigEndian) { bytes.replaceSubrange(68..<72, with: $0) }
      try Data(bytes).write(to: URL(fileURLWithPath: path))
    }
    let identity = UInt32(Migrations.applicationID)
    let known = Migrations.currentVersion
    try write(applicationID: identity, version: UInt32(known + 1))
    #expect(throws: SessionError.newer(path: path, found: known + 1, known: known)) {
      try SessionReader(path: path)
    }
    #expect(throws: SessionError.newer(path: path, found: known + 1, known: known)) {
      try SessionStore(appendingTo: path)
    }
    try write(applicationID: identity, version: 0)
    #expect(throws: SessionError.damaged(path: path, what: "format version 0")) {
      try SessionReader(path: path)
    }
    try write(applicationID: 0, version: 1)
    #expect(throws: SessionError.notASession(path: path, found: "some SQLite database")) {
      try SessionReader(path: path)
    }
    try write(applicationID: 7, version: 1)
    #expect(throws: SessionError.notASession(path: path, found: "another program's database")) {
      try SessionReader(path: path)
    }
  }
}
