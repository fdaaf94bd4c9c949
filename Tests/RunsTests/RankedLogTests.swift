import Formats
import Foundation
import Signals
import Telemetry
import TestSupport
import Testing

@testable import Runs

/// The records of many ranks, followed as one run.
@Suite(.timeLimit(.minutes(15)))
struct RankedLogTests {
  private let place: TestFolder

  init() throws { place = try TestFolder() }

  private func put(_ text: String, _ name: String) throws {
    let url = place.url.appendingPathComponent(name)
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: url)
  }

  private func append(_ text: String, _ name: String) throws {
    let file = try FileHandle(forWritingTo: place.url.appendingPathComponent(name))
    try file.seekToEnd()
    try file.write(contentsOf: Data(text.utf8))
    try file.close()
  }

  private func line(_ step: Int, _ loss: Double, at time: Double) -> String {
    "{\"step\":\(step),\"time\":\(time),\"loss\":\(loss)}\n"
  }

  private func samples(_ history: RunHistory, _ name: MetricName) -> [String] {
    zip(history[name]?.steps ?? [], history[name]?.values ?? []).map { "\($0):\($1)" }
  }

  @Test func `files that differ in the rank's number alone are of one run`() throws {
    for name in ["a/log_rank2.jsonl", "a/log_rank0.jsonl", "a/log_rank10.jsonl", "a/other.jsonl"] {
      try put(line(0, 1, at: 1.7e9), name)
    }
    for rank in 0..<2 { try put(line(0, 1, at: 1.7e9), "b/rank-\(rank)/metrics.jsonl") }
    try put(line(0, 1, at: 1.7e9), "c/crank7.jsonl")
    let groups = LoggedRun.byRanks(try LoggedRun.all(at: place.url.path))
    let found = groups.map { group in group.map { $0.rank?.number ?? -1 } }
    #expect(found.map(\.count).sorted() == [1, 1, 2, 3])
    #expect(found.contains([0, 2, 10]) && found.contains([0, 1]))
  }

  @Test func `ranks are one run, with each one's loss and how far they are apart`() throws {
    try put(line(0, 4, at: 1.7e9) + line(1, 3, at: 1.7e9 + 1), "x.rank0.jsonl")
    try put(line(0, 4.5, at: 1.7e9 + 0.25) + line(1, 3.5, at: 1.7e9 + 3), "x.rank1.jsonl")
    let runs = LoggedRun.byRanks(try LoggedRun.all(at: place.url.path))
    try #require(runs.count == 1)
    let log = RankedLog(runs[0])
    var history = try log.history()
    #expect(samples(history, "loss") == ["0:4.0", "1:3.0"])
    #expect(samples(history, "rank/loss/0") == ["0:4.0", "1:3.0"])
    #expect(samples(history, "rank/loss/1") == ["0:4.5", "1:3.5"])
    #expect(samples(history, "rank/loss_spread") == ["0:0.5", "1:0.5"])
    #expect(samples(history, "rank/lag_seconds/0") == ["0:0.0", "1:0.0"])
    #expect(samples(history, "rank/lag_seconds/1") == ["0:0.25", "1:2.0"])
    #expect(history.state == .running)

    try append(line(2, 2, at: 1.7e9 + 4), "x.rank0.jsonl")
    take(log, &history)
    #expect(samples(history, "rank/loss/0").last == "2:2.0")
    #expect(samples(history, "rank/loss_spread").count == 2)
    try append(line(2, 2.75, at: 1.7e9 + 4.5), "x.rank1.jsonl")
    take(log, &history)
    #expect(samples(history, "loss").last == "2:2.0")
    #expect(samples(history, "rank/loss_spread").last == "2:0.75")
    #expect(samples(history, "rank/lag_seconds/1").last == "2:0.5")
  }

  private func take(_ log: RankedLog, _ history: inout RunHistory) {
    for case .records(let records) in log.updates(budget: 1 << 16) {
      for record in records { history.append(record) }
    }
  }
}
