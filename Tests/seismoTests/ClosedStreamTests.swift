import ArgumentParser
import Foundation
import Testing
import TestSupport

@testable import seismo

/// Standard output and standard error closed, without a reader, or full: no command ends by a
/// signal, and a command that cannot give what it was asked for says so and ends with 1.
@Suite(.timeLimit(.minutes(15)))
struct ClosedStreamTests {
  /// How a shell starts the program, and what that does to its output.
  private struct Way {
    let redirection: String
    var isOutputLost = false
    var isErrorLost = false

    static let all = [
      Way(redirection: ">&-", isOutputLost: true),
      Way(redirection: "2>&-", isErrorLost: true),
      Way(redirection: "<&- >&- 2>&-", isOutputLost: true, isErrorLost: true),
      Way(redirection: ">/dev/full", isOutputLost: true),
      Way(redirection: "2>/dev/full", isErrorLost: true),
      Way(redirection: ">/dev/full 2>&1", isOutputLost: true, isErrorLost: true),
    ]
  }

  /// A command line, what it ends with, and whether what it prints is what it was asked for.
  private struct Case {
    let words: String
    var status: Int32 = 0
    var prints = true
  }

  private static let cases = [
    Case(words: "--help"), Case(words: "--version"), Case(words: "train --help"),
    Case(words: "--generate-completion-script bash"), Case(words: "help sessions delete"),
    Case(words: "nothing", status: 64, prints: false),
    Case(words: "train --preset tiny --steps 2 --session new.seismo", prints: false),
    Case(words: "train --preset tiny --steps 2 --session new.seismo --json"),
    Case(words: "train --preset huge", status: 64, prints: false),
    Case(words: "watch a.seismo", status: 64, prints: false),
    Case(words: "control a.seismo pause", status: 65, prints: false),
    Case(words: "doctor"), Case(words: "themes"), Case(words: "alarms"),
    Case(words: "replay a.seismo --text"), Case(words: "replay a.seismo --svg -"),
    Case(words: "replay nothere", status: 65, prints: false),
    Case(words: "sessions ."), Case(words: "sessions note a.seismo hello"),
    Case(words: "sessions tag a.seismo keep"),
    Case(words: "sessions restore a.seismo@1"),
    Case(words: "sessions rename a.seismo a", status: 65, prints: false),
    Case(words: "sessions delete nothere --yes", status: 65, prints: false),
    Case(words: "eval a.checkpoints/step-000000004 --data a.seismo --workers 1"),
    Case(
      words: "finetune a.checkpoints/step-000000004 --steps 2 --session new.seismo --workers 1",
      prints: false),
    Case(words: "sample a.checkpoints/step-000000004 --prompt a --tokens 8 --workers 1"),
    Case(words: "estimate --preset tiny --prompt-bytes 4 --tokens 4 --workers 1"),
    Case(words: "inspect a.checkpoints/step-000000004/model.safetensors --workers 1"),
    Case(
      words: "merge a.checkpoints/step-000000004 --method mean --output new", status: 64,
      prints: false),
    Case(words: "bench --preset tiny --steps 4 --workers 1"),
    Case(words: "compare a.seismo a.seismo"),
    Case(words: "export a.seismo --format csv"), Case(words: "export a.seismo --format svg"),
    Case(words: "import lines.jsonl --session new.seismo"),
    Case(words: "ingest --session new.seismo", prints: false),
    Case(words: "reproduce a.seismo --workers 1"),
    Case(words: "bench-frame --session a.seismo --frames 1"),
    Case(words: "sweep --preset tiny --lr 1e-3,1e-2 --steps 2 --list"),
    Case(words: "forecast nothere", status: 65, prints: false),
    Case(words: "pick nothere", status: 65, prints: false),
    Case(words: "suggest --parameters 1e9 --tokens 1e10"),
    Case(words: "relay nothere", status: 65, prints: false),
    Case(words: "bench-store --like nothere", status: 65, prints: false),
  ]

  /// One short run, made once for all cases.
  private static let recorded = Result { () throws -> SeismoBinary in
    let binary = try SeismoBinary()
    let run = try binary.run([
      "train", "--preset", "tiny", "--steps", "4", "--headless", "--session", "a.seismo",
      "--workers", "1",
    ])
    try #require(run.status == 0, "\(run.error)")
    return binary
  }

  private let binary: SeismoBinary

  init() throws {
    binary = try SeismoBinary()
    let recorded = try Self.recorded.get()
    for name in ["a.seismo", "a.checkpoints"] {
      try FileManager.default.copyItem(atPath: recorded.path(name), toPath: binary.path(name))
    }
    try Data("{\"step\":1,\"loss\":2}\n".utf8).write(
      to: binary.folder.appending(path: "lines.jsonl"))
  }

  private func removeNew() {
    for name in ["new.seismo", "new.checkpoints"] {
      try? FileManager.default.removeItem(atPath: binary.path(name))
    }
  }

  @Test func `every subcommand is tried`() {
    let tried = Set(
      Self.cases.flatMap { $0.words.split(separator: " ").map(String.init).prefix(2) })
    let commands = Seismo.configuration.subcommands + ListSessions.configuration.subcommands
    for command in commands where command != ListSessions.List.self {
      let name = command.configuration.commandName ?? "\(command)".lowercased()
      #expect(tried.contains(name), "no case for \(name)")
    }
    binary.remove()
  }

  @Test(.timeLimit(.minutes(15)), arguments: cases.indices)
  func `a stream that is closed or full ends no command by a signal`(index: Int) throws {
    defer { binary.remove() }
    let each = Self.cases[index]
    // The ways take turns, so that each meets commands of all kinds; what is printed is lost in all.
    for (number, way) in Way.all.enumerated()
    where number == 0 || number % 3 == index % 3 {
      removeNew()
      let process = binary.process([])
      process.standardOutput = FileHandle.nullDevice
      process.executableURL = URL(fileURLWithPath: "/bin/sh")
      process.arguments =
        ["-c", "exec \"$0\" \(each.words) \(way.redirection)"]
        + [SeismoBinary.executable.path]
      let result = try Self.result(of: process, in: binary)
      let what = "\(each.words) \(way.redirection)"
      #expect(result.reason == .exit, "\(what) ended by signal \(result.status)")
      #expect(result.status == (each.prints && way.isOutputLost ? 1 : each.status), "\(what)")
      if each.prints, way.isOutputLost, !way.isErrorLost {
        #expect(result.error.contains("standard output cannot be written: "), "\(what)")
        #expect(result.error.split(separator: "\n").count == 1, "\(what): \(result.error)")
      }
    }
  }

  @Test(.timeLimit(.minutes(15)), arguments: cases.indices)
  func `a reader that is gone ends a command quietly`(index: Int) throws {
    defer { binary.remove() }
    let each = Self.cases[index]
    for losesError in [false, true] {
      removeNew()
      let process = binary.process(each.words.split(separator: " ").map(String.init))
      let pipe = Pipe()
      try pipe.fileHandleForReading.close()
      process.standardOutput = pipe
      let result = try Self.result(of: process, in: binary, error: losesError ? pipe : nil)
      #expect(result.reason == .exit, "\(each.words) ended by signal \(result.status)")
      #expect(result.status == each.status, "\(each.words): \(result.error)")
      #expect(!result.error.contains("standard output"), "\(each.words): \(result.error)")
    }
  }

  private static func result(
    of process: Process, in binary: SeismoBinary, error pipe: Pipe? = nil
  ) throws -> (status: Int32, reason: Process.TerminationReason, error: String) {
    let file = binary.folder.appending(path: "stderr")
    _ = FileManager.default.createFile(atPath: file.path, contents: nil)
    let handle = try FileHandle(forWritingTo: file)
    process.standardError = pipe ?? handle
    try process.run()
    process.waitForEnd()
    try handle.close()
    let text = String(decoding: try Data(contentsOf: file), as: UTF8.self)
    return (process.terminationStatus, process.terminationReason, text)
  }

  /// With its stream closed, a session would get the stream's number and lines in its middle.
  @Test func `lines for a closed stream do not end up in the session`() throws {
    defer { binary.remove() }
    let process = binary.process([])
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = [
      "-c",
      "exec \"$0\" train --preset tiny --steps 9 --workers 1 --session new.seismo <&- >&- 2>&-",
      SeismoBinary.executable.path,
    ]
    try process.run()
    process.waitForEnd()
    #expect(process.terminationStatus == 0)
    let again = try binary.run(["reproduce", "new.seismo", "--workers", "1"])
    #expect(again.status == 0)
    #expect(again.error.isEmpty && again.output.contains("over 9 steps"), "\(again)")
  }

  /// Through links, so that a program that gets it wrong replaces nothing but these.
  @Test func `a device that is named as a file is written, not replaced`() throws {
    defer { binary.remove() }
    let places = [("full", "/dev/full"), ("screen", "/proc/self/fd/1")]
    for (name, target) in places {
      try FileManager.default.createSymbolicLink(
        atPath: binary.path(name), withDestinationPath: target)
    }
    for command in [
      ["export", "a.seismo", "--format", "csv", "--output"], ["replay", "a.seismo", "--svg"],
    ] {
      let refused = try binary.run(command + ["full"])
      #expect(refused.status == 1, "\(command): \(refused.error)")
      #expect(refused.errorLines.count == 1 && refused.error.contains("full: "), "\(refused.error)")
      let printed = try binary.run(command + ["screen"])
      #expect(printed.status == 0 && !printed.output.isEmpty, "\(command): \(printed.error)")
    }
    for (name, target) in places {
      #expect(
        try FileManager.default.destinationOfSymbolicLink(atPath: binary.path(name)) == target)
    }
  }
}
