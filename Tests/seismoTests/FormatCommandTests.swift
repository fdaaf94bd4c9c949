import Foundation
import Sessions
import Telemetry
import Testing
import TestSupport

/// Recordings out of the real program, into it, against each other, and again.
@Suite(.timeLimit(.minutes(15)))
struct FormatCommandTests {
  private static let tiny = ["train", "--preset", "tiny", "--headless", "--json", "--steps", "12"]

  @Test func `what is exported is what was printed, and comes back by import`() throws {
    let binary = try SeismoBinary()
    defer { binary.remove() }
    let printed = try binary.run(Self.tiny + ["--session", "a.seismo"])
    let json = try binary.run(["export", "a.seismo", "--format", "json"])
    func steps(_ text: String) -> [Set<Substring>] {
      text.split(separator: "\n").filter { $0.contains("\"metrics\"") }.map { line in
        Set(line.split(whereSeparator: { "{},".contains($0) }))
      }
    }
    // What is measured of the last weights is a sample, and printed in the event of the run's end.
    #expect(steps(json.output).dropLast() == steps(printed.output)[...])
    #expect(steps(json.output).last?.contains { $0.hasPrefix("\"loss/eval\":") } == true)
    #expect(printed.output.contains("\"event\":\"run\""))
    let table = try binary.run(["export", "a.seismo", "--format", "csv", "--metric", "loss"])
    #expect(table.output.hasPrefix("step,wall_time,loss\n0,"))
    #expect(table.output.split(separator: "\n").count == 13)
    #expect(
      try binary.run(["export", "a.seismo", "--format", "csv", "--output", "a.csv"]).status == 0)
    let first = try binary.run(["import", "a.csv", "--session", "b.seismo"])
    #expect(first.status == 0, "\(first.error)")
    let again = try binary.run(["import", "a.csv", "--session", "b.seismo"])
    #expect(again.output == "b.seismo: nothing new\n")
    let copy = try binary.run(["export", "b.seismo", "--format", "csv", "--metric", "loss"])
    #expect(copy.output == table.output)
  }

  @Test func `event files go into the folder that was named and read back`() throws {
    let binary = try SeismoBinary()
    defer { binary.remove() }
    #expect(try binary.run(Self.tiny + ["--session", "a.seismo"]).status == 0)
    let export = try binary.run(["export", "a.seismo", "--format", "tfevents", "--output", "tb"])
    #expect(export.status == 0)
    let files = try FileManager.default.contentsOfDirectory(atPath: binary.path("tb"))
    #expect(files.count == 1 && files[0].hasPrefix("events.out.tfevents."))
    let imported = try binary.run(["import", "tb"])
    #expect(imported.output.hasPrefix("sessions/tb.seismo: "))
    #expect(try binary.run(["import", "tb"]).output == "sessions/tb.seismo: nothing new\n")
  }

  @Test func `charts and the report are whole files of what was chosen`() throws {
    let binary = try SeismoBinary()
    defer { binary.remove() }
    #expect(try binary.run(Self.tiny + ["--session", "a.seismo"]).status == 0)
    let story = try binary.run(["export", "a.seismo", "--format", "svg"])
    #expect(story.output.hasPrefix("<svg xmlns=") && story.output.hasSuffix("</svg>\n"))
    #expect(story.output.contains(">grad_norm<") && !story.output.contains(">step_ms<"))
    let chosen = [
      "export", "a.seismo", "--format", "svg", "--metric", "step*", "--output", "a.svg",
    ]
    #expect(try binary.run(chosen).status == 0)
    let file = try String(contentsOfFile: binary.path("a.svg"), encoding: .utf8)
    #expect(file.contains(">step_ms<") && !file.contains(">grad_norm<"))
    let report = try binary.run(["export", "a.seismo", "--format", "html"])
    #expect(report.output.hasPrefix("<!DOCTYPE html>") && report.output.hasSuffix("</html>\n"))
    let none = ["export", "a.seismo", "--format", "html", "--metric", "nothing"]
    #expect(try binary.run(none).status == 64)
  }

  @Test func `names that are known elsewhere become ours, or stay as they were`() throws {
    let binary = try SeismoBinary()
    defer { binary.remove() }
    try Data("step,train_loss\n0,1.5\n1,inf\n".utf8).write(
      to: binary.folder.appending(path: "m.csv"))
    let ours = try binary.run(["import", "m.csv", "--session", "a.seismo"])
    #expect(ours.output.contains("loss is what it calls train_loss"))
    let theirs = try binary.run(["import", "m.csv", "--session", "b.seismo", "--no-aliases"])
    #expect(theirs.output == "b.seismo: 2 samples of 1 metrics\n")
    let table = try binary.run(["export", "b.seismo", "--format", "csv", "--long"])
    #expect(table.output.hasSuffix(",train_loss,inf\n"))
  }

  @Test func `sessions are found, named anew, noted and removed`() throws {
    let binary = try SeismoBinary()
    defer { binary.remove() }
    let train = Self.tiny + ["--session", "a.seismo", "--checkpoint-every", "6"]
    #expect(try binary.run(train).status == 0)
    #expect(try binary.run(["sessions", "note", "a.seismo", "two", "words"]).status == 0)
    let renamed = try binary.run(["sessions", "rename", "a", "b"])
    #expect(renamed.output == "a.seismo is b.seismo now\n")
    let files = FileManager.default
    #expect(files.fileExists(atPath: binary.path("b.checkpoints/step-000000006")))
    let found = try binary.run([
      "sessions", ".", "--filter", "note:two cfg.preset=tiny -has:alarms",
    ])
    #expect(found.output.contains("\nb  "))
    let tagged = try binary.run(["sessions", "tag", "b.seismo", "paper,keep", "x"])
    #expect(tagged.output == "b.seismo has tags paper, keep, x\n")
    let less = try binary.run(["sessions", "tag", "b.seismo", "--remove", "x", "keep"])
    #expect(less.output == "b.seismo has tags paper\n")
    let bytag = try binary.run(["sessions", ".", "--filter", "tag:paper best<99"])
    #expect(bytag.output.contains("\nb  "))
    let none = try binary.run(["sessions", ".", "--filter", "cfg.lr>1"])
    #expect(none.output == "none of 1 sessions in . matches\n")
    #expect(try binary.run(["sessions", ".", "--filter", "cfg.lr"]).status == 64)
    let asked = try binary.run(["sessions", "delete", "b"])
    #expect(asked.status == 64 && asked.errorLines.count == 1)
    #expect(files.fileExists(atPath: binary.path("b.seismo")))
    let removed = try binary.run(["sessions", "delete", "b", "--yes"])
    #expect(removed.output.contains("b.checkpoints stays"))
    #expect(!files.fileExists(atPath: binary.path("b.seismo")))
    #expect(files.fileExists(atPath: binary.path("b.checkpoints")))
    #expect(try binary.run(["sessions", "delete", "b.seismo", "--yes"]).status == 65)
  }

  @Test func `a run on noisy data, steered by a script, is reproduced bit for bit`() throws {
    let binary = try SeismoBinary()
    defer { binary.remove() }
    let script = [
      (3, "set zclip on"), (4, "set batch 12"), (5, "set qk_layernorm on"),
      (6, "set lr.warmup_again 3"), (8, "undo"),
    ]
    let tables = script.map { "[[at]]\nstep = \($0.0)\ncommand = \"\($0.1)\"\n" }
    try Data(tables.joined().utf8).write(to: binary.folder.appending(path: "run.toml"))
    let arguments =
      Self.tiny + [
        "--config", "run.toml", "--session", "a.seismo", "--corrupt", "0.3", "--clean", "0.1",
      ]
    #expect(try binary.run(arguments).status == 0)
    let result = try binary.run(["reproduce", "a.seismo"])
    #expect(result.status == 0, "\(result.error)")
    #expect(result.output.contains("all equal, bit for bit"))
    let compared = try binary.run(["compare", "a.seismo", "a.seismo"])
    #expect(compared.output.contains("the settings are the same"))
    #expect(compared.output.contains("set qk_layernorm off → on"))
  }

  @Test func `a run resumed with another setting is reproduced over both its parts`() throws {
    let binary = try SeismoBinary()
    defer { binary.remove() }
    let first = Self.tiny + ["--session", "a.seismo", "--checkpoint-every", "6"]
    #expect(try binary.run(first).status == 0)
    let second = [
      "train", "--resume", "a.checkpoints/step-000000006", "--session", "a.seismo", "--headless",
      "--lr-multiplier", "0.5", "--batch", "8", "--clip", "adagc", "--optimizer", "stable-adamw",
    ]
    #expect(try binary.run(second).status == 0)
    let events = try binary.run(["export", "a.seismo", "--format", "json"]).output
    for change in [
      "set lr.multiplier 1 → 0.5", "set batch 16 → 8", "set adagc off → on",
      "set update_clip 0 → 1", "set grad_clip 1 → 0",
    ] {
      #expect(events.contains(change), "\(change)")
    }
    let result = try binary.run(["reproduce", "a.seismo"])
    #expect(result.status == 0, "\(result.error)")
  }

  @Test func `a run resumed with more steps and another rate is reproduced, stretch by stretch`()
    throws
  {
    let binary = try SeismoBinary()
    defer { binary.remove() }
    let first = Self.tiny + ["--session", "a.seismo", "--checkpoint-every", "4"]
    #expect(try binary.run(first).status == 0)
    for (step, options) in [
      ("12", ["--steps", "20"]), ("16", ["--lr", "1e-3", "--z-loss", "1e-4"]),
      ("4", ["--lr", "2e-3", "--steps", "14"]),
    ] {
      let folder = "a.checkpoints/step-0000000" + (step.count < 2 ? "0" : "") + step
      let resumed = try binary.run(
        ["train", "--resume", folder, "--session", "a.seismo", "--headless"] + options)
      #expect(resumed.status == 0, "\(resumed.error)")
      let result = try binary.run(["reproduce", "a.seismo"])
      #expect(result.status == 0, "\(options): \(result.error)")
    }
    for line in 1...3 {
      #expect(try binary.run(["reproduce", "a@\(line)"]).status == 0, "line \(line)")
    }
  }

  @Test func `checkpoints of a line that is left are kept, and come back with it`() throws {
    let binary = try SeismoBinary()
    defer { binary.remove() }
    let first = Self.tiny + ["--session", "a.seismo", "--checkpoint-every", "4"]
    #expect(try binary.run(first).status == 0)
    func checkpoints() throws -> [String] {
      try FileManager.default.contentsOfDirectory(atPath: binary.path("a.checkpoints")).sorted()
    }
    func weights(_ name: String) throws -> Data {
      try Data(
        contentsOf: binary.folder.appending(path: "a.checkpoints/\(name)/model.safetensors"))
    }
    let end = try weights("step-000000012")
    let resumed = try binary.run([
      "train", "--resume", "a.checkpoints/step-000000004", "--session", "a.seismo", "--headless",
      "--lr", "1e-4",
    ])
    #expect(resumed.status == 0, "\(resumed.error)")
    #expect(try weights("line-1-step-000000012") == end)
    #expect(try weights("step-000000012") != end)
    let old = try binary.run(["eval", "a.checkpoints/line-1-step-000000012"])
    #expect(old.status == 0, "\(old.error)")
    #expect(try binary.run(["sessions", "restore", "a@1"]).status == 0)
    #expect(try weights("step-000000012") == end)
    #expect(
      try checkpoints() == [
        "line-2-step-000000008", "line-2-step-000000012", "step-000000000", "step-000000004",
        "step-000000008", "step-000000012",
      ])
  }

  @Test func `lines on standard input become a session`() throws {
    let lines = try ingested("{\"step\":1,\"loss\":2.5}\nhello\n{\"step\":2,\"loss\":NaN}\n")
    #expect(
      lines.filter { $0.contains("metrics\"") && !$0.contains("event") } == [
        "{\"step\":1,\"metrics\":{\"loss\":2.5}}", "{\"step\":2,\"metrics\":{\"loss\":NaN}}",
      ])
  }

  @Test func `a run that another program trains is alarmed by its loss`() throws {
    let lines = (0..<400).map { step in
      let noise = Double(step * 7919 % 101) / 1000
      let loss = (step < 300 ? 2 + 3 / (1 + Double(step) / 20) : 4.5) + noise
      return "{\"step\":\(step),\"loss\":\(loss)}\n"
    }
    let events = try ingested(lines.joined()).filter { $0.contains("\"event\":\"alarm\"") }
    #expect(events.contains { $0.contains("\"loss-spike\"") && $0.contains("\"step\":300,") })
    #expect(events.contains { $0.contains("\"loss-diverged\"") })
    #expect(!events.contains { $0.contains("\"hint\"") })
    let own = "{\"step\":0,\"event\":\"alarm\",\"name\":\"own\",\"text\":\"told\"}\n"
    let told = try ingested(own + lines.joined())
    #expect(told.filter { $0.contains("\"event\":\"alarm\"") }.count <= 1)
  }

  @Test func `a log that is imported raises the alarms that it raises while it comes`() throws {
    let lines = (0..<400).map { step in
      let noise = Double(step * 7919 % 101) / 1000
      let loss = (step < 300 ? 2 + 3 / (1 + Double(step) / 20) : 4.5) + noise
      return "{\"step\":\(step),\"loss\":\(loss)}\n"
    }
    func alarms(_ lines: [Substring]) -> [Substring] {
      lines.filter { $0.contains("\"event\":\"alarm\"") || $0.contains("\"event\":\"calm\"") }
        .map { $0.prefix { $0 != "}" }.split(separator: ",\"wall_time\"").first ?? "" }
    }
    let binary = try SeismoBinary()
    defer { binary.remove() }
    try Data(lines.joined().utf8).write(to: binary.folder.appending(path: "log.jsonl"))
    for _ in 0..<2 {
      #expect(try binary.run(["import", "log.jsonl", "--session", "a.seismo"]).status == 0)
    }
    let found = try binary.run(["export", "a.seismo", "--format", "json"]).output
      .split(separator: "\n")
    let live = try ingested(lines.joined())
    #expect(alarms(found) == alarms(live))
    #expect(alarms(found).count >= 2)
  }

  @Test func `standard input without a number leaves a session that has ended`() throws {
    let binary = try SeismoBinary()
    defer { binary.remove() }
    let process = binary.process(["ingest", "--session", "a.seismo"])
    let result = try binary.result(of: process)
    let summary = SessionSummary(path: binary.path("a.seismo"))
    #expect(summary.state.isOver && !summary.isLive, "\(result.status) \(result.error)")
  }

  /// The lines of JSON of the session that `text` on standard input makes.
  private func ingested(_ text: String) throws -> [Substring] {
    let binary = try SeismoBinary()
    defer { binary.remove() }
    let process = binary.process(["ingest", "--no-monitor", "--session", "a.seismo"])
    let input = Pipe()
    process.standardInput = input
    process.standardError = FileHandle.nullDevice
    try process.run()
    try input.fileHandleForWriting.write(contentsOf: Data(text.utf8))
    try input.fileHandleForWriting.close()
    process.waitForEnd()
    #expect(process.terminationStatus == 0)
    return try binary.run(["export", "a.seismo", "--format", "json"]).output.split(separator: "\n")
  }

  @Test(arguments: [
    (["import", "absent"], Int32(65), "absent is not there"),
    (["import", "poem.txt"], 65, "poem.txt holds no number with a step"),
    (["export", "poem.txt", "--format", "csv"], 65, "poem.txt is no session"),
    (["export", "poem.txt", "--format", "xml"], 64, "xml"),
    (["reproduce", "absent.seismo"], 65, "no session at absent.seismo"),
    (["compare", "poem.txt"], 64, "two sessions"),
  ])
  func `what cannot be read is one line that names it`(
    arguments: [String], status: Int32, words: String
  ) throws {
    let binary = try SeismoBinary()
    defer { binary.remove() }
    try Data("a poem, not a run".utf8).write(to: binary.folder.appending(path: "poem.txt"))
    let result = try binary.run(arguments)
    #expect(result.status == status)
    #expect(result.errorLines.count == 1)
    #expect(result.error.contains(words), "\(result.error)")
  }
}
