import Foundation
import GRDB
import Signals
import Synchronization
import Telemetry
import Testing
import TestSupport

@testable import Sessions

/// A long session is read from where it lies, and shows what reading it whole shows.
@Suite(.timeLimit(.minutes(15))) struct SessionHistoryTests {
  let folder: TestFolder
  let path: String

  init() throws {
    folder = try TestFolder()
    path = folder.path("run.seismo")
  }

  private func whole() throws -> RunHistory {
    TestRun.history(try SessionReader(path: path).records())
  }

  private func expectArchived(_ history: RunHistory, _ isArchived: Bool = true) {
    #expect(history.names.allSatisfy { history[$0]?.isArchived == isArchived })
    #expect(history.wallTimes.isArchived == isArchived)
  }

  @Test(arguments: [15_360, 16_384, 16_385, 40_000])
  func `a long session comes back to the last bit`(steps: Int) throws {
    var random = RandomBits(seed: 3)
    let records = TestRun.samples(0..<steps).map { record -> RunRecord in
      guard case .samples(var samples) = record else { return record }
      if Int.random(in: 0..<20, using: &random) == 0 {
        samples.values[1] = Double(bitPattern: random.next())
      }
      return .samples(samples)
    }
    try TestRun.record(
      [.description(TestRun.description), .settings(TestRun.settings)] + records
        + [.event(TestRun.event(3)), .state(.finished)], at: path)
    let history = try SessionReader(path: path).history()
    expectArchived(history, steps >= 16_384)
    expectEqual(history, try whole())
    expectEqual(
      history,
      TestRun.history(
        [.settings(TestRun.settings)] + records
          + [.event(TestRun.event(3)), .state(.finished)]))
  }

  @Test func `what was superseded is archived too`() throws {
    let records =
      TestRun.samples(0..<30_000) + TestRun.samples(20_000..<40_000, seed: 2)
      + TestRun.samples(100..<17_000, seed: 3) + [.state(.stopped)]
    try TestRun.record(records, at: path)
    let history = try SessionReader(path: path).history()
    expectArchived(history)
    expectEqual(history, try whole())
    #expect(history["loss"]?.lastStep == 16_999)
    #expect(history.superseded["loss"]?.map(\.count) == [10_000, 39_900])
  }

  @Test func `a killed writer's session is read and written on`() throws {
    let recorder = Recorder(store: try SessionStore(creating: path))
    for record in TestRun.samples(0..<20_000) { recorder.record(record) }
    recorder.flush()
    let copy = folder.path("copy.seismo")
    for ending in ["", "-wal"] {
      try FileManager.default.copyItem(atPath: path + ending, toPath: copy + ending)
    }
    try recorder.close()
    let killed = try SessionReader(path: copy).history()
    expectArchived(killed)
    expectEqual(killed, try whole())

    let next = try Recorder(
      appendingTo: SessionStore(appendingTo: copy), generationStartingAt: 20_000)
    for record in TestRun.samples(20_000..<36_000, seed: 2) { next.record(record) }
    try next.close()
    let reader = try SessionReader(path: copy)
    let history = try reader.history()
    expectEqual(history, TestRun.history(try reader.records()))
    let rows = try reader.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM summaries") }
    #expect(rows == 2 * 5)
  }

  @Test func `of a session that is being written the older samples stay in the file too`() throws {
    let recorder = Recorder(store: try SessionStore(creating: path))
    for record in TestRun.samples(0..<17_000) { recorder.record(record) }
    recorder.flush()
    let history = try SessionReader(path: path).history()
    expectArchived(history)
    expectEqual(history, try whole())
    // What has been fetched a moment ago does not keep the writer from leaving one file.
    try recorder.close()
    #expect(folder.files == ["run.seismo"])
    expectEqual(history, try whole())
  }

  private func change(_ sql: String) throws {
    let store = try SessionStore(appendingTo: path)
    try store.database.write { try $0.execute(sql: sql) }
    store.finish()
  }

  @Test func `a damaged row of summaries is made anew from its chunks`() throws {
    try TestRun.record(TestRun.samples(0..<33_000), at: path)
    let told = try whole()
    try change("UPDATE summaries SET bytes = CAST(x'00' || substr(bytes, 2) AS BLOB)")
    let history = try SessionReader(path: path).history()
    expectArchived(history)
    expectEqual(history, told)
    let range = 100..<30_000
    #expect(history["lr"]?.summary(of: range).maximum == told["lr"]?.summary(of: range).maximum)
  }

  @Test func `a damaged chunk of a long session has no numbers and is said`() throws {
    try TestRun.record(TestRun.samples(0..<17_000), at: path)
    let told = try whole()
    try change(
      """
      UPDATE payloads SET bytes = CAST(substr(bytes, 1, 99) || x'00' || substr(bytes, 101) AS BLOB)
      WHERE chunk = (SELECT id FROM chunks WHERE metric = 2 AND first_step = 2048)
      """)
    let said = Mutex<[RecordingDamage]>([])
    let history = try SessionReader(path: path).history { damage in
      said.withLock { $0.append(damage) }
    }
    let loss = try #require(history["loss"])
    #expect(loss.steps == told["loss"]?.steps)
    #expect(loss.values[2048..<3072].allSatisfy { $0.isNaN })
    #expect(loss.values[3072] == told["loss"]?.values[3072])
    #expect(said.withLock { $0 }.first == .steps(first: 2048, last: 3071, metric: "loss"))
  }

  @Test func `a damaged chunk under a damaged row of summaries is lost alone and is said`() throws {
    try TestRun.record(TestRun.samples(0..<33_000), at: path)
    let told = try whole()
    try change("UPDATE summaries SET bytes = CAST(x'00' || substr(bytes, 2) AS BLOB)")
    try change(
      """
      UPDATE payloads SET bytes = CAST(substr(bytes, 1, 99) || x'00' || substr(bytes, 101) AS BLOB)
      WHERE chunk = (SELECT id FROM chunks WHERE metric = 2 AND first_step = 2048)
      """)
    let said = Mutex<[RecordingDamage]>([])
    let history = try SessionReader(path: path).history { damage in
      said.withLock { $0.append(damage) }
    }
    let loss = try #require(history["loss"])
    #expect(loss.values[2048..<3072].allSatisfy { $0.isNaN })
    #expect(loss.values[2047] == told["loss"]?.values[2047])
    #expect(loss.values[3072] == told["loss"]?.values[3072])
    #expect(loss.values[32_999] == told["loss"]?.values[32_999])
    #expect(said.withLock { $0 } == [.steps(first: 2048, last: 3071, metric: "loss")])
  }

  /// Values are what was recorded or no numbers.
  private func expectPart(_ bytes: [UInt8], of told: RunHistory, _ what: String) throws {
    let damaged = folder.path("damaged.seismo")
    try Data(bytes).write(to: URL(fileURLWithPath: damaged))
    do {
      let history = try SessionReader(path: damaged).history()
      for name in history.names {
        guard let series = history[name], let original = told[name] else {
          Issue.record("\(what): a metric \(name) that was never recorded")
          continue
        }
        _ = series.columns(edges: Array(stride(from: 0, to: 18_000, by: 600)))
        let (steps, values) = series.samples(in: 0..<series.count)
        let invented = zip(steps, values).first { step, value in
          !value.isNaN && original.value(at: step)?.bitPattern != value.bitPattern
        }
        if let invented { Issue.record("\(what): \(name) at \(invented.0)") }
      }
    } catch {
      #expect(!"\(error)".contains("\n"), "\(what)")
    }
  }

  @Test func `a long session cut anywhere or with a flipped bit invents nothing`() throws {
    let samples = TestRun.samples(0..<17_000).map { record -> RunRecord in
      guard case .samples(var samples) = record else { return record }
      samples.names = [TestRun.names[1]]
      samples.values = [samples.values[1]]
      return .samples(samples)
    }
    try TestRun.record(samples + [.state(.finished)], at: path)
    let whole = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
    let told = TestRun.history(samples)
    var random = RandomBits(seed: 11)
    for _ in 0..<60 {
      let length = Int.random(in: 0..<whole.count, using: &random)
      try expectPart(Array(whole.prefix(length)), of: told, "cut at \(length)")
    }
    for _ in 0..<60 {
      var bytes = whole
      let index = Int.random(in: 0..<whole.count, using: &random)
      bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      try expectPart(bytes, of: told, "byte \(index)")
    }
  }

  @Test(arguments: 0..<20) func `summaries come back exactly`(seed: UInt64) throws {
    var random = RandomBits(seed: seed)
    var start = 0
    let chunks = (0..<Int.random(in: 1...16, using: &random)).map { _ in
      let count = Int.random(in: 1...ColumnChunk.capacity, using: &random)
      let values = (0..<count).map { _ in
        seed % 2 == 0
          ? Double(bitPattern: random.next()) : Double(Float.random(in: -9...9, using: &random))
      }
      defer { start += count }
      return ChunkSummary(
        of: ColumnChunk(steps: start..<start + count, values: values), start: start)
    }
    let row = try #require(SummaryRow(metric: 1, generation: 0, chunks: chunks))
    let index = try #require(SummaryRow.decoded(row.bytes))
    #expect(index.chunks == chunks.map(\.chunk))
    #expect(index.blocks == chunks.flatMap(\.blocks))
    for length in stride(from: 0, to: row.bytes.count, by: 7) {
      _ = SummaryRow.decoded(Array(row.bytes.prefix(length)))
    }
  }
}
