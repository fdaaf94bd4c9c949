import Formats
import Foundation
import Signals
import Telemetry
import Testing
import TestSupport

@testable import Runs

/// A file that another program writes, followed as it grows.
@Suite(.timeLimit(.minutes(15))) struct FollowedLogTests {
  private let place: TestFolder
  private var folder: URL { place.url }

  init() throws { place = try TestFolder() }

  private func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

  private func put(_ text: String, _ name: String) throws {
    try Data(text.utf8).write(to: folder.appendingPathComponent(name))
  }

  private func append(_ text: String, _ name: String) throws {
    let file = try FileHandle(forWritingTo: folder.appendingPathComponent(name))
    try file.seekToEnd()
    try file.write(contentsOf: Data(text.utf8))
    try file.close()
  }

  private func follow(_ name: String, waits: Bool = false) throws -> (FollowedLog, RunHistory) {
    let log = FollowedLog(try FollowedLog.runs(at: path(name), waits: waits)[0])
    return (log, try log.history())
  }

  /// Takes what has come.
  private func update(_ history: inout RunHistory, _ log: FollowedLog) {
    for update in log.updates(budget: 1 << 18) {
      switch update {
      case .records(let records): for record in records { history.append(record) }
      case .reopened(let whole): history = whole
      case .opened(let records): history = RunHistory(records)
      }
    }
  }

  private func samples(_ history: RunHistory, _ name: MetricName) -> [String] {
    zip(history[name]?.steps ?? [], history[name]?.values ?? []).map { "\($0):\($1)" }
  }

  @Test func `of a long record a part is told first, then all, and it goes on from there`() throws {
    let words = String(repeating: "x", count: 1 << 15)
    try put("step,loss,words\n" + (0..<160).map { "\($0),\($0),\(words)\n" }.joined(), "a.csv")
    let run = try FollowedLog.runs(at: path("a.csv"), waits: false)[0]
    let log = FollowedLog(run, patience: 0)
    var history = try log.history()
    #expect(history.state == .running)
    let deadline = ContinuousClock.now + .seconds(120)
    while case .reading(let share) = log.state, ContinuousClock.now < deadline {
      #expect((0...1).contains(share))
      update(&history, log)
      usleep(1000)
    }
    #expect(history["loss"]?.count == 160 && history["loss"]?.lastValue == 159)
    try append("160,160,x\n", "a.csv")
    update(&history, log)
    #expect(history["loss"]?.count == 161)
  }

  @Test func `a table grows, half a row at a time`() throws {
    try put("step,loss\n0,4\n", "a.csv")
    var (log, history) = try follow("a.csv")
    #expect(samples(history, "loss") == ["0:4.0"])
    #expect(history.state == .running)
    try append("1,3\n2,", "a.csv")
    update(&history, log)
    #expect(samples(history, "loss") == ["0:4.0", "1:3.0"])
    try append("2.5\n", "a.csv")
    update(&history, log)
    update(&history, log)
    #expect(samples(history, "loss") == ["0:4.0", "1:3.0", "2:2.5"])
    #expect(history.superseded.isEmpty)
    #expect(log.state == .live)
  }

  @Test func `a table that is written anew with another header tells nothing twice`() throws {
    try put("step,loss\n0,4\n1,3\n", "metrics.csv")
    var (log, history) = try follow("metrics.csv")
    try put("step,acc,loss\n0,,4\n1,,3\n2,0.5,2\n", "metrics.csv")
    update(&history, log)
    #expect(samples(history, "loss") == ["0:4.0", "1:3.0", "2:2.0"])
    #expect(samples(history, "acc") == ["2:0.5"])
    #expect(history.superseded.isEmpty)
    try append("3,0.75,1\n", "metrics.csv")
    update(&history, log)
    #expect(samples(history, "loss").last == "3:1.0")
  }

  @Test func `another run in the file is another generation, and the older one is kept`() throws {
    try put("{\"step\":0,\"loss\":4}\n{\"step\":1,\"loss\":3}\n", "log.jsonl")
    var (log, history) = try follow("log.jsonl")
    try put("{\"step\":0,\"loss\":5}\n", "log.jsonl")
    update(&history, log)
    #expect(samples(history, "loss") == ["0:5.0"])
    #expect(history.superseded["loss"]?.map(\.steps) == [[0, 1]])
    #expect(history.lastStep == 0)
  }

  @Test func `a file may come later, and be of any kind`() throws {
    #expect(throws: FormatError.absent(path: path("train.log"))) { try follow("train.log") }
    var (log, history) = try follow("train.log", waits: true)
    #expect(history.names.isEmpty)
    #expect(
      log.state == .unreachable(reason: FormatError.absent(path: path("train.log")).description))
    try put("iter 0: loss 4.25, time 10.5ms\niter 10: loss 3", "train.log")
    update(&history, log)
    #expect(samples(history, "loss") == ["0:4.25"])
    try append(".5, time 10.25ms\nall is well\n", "train.log")
    update(&history, log)
    #expect(samples(history, "loss") == ["0:4.25", "10:3.5"])
    #expect(samples(history, "step_ms") == ["0:10.5", "10:10.25"])
    #expect(history.console == ["all is well"])
    try FileManager.default.removeItem(atPath: path("train.log"))
    update(&history, log)
    #expect(log.state != .live)
    #expect(samples(history, "loss").count == 2)
  }

  @Test func `a trainer's state is read again when it is replaced`() throws {
    func state(_ steps: Int) -> String {
      let rows = (1...steps).map { "{\"step\": \($0), \"loss\": \(8 - $0)}" }
      return "{\"log_history\": [\(rows.joined(separator: ", "))], \"max_steps\": 9}"
    }
    try put(state(2), "trainer_state.json")
    var (log, history) = try follow("trainer_state.json")
    #expect(samples(history, "loss") == ["1:7.0", "2:6.0"])
    try put(state(3), "trainer_state.json")
    update(&history, log)
    #expect(samples(history, "loss") == ["1:7.0", "2:6.0", "3:5.0"])
    #expect(history.superseded.isEmpty)
    #expect(history.description?.totalSteps == 9)
  }

  @Test func `event files that come later go on with the run`() throws {
    func event(_ step: Int, _ value: Double) -> [UInt8] {
      var bytes: [UInt8] = []
      let samples = StepSamples(step: step, wallTime: 1.7e9, names: ["loss"], values: [value])
      TensorBoardExport(RecordedRun(records: [.samples(samples)])).eachRecord { bytes += $0 }
      return bytes
    }
    try Data(event(1, 4)).write(to: folder.appendingPathComponent("events.out.tfevents.1.a"))
    let log = FollowedLog(try FollowedLog.runs(at: folder.path, waits: false)[0])
    var history = try log.history()
    #expect(samples(history, "loss") == ["1:4.0"])
    let more = event(2, 3)
    let second = folder.appendingPathComponent("events.out.tfevents.2.a")
    try Data(more.dropLast(3)).write(to: second)
    update(&history, log)
    #expect(samples(history, "loss") == ["1:4.0"])
    let file = try FileHandle(forWritingTo: second)
    try file.seekToEnd()
    try file.write(contentsOf: Data(more.suffix(3)))
    try file.close()
    update(&history, log)
    #expect(samples(history, "loss") == ["1:4.0", "2:3.0"])
  }
}

/// Whether a writer is there, of records that do not tell it.
@Suite(.timeLimit(.minutes(15))) struct FileHolderTests {
  @Test func `a file that a program has open to write is held until it ends`() throws {
    let place = try TestFolder()
    let path = place.path("run.log")
    _ = FileManager.default.createFile(atPath: path, contents: Data())
    let writer = Process()
    writer.executableURL = URL(fileURLWithPath: "/bin/sh")
    writer.arguments = ["-c", "exec >>\"$0\"; read line", path]
    let pipe = Pipe()
    writer.standardInput = pipe
    try writer.run()
    defer { writer.terminate() }
    var holder = FileHolder()
    let deadline = ContinuousClock.now + .seconds(120)
    var now = 0.0
    while holder.isHeld != true, ContinuousClock.now < deadline {
      now += 10
      holder.look(at: [path], now: now)
      usleep(20_000)
    }
    #expect(holder.isHeld == true && holder.wasHeld)
    try pipe.fileHandleForWriting.close()
    writer.waitForEnd()
    holder.look(at: [path], now: now + 10)
    #expect(holder.isHeld == false && holder.wasHeld)
    holder.look(at: [place.path("gone")], now: now + 20)
    #expect(holder.isHeld == nil)
  }
}
