import Formats
import Foundation
import Glibc
import Sessions
import Signals
import Synchronization
import Telemetry
import Testing
import TestSupport

@testable import Runs

/// A file of another machine, over a real `sshd` on loopback that is cut while it is followed.
@Suite(
  .timeLimit(.minutes(15)), .serialized,
  .enabled(if: LoopbackSSH.isInstalled, "sshd and ssh are not installed"))
struct RemoteLogTests {
  private let place: TestFolder
  private var folder: URL { place.url }

  init() throws { place = try TestFolder() }

  /// What the far side has.
  enum FarSide: String {
    case seismo, python, shell

    /// Those that this machine can play.
    static let all: [FarSide] =
      pythonFolder == nil ? [.seismo, .shell] : [.seismo, .python, .shell]
    static let withHands = all.filter { $0 != .shell }

    private static let pythonFolder = ProcessInfo.processInfo.environment["PATH"]?
      .split(separator: ":").map(String.init)
      .first { FileManager.default.isExecutableFile(atPath: "\($0)/python3") }

    func environment(_ folder: URL) throws -> String {
      let tools = folder.appendingPathComponent("tools")
      try FileManager.default.createDirectory(at: tools, withIntermediateDirectories: true)
      let python = self == .python ? ":\(Self.pythonFolder ?? "")" : ""
      let places = "\(tools.path):/usr/local/bin:/usr/bin:/bin\(python)"
      // Sockets lie where the test's own do.
      let known = ["TMPDIR", "XDG_RUNTIME_DIR"].compactMap { name in
        ProcessInfo.processInfo.environment[name].map { "\(name)=\($0)" }
      }
      let base = (known + ["PATH=\(places)"]).joined(separator: " ")
      switch self {
      case .shell: return base
      case .python: return "\(base) PYTHONPATH=\(Self.client)"
      case .seismo:
        try FileManager.default.createSymbolicLink(
          atPath: tools.appendingPathComponent("seismo").path, withDestinationPath: Self.binary)
        return base
      }
    }

    private static let client = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../clients/python/src").standardizedFileURL.path

    /// SwiftPM puts the program beside the test bundle.
    private static var binary: String {
      let bundle = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
      return [bundle, bundle.deletingLastPathComponent()]
        .map { $0.appendingPathComponent("seismo").path }
        .first { FileManager.default.isExecutableFile(atPath: $0) } ?? ""
    }
  }

  private func lines(_ steps: Range<Int>) -> String {
    steps.map { "{\"step\":\($0),\"loss\":\($0)}\n" }.joined()
  }

  private func append(_ text: String, _ path: String) throws {
    let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    try file.seekToEnd()
    try file.write(contentsOf: Data(text.utf8))
    try file.close()
  }

  /// Takes what comes until `isEnough` holds; what is told beside is gathered.
  private func take(
    _ log: RemoteLog, into history: inout RunHistory, until isEnough: (RunHistory) -> Bool
  ) -> Bool {
    let deadline = ContinuousClock.now + .seconds(120)
    while !isEnough(history) {
      if ContinuousClock.now > deadline { return false }
      for case .records(let records) in log.updates(budget: 1 << 18) {
        for record in records { history.append(record) }
      }
      usleep(5000)
    }
    return true
  }

  @Test(arguments: FarSide.all)
  func `a connection that is cut loses and doubles nothing`(side: FarSide) throws {
    let ssh = try LoopbackSSH(folder, environment: side.environment(folder))
    defer { ssh.end() }
    let path = folder.appendingPathComponent("it's a log.jsonl").path
    try Data(lines(0..<50).utf8).write(to: URL(fileURLWithPath: path))
    let place = try #require(RemotePlace("loop:\(path)"))
    let log = RemoteLog(place, program: ssh.client)
    var history = try log.history()
    #expect(take(log, into: &history) { $0.lastStep == 49 })
    #expect(log.refusal != nil)
    try append("\(lines(50..<60)){\"step\":60,", path)
    #expect(take(log, into: &history) { $0.lastStep == 59 })
    for round in 0..<2 {
      ssh.cut()
      #expect(
        take(log, into: &history) { _ in if case .unreachable = log.state { true } else { false } })
      let last = 60 + round * 100
      let rest = round == 0 ? "\"loss\":60}\n" : ""
      try append(rest + lines(last + 1 - round..<last + 100), path)
      #expect(
        take(log, into: &history) { $0.lastStep == last + 99 }, "\(side) \(history.lastStep ?? 0)")
    }
    #expect(history["loss"]?.steps == Array(0..<260))
    #expect(history["loss"]?.values == (0..<260).map(Double.init))
    #expect(history.superseded.isEmpty && history.console.isEmpty)
    _ = log.finish()
  }

  @Test(arguments: FarSide.all)
  func `a slow connection that breaks anywhere loses and doubles nothing`(side: FarSide) throws {
    var random = SystemRandomNumberGenerator()
    let limits = (0..<2).map { _ in Int.random(in: 8_000...30_000, using: &random) }
    let proxy = try SlowProxy(limits: limits)
    let ssh = try LoopbackSSH(folder, environment: side.environment(folder), slowedBy: proxy)
    defer { ssh.end() }
    let path = folder.appendingPathComponent("slow.jsonl").path
    try Data(lines(0..<2500).utf8).write(to: URL(fileURLWithPath: path))
    let log = RemoteLog(try #require(RemotePlace("loop:\(path)")), program: ssh.client)
    var history: RunHistory?
    let deadline = ContinuousClock.now + .seconds(120)
    // A connection that breaks before anything has come is the caller's to try again.
    while history == nil, ContinuousClock.now < deadline { history = try? log.history() }
    var whole = try #require(history)
    #expect(take(log, into: &whole) { $0.lastStep == 2499 }, "\(side) \(limits)")
    #expect(whole["loss"]?.steps == Array(0..<2500), "\(side) \(limits)")
    #expect(whole["loss"]?.values == (0..<2500).map(Double.init), "\(side) \(limits)")
    #expect(whole.superseded.isEmpty && whole.console.isEmpty, "\(side) \(limits)")
    #expect(proxy.cuts.withLock { $0 } > 0, "\(side) \(limits)")
    _ = log.finish()
  }

  private func event(_ steps: Range<Int>) -> Data {
    let columns = MetricColumn(name: "loss", steps: Array(steps), values: steps.map(Double.init))
    var bytes: [UInt8] = []
    TensorBoardExport(RecordedRun(records: [.column(columns)])).eachRecord { bytes += $0 }
    return Data(bytes)
  }

  @Test func `event files come as lines, and whole again after a cut`() throws {
    let ssh = try LoopbackSSH(folder, environment: FarSide.seismo.environment(folder))
    defer { ssh.end() }
    let run = folder.appendingPathComponent("runs/a")
    try FileManager.default.createDirectory(at: run, withIntermediateDirectories: true)
    let first = run.appendingPathComponent("events.out.tfevents.1.a")
    try event(0..<20).write(to: first)
    let place = try #require(RemotePlace("loop:\(folder.path)/runs"))
    let log = RemoteLog(place, program: ssh.client)
    var history = try log.history()
    #expect(take(log, into: &history) { $0.lastStep == 19 })
    #expect(log.refusal == "a record of that kind has no hands")
    for round in 1..<3 {
      ssh.cut()
      #expect(
        take(log, into: &history) { _ in if case .unreachable = log.state { true } else { false } })
      let more = run.appendingPathComponent("events.out.tfevents.2.\(round)")
      try event(20 * round..<20 * (round + 1)).write(to: more)
      #expect(take(log, into: &history) { $0.lastStep == 20 * round + 19 })
    }
    #expect(history["loss"]?.steps == Array(0..<60))
    #expect(history["loss"]?.values == (0..<60).map(Double.init))
    #expect(history.superseded.isEmpty)
    _ = log.finish()
  }

  @Test func `a session comes with its events, settings and end`() throws {
    let ssh = try LoopbackSSH(folder, environment: FarSide.seismo.environment(folder))
    defer { ssh.end() }
    let path = folder.appendingPathComponent("far.seismo").path
    let recorder = Recorder(store: try SessionStore(creating: path))
    let setting = SettingDeclaration(
      name: "lr.multiplier", kind: .number(lowest: 0, highest: 9), value: .number(1), purpose: "x")
    recorder.record(
      .description(RunDescription(name: "far", created: 1.7e9, options: ["lr": "0.1"])))
    recorder.record(.settings([setting]))
    for step in 0..<30 {
      let row = StepSamples(
        step: step, wallTime: 1.7e9 + Double(step), names: ["loss"], values: [Double(step)])
      recorder.record(.samples(row))
    }
    recorder.record(
      .event(RunEvent(step: 9, wallTime: 1.7e9 + 9, kind: .note, by: "you", text: "a note")))
    recorder.flush()
    let log = RemoteLog(try #require(RemotePlace("loop:\(path)")), program: ssh.client)
    var history = try log.history()
    #expect(take(log, into: &history) { $0.lastStep == 29 })
    #expect(history.settings == [setting])
    #expect(history.events.map(\.text) == ["a note"] && history.events.first?.wallTime == 1.7e9 + 9)
    #expect(history.description?.options["lr"] == "0.1")
    #expect(history.wallTimes.value(at: 7) == 1.7e9 + 7)
    recorder.record(.state(.finished))
    try recorder.close()
    #expect(take(log, into: &history) { _ in log.state == .ended })
    #expect(history["loss"]?.steps == Array(0..<30) && history.state == .finished)
  }

  @Test(arguments: [FarSide.seismo, .shell])
  func `sessions of another machine are listed by what there is`(side: FarSide) throws {
    let ssh = try LoopbackSSH(folder, environment: side.environment(folder))
    defer { ssh.end() }
    let runs = folder.appendingPathComponent("it's runs")
    try FileManager.default.createDirectory(at: runs, withIntermediateDirectories: true)
    let recorder = Recorder(
      store: try SessionStore(creating: runs.appendingPathComponent("gpt.seismo").path))
    recorder.record(.state(.finished))
    try recorder.close()
    let place = try #require(RemotePlace("loop:\(runs.path)"))
    switch try RemoteListing.read(place, options: [], program: ssh.client) {
    case .listed(let lines):
      #expect(side == .seismo && lines.count == 2 && lines.last?.hasPrefix("gpt ") == true)
    case .files(let files):
      #expect(side == .shell && files.map(\.name) == ["gpt.seismo"])
      #expect(files.allSatisfy { $0.bytes > 1000 && $0.changed > 1.7e9 && !$0.isWritten })
    }
    let gone = try #require(RemotePlace("loop:\(runs.path)/gone"))
    #expect(
      throws: RunError.farAway(
        place: gone.words, reason: "\(runs.path)/gone: no such folder")
    ) { try RemoteListing.read(gone, options: [], program: ssh.client) }
    guard side == .shell else { return }
    #expect {
      try RemoteListing.read(place, options: ["--filter", "loss<2"], program: ssh.client)
    } throws: { "\($0)".hasSuffix("--filter: there is no seismo on that machine to do that") }
  }

  @Test func `what a far machine lists cannot steer this terminal`() {
    let output = "welcome\nseismo-sessions-1 listed\nname \u{1b}[2Jx\u{202e}\n"
    #expect(RemoteListing.found(in: output) == .listed(lines: ["name [2Jx"]))
    #expect(RemoteListing.found(in: "welcome\n") == nil)
    #expect(
      RemoteListing.found(in: "seismo-sessions-1 files\n10 20 1 a b.seismo\nnonsense\n")
        == .files([.init(name: "a b.seismo", bytes: 10, changed: 20, isWritten: true)]))
  }

  @Test func `a file that is not there is told in one line, as is a host that is not`() throws {
    let ssh = try LoopbackSSH(folder, environment: FarSide.shell.environment(folder))
    let gone = try #require(RemotePlace("loop:nothing/here.jsonl"))
    #expect(
      throws: RunError.farAway(
        place: "loop:nothing/here.jsonl",
        reason: "nothing/here.jsonl: no such file, or not readable")
    ) { try RemoteLog(gone, program: ssh.client).history() }
    ssh.end()
    #expect {
      try RemoteLog(gone, program: ssh.client).history()
    } throws: { "\($0)".hasSuffix("Connection refused") }
  }

  /// A trainer that takes commands and has told three steps.
  private func servingTrainer() throws -> TestTrainer {
    let trainer = try TestTrainer(folder)
    try trainer.serve()
    try trainer.describe(control: trainer.server?.path)
    try trainer.write(lines(0..<3))
    return trainer
  }

  @Test(arguments: FarSide.withHands)
  func `commands go to the far trainer's socket and come back answered`(side: FarSide) throws {
    let ssh = try LoopbackSSH(folder, environment: side.environment(folder))
    defer { ssh.end() }
    let trainer = try servingTrainer()
    defer { trainer.end() }
    let place = try #require(RemotePlace("loop:\(trainer.path)"))
    let log = RemoteLog(place, program: ssh.client)
    var history = try log.history()
    #expect(take(log, into: &history) { $0.lastStep == 2 })
    #expect(log.refusal == nil)
    log.send(.pause, by: "watch pts/1")
    #expect(
      take(log, into: &history) { _ in trainer.asked.requests.withLock { $0.count } == 1 })
    #expect(trainer.asked.words == ["pause"])
    trainer.asked.answer(false, "not now")
    #expect(take(log, into: &history) { $0.events.last?.kind == .refused })
    #expect(history.events.last?.text == "pause refused: not now")
    try trainer.write("{\"state\":\"finished\"}")
    trainer.letGo()
    #expect(take(log, into: &history) { _ in log.state == .ended })
    #expect(history.state == .finished)
  }

  @Test(arguments: FarSide.all)
  func `one command is given to a far trainer and its answer awaited`(side: FarSide) throws {
    let ssh = try LoopbackSSH(folder, environment: side.environment(folder))
    defer { ssh.end() }
    let trainer = try servingTrainer()
    defer { trainer.end() }
    let log = RemoteLog(
      try #require(RemotePlace("loop:\(trainer.path)")), program: ssh.client)
    guard side != .shell else {
      #expect(throws: ControlError.self) {
        try log.ask(.pause, by: "control", timeoutSeconds: 120)
      }
      return
    }
    let asked = trainer.asked
    Thread.detachNewThread { if asked.wait(for: 1) { asked.answer(true, "paused") } }
    let answer = try log.ask(.pause, by: "control", timeoutSeconds: 120)
    #expect(answer.isApplied && answer.text == "paused")
    #expect(asked.words == ["pause"])
  }

  @Test(arguments: [
    ("host:a.jsonl", "host", "a.jsonl"), ("me@host:/x/a b", "me@host", "/x/a b"),
    ("[::1]:runs/a", "::1", "runs/a"), ("me@[fe80::1%eth0]:a", "me@fe80::1%eth0", "a"),
    ("host:~/a", "host", "a"),
  ])
  func `a place is read as scp reads it`(words: String, host: String, path: String) throws {
    let place = try #require(RemotePlace(words))
    #expect(place.host == host && place.path == path && place.words == words)
  }

  @Test(arguments: ["a.jsonl", "./a:b", "/x:y", "-oProxyCommand=x:y", "host:", ":x", "a b:c", ""])
  func `what names no other machine is none`(words: String) {
    #expect(RemotePlace(words) == nil)
  }
}

/// What a relay prints, taken apart.
@Suite(.timeLimit(.minutes(15))) struct RelayStreamTests {
  private let greeting = #"{"relay":{"protocol":1,"path":"/x","offset":7,"hands":true}}"# + "\n"

  private func file(_ pieces: [RelayStream.Piece]) -> String {
    pieces.map { piece in
      switch piece {
      case .greeting: ""
      case .file(let bytes), .line(let bytes): String(decoding: bytes, as: UTF8.self)
      }
    }.joined()
  }

  @Test func `whole lines count, whatever pieces they come in`() {
    let lines = "{\"step\":1}\nx\n\n{\"step\":2}\n"
    let all = Array("welcome\n\(greeting)\(lines){\"step".utf8)
    for size in 1...all.count {
      var stream = RelayStream(from: 3)
      var pieces: [RelayStream.Piece] = []
      for start in stride(from: 0, to: all.count, by: size) {
        pieces += stream.take(Array(all[start..<min(all.count, start + size)]))
      }
      #expect(file(pieces) == lines)
      #expect(stream.greeting == RelayStream.Greeting(offset: 7, refusal: nil))
      #expect(stream.offset == 7 + lines.utf8.count)
    }
  }

  @Test func `a line that may be an answer counts only once it is the file's`() {
    var stream = RelayStream(from: 0)
    let line = #"{"answer":"applied","id":3}"# + "\n"
    let pieces = stream.take(Array((greeting + line).utf8))
    #expect(pieces.last == .line(Array(line.utf8)))
    #expect(stream.offset == 7)
    stream.count(Array(line.utf8))
    #expect(stream.offset == 7 + line.utf8.count)
  }

  @Test func `raw bytes count as they come`() {
    let raw = #"{"relay":{"protocol":1,"offset":2,"raw":true,"hands":false,"reason":"none"}}"#
    for size in [1, 5, 1000] {
      var stream = RelayStream(from: 2)
      let all = Array("\(raw)\nab\nc".utf8)
      var pieces: [RelayStream.Piece] = []
      for start in stride(from: 0, to: all.count, by: size) {
        pieces += stream.take(Array(all[start..<min(all.count, start + size)]))
      }
      #expect(file(pieces) == "ab\nc")
      #expect(stream.offset == 6)
      #expect(stream.greeting?.refusal == "none")
    }
  }

  @Test func `an overlong line is passed over and counted, and senseless talk ends`() {
    var stream = RelayStream(from: 0)
    _ = stream.take(Array(greeting.utf8))
    let piece = [UInt8](repeating: 0x61, count: 1 << 20)
    var taken: [RelayStream.Piece] = []
    for _ in 0..<20 { taken += stream.take(piece) }
    taken += stream.take(Array("\nok\n".utf8))
    #expect(file(taken) == "ok\n")
    #expect(stream.offset == 7 + (20 << 20) + 4)
    #expect(stream.skipped > 20 << 20)
    var senseless = RelayStream(from: 0)
    _ = senseless.take(piece)
    #expect(senseless.isSenseless)
  }

  @Test(arguments: [
    #"{"relay":{"protocol":1,"offset":-5}}"#, #"{"relay":{"offset":5}}"#, #"{"relay":5}"#,
    #"{"relay":{"protocol":1,"offset":1e300}}"#,
  ])
  func `a relay's line that makes no sense is none`(line: String) {
    var stream = RelayStream(from: 0)
    #expect(stream.take(Array((line + "\n").utf8)).isEmpty)
    #expect(stream.greeting == nil)
  }
}
