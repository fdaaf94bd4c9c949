import Dispatch
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

/// A trainer that writes a file of lines and serves a control socket, as the Python client does.
final class TestTrainer {
  let path: String
  private let file: FileHandle
  private(set) var server: ControlServer?
  let asked: Asked

  final class Asked: Sendable {
    let requests = Mutex<[ControlRequest]>([])
    let answers = Mutex<[@Sendable (CommandAnswer) -> Void]>([])

    var words: [String] { requests.withLock { $0.map(\.command.words) } }

    /// Waits until so many were asked.
    func wait(for count: Int) -> Bool {
      let deadline = ContinuousClock.now + .seconds(120)
      while requests.withLock({ $0.count }) < count {
        if ContinuousClock.now > deadline { return false }
        usleep(2000)
      }
      return true
    }

    func answer(_ isApplied: Bool, _ text: String) {
      let all = answers.withLock { answers in
        defer { answers = [] }
        return answers
      }
      for answer in all { answer(CommandAnswer(isApplied: isApplied, step: 3, text: text)) }
    }
  }

  init(_ folder: URL, isHeld: Bool = true) throws {
    path = folder.appendingPathComponent("gpt.jsonl").path
    _ = FileManager.default.createFile(atPath: path, contents: nil)
    file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    asked = Asked()
    if isHeld { try #require(flock(file.fileDescriptor, LOCK_EX | LOCK_NB) == 0) }
  }

  func serve() throws {
    let server = try ControlServer(name: "test")
    self.server = server
    server.start { [asked] request, answer in
      asked.answers.withLock { $0.append(answer) }
      asked.requests.withLock { $0.append(request) }
    }
  }

  func end() { server?.close() }

  func write(_ lines: String) throws { try file.write(contentsOf: Data((lines + "\n").utf8)) }

  func describe(control: String?) throws {
    let control = control.map { ",\"control\":\"\($0)\"" } ?? ""
    try write("{\"run\":{\"protocol\":1,\"name\":\"gpt\",\"pid\":\(getpid())\(control)}}")
  }

  /// Lets the file go, as a process that is killed does.
  func letGo() { flock(file.fileDescriptor, LOCK_UN) }
}

/// Hands on a file that a trainer writes.
@Suite(.timeLimit(.minutes(15))) struct TrainerHandsTests {
  private let place: TestFolder
  private var folder: URL { place.url }

  init() throws { place = try TestFolder() }

  private func follow(_ trainer: TestTrainer) throws -> (FollowedLog, RunHistory) {
    let log = FollowedLog(try FollowedLog.runs(at: trainer.path, waits: false)[0])
    return (log, try log.history())
  }

  /// What comes until `isEnough` holds.
  private func events(
    _ log: FollowedLog, until isEnough: ([RunEvent]) -> Bool
  ) -> [RunEvent] {
    let deadline = ContinuousClock.now + .seconds(120)
    var events: [RunEvent] = []
    while ContinuousClock.now < deadline, !isEnough(events) {
      for case .records(let records) in log.updates(budget: 1 << 18) {
        for case .event(let event) in records { events.append(event) }
      }
      usleep(2000)
    }
    return events
  }

  @Test func `a command goes to the socket that the file names, and a refusal is told once`()
    throws
  {
    let trainer = try TestTrainer(folder)
    try trainer.serve()
    defer { trainer.end() }
    try trainer.describe(control: trainer.server?.path)
    let (log, _) = try follow(trainer)
    #expect(log.refusal == nil)
    #expect(log.state == .live)
    log.send(.set(name: "lr.multiplier", value: .number(0.5)), by: "watch pts/1")
    log.send(.pause, by: "watch pts/1")
    _ = log.updates(budget: 1)
    #expect(trainer.asked.wait(for: 2))
    #expect(trainer.asked.words == ["set lr.multiplier 0.5", "pause"])
    trainer.asked.answer(false, "not now")
    let told = events(log) { $0.count == 2 }
    #expect(
      told.map(\.text) == ["set lr.multiplier 0.5 refused: not now", "pause refused: not now"])
    #expect(told.allSatisfy { $0.kind == .refused && $0.by == "watch pts/1" && $0.step == 3 })
    // The trainer writes it down too.
    try trainer.write(
      "{\"event\":\"refused\",\"step\":3,\"by\":\"watch pts/1\",\"name\":\"pause\",\"text\":\"x\"}")
    try trainer.write("{\"event\":\"note\",\"step\":3,\"by\":\"you\",\"text\":\"after\"}")
    #expect(events(log) { $0.contains { $0.kind == .note } }.map(\.text) == ["after"])
    #expect(log.finish().isAnswered)
  }

  @Test func `what is applied is left to the trainer's own events`() throws {
    let trainer = try TestTrainer(folder)
    try trainer.serve()
    defer { trainer.end() }
    try trainer.describe(control: trainer.server?.path)
    let (log, _) = try follow(trainer)
    log.send(.undo, by: "you")
    _ = log.updates(budget: 1)
    #expect(trainer.asked.wait(for: 1))
    trainer.asked.answer(true, "undo")
    let (isAnswered, failures) = log.finish()
    #expect(isAnswered && failures.isEmpty)
  }

  @Test func `a trainer that ends before it answers is told of`() throws {
    let trainer = try TestTrainer(folder)
    try trainer.serve()
    try trainer.describe(control: trainer.server?.path)
    let (log, _) = try follow(trainer)
    log.send(.pause, by: "you")
    _ = log.updates(budget: 1)
    #expect(trainer.asked.wait(for: 1))
    trainer.end()
    trainer.letGo()
    let told = events(log) { !$0.isEmpty }
    #expect(told.first?.text.hasPrefix("pause refused: ") == true)
    #expect(log.refusal == "the program that wrote this file is gone")
  }

  @Test func `a socket is used only where it is the account's own, in a folder of its own`() throws
  {
    let trainer = try TestTrainer(folder)
    try trainer.serve()
    defer { trainer.end() }
    let own = try #require(trainer.server?.path)
    let place = try #require(own.lastIndex(of: "/").map { String(own[..<$0]) })
    let (link, plain) = ("\(place)/link-\(getpid())", "\(place)/plain-\(getpid())")
    symlink(own, link)
    _ = FileManager.default.createFile(atPath: plain, contents: nil)
    defer { for path in [link, plain] { unlink(path) } }
    let elsewhere = folder.appendingPathComponent("x.sock").path
    #expect(ControlFolder.flaw(ofSocket: own) == nil)
    let foreign = "its control socket lies in no folder of this account's"
    for path in [
      elsewhere, "x.sock", "", "/", "\(place)/../x", "\(place)/", "\(place)/..",
      String(repeating: "a", count: 200),
    ] {
      #expect(ControlFolder.flaw(ofSocket: path) == foreign, "\(path)")
    }
    let notOwn = "what it names as its control socket is none of this account's"
    for path in [link, plain] { #expect(ControlFolder.flaw(ofSocket: path) == notOwn) }
    #expect(ControlFolder.flaw(ofSocket: "\(place)/none") == "its control socket is gone")
    let open = folder.appendingPathComponent("seismo").path
    mkdir(open, 0o755)
    #expect(
      ControlFolder.flaw(
        ofSocket: "\(open)/x.sock", environment: ["XDG_RUNTIME_DIR": folder.path]) == foreign)
  }

  @Test func `a file without a socket says so, and one without a trainer's lines too`() throws {
    let trainer = try TestTrainer(folder)
    try trainer.write("{\"step\":0,\"loss\":2}")
    let (log, _) = try follow(trainer)
    #expect(log.refusal == "the program that writes gpt takes no commands")
    try trainer.describe(control: nil)
    _ = log.updates(budget: 1)
    #expect(log.refusal == "this file names no control socket")
  }

  @Test func `killed is told from finished, and slow from gone`() throws {
    let trainer = try TestTrainer(folder)
    try trainer.describe(control: nil)
    let (log, _) = try follow(trainer)
    #expect(log.state == .live)
    trainer.letGo()
    let deadline = ContinuousClock.now + .seconds(120)
    while log.state == .live, ContinuousClock.now < deadline {
      _ = log.updates(budget: 1)
      usleep(10_000)
    }
    #expect(log.state == .gone(remark: "ended without an end record (killed?)"))
    try trainer.write("{\"state\":\"finished\"}")
    _ = log.updates(budget: 1)
    #expect(log.state == .ended)
  }

  @Test func `a pause is told once it is longer than usual`() {
    func state(_ seconds: Double, usual: Double?, isWriting: Bool? = nil) -> SourceState {
      Pause(since: 100, usual: usual, isWriting: isWriting).state(now: 100 + seconds)
    }
    #expect(state(9, usual: nil) == .live)
    #expect(state(12, usual: nil) == .silent(since: 100, remark: "slow, held or gone"))
    #expect(state(29, usual: 20) == .live)
    #expect(state(31, usual: 20) == .silent(since: 100, remark: "usual is 20 s: slow"))
    #expect(state(61, usual: 20) == .silent(since: 100, remark: "usual is 20 s: held or gone"))
    #expect(
      state(61, usual: 20, isWriting: true)
        == .silent(since: 100, remark: "its process lives: slow, or held"))
  }

  @Test func `an answer that does not come is told once`() {
    var letters = Correspondence()
    let request = letters.ask(.pause, by: "you", at: 7, now: 100)
    #expect(letters.late(now: 109).isEmpty)
    #expect(
      letters.late(now: 110).map(\.text)
        == ["no answer to 'pause' for 10 s: it may still be obeyed"])
    #expect(letters.late(now: 111).isEmpty)
    #expect(letters.take(Array(#"{"answer":"applied","id":3}"#.utf8), now: 112) == nil)
    let answer = #"{"answer":"applied","id":\#(request.id ?? 0)}"#
    #expect(letters.take(Array(answer.utf8), now: 112) == [])
    #expect(letters.take(Array(answer.utf8), now: 112) == nil)
    #expect(letters.isSettled)
  }
}
