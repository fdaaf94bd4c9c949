import Foundation
import Glibc
import Sessions
import Synchronization
import Telemetry
import Testing

/// The real program at a file of lines that another program writes, which serves its own socket.
@Suite(.timeLimit(.minutes(15)))
struct TrainerFileTests {
  /// A file of a trainer that obeys `set` and refuses the rest.
  private final class Trainer: Sendable {
    let asked = Mutex<[String]>([])
    let server: ControlServer
    private let lock: CInt

    init(_ path: String, named control: String? = nil) throws {
      server = try ControlServer(name: "file", passesWords: true)
      let run = """
        {"run":{"protocol":1,"name":"gpt","control":"\(control ?? server.path)"}}
        {"settings":[],"commands":["set","sample"]}
        {"step":0,"metrics":{"loss":2.5}}
        {"step":1,"metrics":{"loss":2.25}}

        """
      try run.write(toFile: path, atomically: false, encoding: .utf8)
      lock = open(path, O_RDONLY | O_CLOEXEC)
      flock(lock, LOCK_EX | LOCK_NB)
      server.start { [weak self] request, answer in
        let words = request.command.words
        self?.asked.withLock { $0.append(words) }
        let isApplied = words.hasPrefix("set ")
        answer(
          CommandAnswer(isApplied: isApplied, step: 2, text: isApplied ? words : "not today"))
      }
    }

    func end() {
      close(lock)
      server.close()
    }
  }

  @Test func `control reaches the trainer that writes the file`() throws {
    let binary = try SeismoBinary()
    defer { binary.remove() }
    let trainer = try Trainer(binary.path("gpt.jsonl"))
    let applied = try binary.run(["control", "gpt.jsonl", "set", "lr.multiplier", "0.5"])
    #expect(applied.output == "applied at step 2: set lr.multiplier 0.5\n", "\(applied.error)")
    let refused = try binary.run(["control", "gpt.jsonl", "pause"])
    #expect(refused.status == 1)
    #expect(refused.error == "seismo: pause refused at step 2: not today\n")
    #expect(trainer.asked.withLock { $0 } == ["set lr.multiplier 0.5", "pause"])
    trainer.end()
    let gone = try binary.run(["control", "gpt.jsonl", "pause"])
    #expect(gone.status == 65)
    #expect(
      gone.error == "seismo: no live run in gpt.jsonl: the program that wrote it is gone\n")
  }

  @Test func `a socket elsewhere is not used, and a file without one says so`() throws {
    let binary = try SeismoBinary()
    defer { binary.remove() }
    let trainer = try Trainer(binary.path("a.jsonl"), named: binary.path("x.sock"))
    defer { trainer.end() }
    let foreign = try binary.run(["control", "a.jsonl", "pause"])
    #expect(foreign.status == 65)
    #expect(
      foreign.error
        == "seismo: the run in a.jsonl takes no commands: its control socket lies in no folder of "
        + "this account's\n")
    try "{\"step\":0,\"loss\":1}\n".write(
      toFile: binary.path("b.jsonl"), atomically: false, encoding: .utf8)
    let plain = try binary.run(["control", "b.jsonl", "pause"])
    #expect(plain.status == 65)
    #expect(
      plain.error
        == "seismo: the run in b.jsonl takes no commands: it holds no line on its run\n")
    #expect(trainer.asked.withLock { $0 }.isEmpty)
  }

  @Test func `a key pressed at the file reaches the trainer, and leaving ends with 0`() throws {
    let binary = try SeismoBinary()
    defer { binary.remove() }
    let trainer = try Trainer(binary.path("gpt.jsonl"))
    defer { trainer.end() }
    let screen = try TerminalScreen(binary, ["watch", "gpt.jsonl"])
    screen.type(" ")
    #expect(screen.receives("this script declares no pause"))
    screen.type(":sample\r")
    #expect(screen.receives("not today"))
    // Letters that were typed before a refusal was read are no commands; this one is no letter.
    screen.type("\u{3}")
    #expect(screen.end() == 0)
    #expect(trainer.asked.withLock { $0 } == ["sample"])
  }

  @Test func `of a folder the newest run is shown, and one that appears later is announced`() throws
  {
    let binary = try SeismoBinary()
    defer { binary.remove() }
    let folder = binary.folder.appending(path: "runs")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    func write(_ name: String, age: Double) throws {
      let path = folder.appending(path: name).path
      try "{\"step\":0,\"loss\":2.5}\n".write(toFile: path, atomically: true, encoding: .utf8)
      try FileManager.default.setAttributes(
        [.modificationDate: Date(timeIntervalSinceNow: -age)], ofItemAtPath: path)
    }
    try write("older.jsonl", age: 500)
    try write("newer.jsonl", age: 5)
    let screen = try TerminalScreen(binary, ["watch", "runs"])
    #expect(screen.receives("one other run"))
    #expect(screen.receives("newer"))
    try write("latest.jsonl", age: 0)
    #expect(screen.receives("latest has appeared"))
    #expect(screen.end() == 0)
  }

  @Test func `a folder is waited for until it is there and has a run`() throws {
    let binary = try SeismoBinary()
    defer { binary.remove() }
    let folder = binary.folder.appending(path: "runs")
    let screen = try TerminalScreen(
      binary, ["watch", "--wait", "runs/"], until: "waiting for a run in runs/")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try "{\"step\":0,\"loss\":2.5}\n".write(
      to: folder.appending(path: "first.jsonl"), atomically: true, encoding: .utf8)
    #expect(screen.receives("first"))
    #expect(screen.end() == 0)
  }

  @Test func `what is watched of a file is kept with --record`() throws {
    let binary = try SeismoBinary()
    defer { binary.remove() }
    try "{\"step\":0,\"loss\":2.5}\n{\"step\":1,\"loss\":2}\n".write(
      toFile: binary.path("a.jsonl"), atomically: true, encoding: .utf8)
    let screen = try TerminalScreen(binary, ["watch", "--record", "a.jsonl"])
    #expect(screen.end() == 0)
    let table = try binary.run(["export", "a", "--format", "csv", "--metric", "loss"])
    #expect(table.output.hasSuffix("2.0\n") || table.output.hasSuffix("2\n"), "\(table)")
    #expect(table.output.split(separator: "\n").count == 3)
  }
}
