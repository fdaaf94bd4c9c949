import Formats
import Foundation
import Glibc
import Sessions
import Signals
import Telemetry
import Testing
import TestSupport

@testable import Runs

/// Logs of other programs with what Seismo makes of them: alarms, and a session that grows with them.
@Suite(.timeLimit(.minutes(15))) struct MonitoredLogTests {
  private let place: TestFolder
  private var folder: URL { place.url }

  init() throws { place = try TestFolder() }

  private func lines(_ steps: Range<Int>, loss: (Int) -> String = { "\($0)" }) -> Data {
    Data(steps.map { "{\"step\":\($0),\"loss\":\(loss($0))}\n" }.joined().utf8)
  }

  private func take(_ source: any RecordSource, into history: inout RunHistory) {
    for case .records(let records) in source.updates(budget: 1 << 18) {
      for record in records { history.append(record) }
    }
  }

  @Test func `what is watched is written to a session as it grows`() throws {
    let log = folder.appendingPathComponent("gpt.jsonl")
    try lines(0..<5).write(to: log)
    let path = folder.appendingPathComponent("kept.seismo").path
    let session = try ForeignSession(
      at: path, source: log.path, thresholds: AlarmThresholds())
    let source = MonitoredLog(
      FollowedLog(try FollowedLog.runs(at: log.path, waits: false)[0]), session: session)
    var history = try source.history()
    #expect(history["loss"]?.steps == Array(0..<5))
    let file = try FileHandle(forWritingTo: log)
    try file.seekToEnd()
    try file.write(contentsOf: lines(5..<8) { $0 == 7 ? "NaN" : "\($0)" })
    try file.close()
    take(source, into: &history)
    #expect(history.lastStep == 7)
    let alarms = history.events.filter { $0.kind == .alarm || $0.kind == .diverged }
    #expect(!alarms.isEmpty)
    #expect(source.finish().failures.isEmpty)
    let kept = try SessionReader(path: path).history()
    #expect(kept["loss"]?.steps == Array(0..<8))
    #expect(kept.events == history.events)
    #expect(kept.description?.name == "kept")
    #expect(kept.state.isOver)
  }

  @Test func `a person's own command is given once an alarm of what is recorded`() throws {
    let log = folder.appendingPathComponent("gpt.jsonl")
    try lines(0..<5).write(to: log)
    let session = try ForeignSession(
      at: folder.appendingPathComponent("kept.seismo").path, source: log.path,
      thresholds: AlarmThresholds())
    let told = folder.appendingPathComponent("told")
    let source = MonitoredLog(
      FollowedLog(try FollowedLog.runs(at: log.path, waits: false)[0]), session: session,
      onAlarm: "echo \"$SEISMO_RULE\" >>'\(told.path)'")
    var history = try source.history()
    let file = try FileHandle(forWritingTo: log)
    try file.seekToEnd()
    try file.write(contentsOf: lines(5..<7) { $0 == 6 ? "NaN" : "\($0)" })
    try file.close()
    take(source, into: &history)
    _ = source.finish()
    let deadline = ContinuousClock.now + .seconds(120)
    var words = ""
    while words.isEmpty, ContinuousClock.now < deadline {
      words = (try? String(contentsOf: told, encoding: .utf8)) ?? ""
      usleep(10_000)
    }
    #expect(words == "not-finite\n")
  }

  @Test func `a pipe is read as it comes, and its end is the run's`() throws {
    var ends: [CInt] = [-1, -1]
    try #require(pipe(&ends) == 0)
    defer { close(ends[0]) }
    let log = StandardInputLog(descriptor: ends[0])
    var history = try log.history()
    take(log, into: &history)
    #expect(history.names.isEmpty)
    for half in ["step,loss\n0,4\n1,", "3\n"] {
      _ = write(ends[1], half, half.utf8.count)
      take(log, into: &history)
    }
    #expect(history["loss"]?.values == [4, 3])
    #expect(log.state == .live)
    close(ends[1])
    take(log, into: &history)
    #expect(log.state == .ended)
    #expect(history.state == .finished)
  }
}
