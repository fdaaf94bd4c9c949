import Foundation
import Glibc
import Telemetry
import Testing
import TestSupport

/// The real program from end to end, without a terminal.
@Suite(.timeLimit(.minutes(15)))
struct TrainingCommandTests {
  private static let base = ["train", "--preset", "tiny", "--headless", "--json"]

  /// The step objects of a run, without what a clock says.
  private static func steps(_ result: SeismoBinary.Result) -> [[Substring]] {
    result.output.split(separator: "\n").filter { $0.contains("\"metrics\"") }.map { line in
      line.split(whereSeparator: { "{},".contains($0) }).filter { entry in
        let name = entry.split(separator: "\"").first.map(String.init) ?? ""
        return MetricCatalog.family(of: MetricName(name))?.isMeasuredByClock != true
      }
    }
  }

  @Test func `one worker or two, stopped and resumed or not: the same numbers`() throws {
    let binary = try SeismoBinary()
    defer { binary.remove() }
    let one = try binary.run(
      Self.base + [
        "--steps", "30", "--session", "a.seismo", "--workers", "1",
        "--checkpoint-every", "15",
      ])
    let two = try binary.run(
      Self.base + ["--steps", "30", "--session", "b.seismo", "--workers", "2"])
    #expect(one.status == 0 && two.status == 0)
    #expect(Self.steps(one).count == 30)
    #expect(Self.steps(one) == Self.steps(two))
    let rest = try binary.run([
      "train", "--headless", "--json", "--steps", "30", "--resume", "a.checkpoints/step-000000015",
      "--session", "c.seismo",
    ])
    #expect(Self.steps(rest) == Array(Self.steps(one).dropFirst(15)))
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: binary.folder.path)
        .filter { $0.hasSuffix("-wal") || $0.hasSuffix("-shm") || $0.contains("lock") } == [])
  }

  @Test func `a run goes on without gradients, whatever Adam was told`() throws {
    let binary = try SeismoBinary()
    defer { binary.remove() }
    let first = ["--steps", "4", "--adam-beta2", "0.9", "--adam-eps", "1e-7"]
    #expect(try binary.run(Self.base + first + ["--session", "a.seismo"]).status == 0)
    let rest = try binary.run([
      "train", "--headless", "--json", "--resume", "a.checkpoints/step-000000004", "--steps", "6",
      "--optimizer", "mezo", "--lr", "1e-4",
    ])
    #expect(rest.status == 0, "\(rest.error)")
    #expect(Self.steps(rest).count == 2)
  }

  @Test func `a script in run.toml switches at its step and leaves the loss of that step alone`()
    throws
  {
    let binary = try SeismoBinary()
    defer { binary.remove() }
    try Data(
      """
      preset = "tiny"
      steps = 20
      headless = true
      json = true
      [[at]]
      step = 10
      command = "set qk_layernorm on"
      """.utf8
    ).write(to: binary.folder.appending(path: "run.toml"))
    let plain = try binary.run(Self.base + ["--steps", "20", "--session", "a.seismo"])
    let switched = try binary.run(["train", "--config", "run.toml", "--session", "b.seismo"])
    #expect(switched.status == 0, "\(switched.error)")
    let losses = [plain, switched].map { result in
      Self.steps(result).map { $0.prefix(3) }
    }
    #expect(Self.steps(plain).prefix(11) == Self.steps(switched).prefix(11))
    #expect(Self.steps(plain)[11] != Self.steps(switched)[11])
    #expect(losses[0].count == losses[1].count)
    #expect(
      switched.output.contains(
        "{\"step\":10,\"event\":\"set\",\"name\":\"qk_layernorm\",\"before\":\"off\","
          + "\"after\":\"on\",\"by\":\"run.toml\""))
  }

  @Test func `a recording prints its screens without a terminal`() throws {
    let binary = try SeismoBinary()
    defer { binary.remove() }
    #expect(try binary.run(Self.base + ["--steps", "12", "--session", "a.seismo"]).status == 0)
    for (columns, rows) in [(40, 12), (80, 24), (120, 40), (200, 60)] {
      let text = try binary.run(
        ["replay", "a.seismo", "--size", "\(columns)x\(rows)", "--text"])
      let lines = text.output.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
      #expect(lines.count == rows)
      #expect(text.output.contains("step 12/12"))
      #expect(text.output.contains("loss"))
    }
    let pane = try binary.run(
      ["replay", "a.seismo", "--pane", "attention-logits", "--size", "50x14", "--text"])
    #expect(pane.output.hasPrefix("┌─ ²attention logits "))
    #expect(pane.output.split(separator: "\n").count == 14)
    let svg = try binary.run(["replay", "a.seismo", "--svg", "-", "--at", "5"])
    #expect(svg.output.hasPrefix("<svg") || svg.output.hasPrefix("<?xml"))
    let list = try binary.run(["sessions", "."])
    #expect(list.output.contains("finished"))
  }

  @Test(arguments: [(SIGINT, Int32(130)), (SIGTERM, Int32(143))])
  func `a signal ends the run between two steps, with a checkpoint and a whole session`(
    number: Int32, status: Int32
  ) throws {
    let binary = try SeismoBinary()
    defer { binary.remove() }
    let process = binary.process([
      "train", "--preset", "tiny", "--headless", "--steps", "1000000", "--session", "a.seismo",
    ])
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    #expect(!output.fileHandleForReading.availableData.isEmpty)
    let session = binary.path("a.seismo")
    kill(process.processIdentifier, number)
    process.waitForEnd()
    #expect(process.terminationStatus == status)
    #expect(!FileManager.default.fileExists(atPath: session + "-wal"))
    let checkpoints = try FileManager.default.contentsOfDirectory(
      atPath: binary.path("a.checkpoints"))
    #expect(checkpoints.count == 1)
  }

  @Test func `a run that went back and branched off is reproduced, and the original stays whole`()
    throws
  {
    let binary = try SeismoBinary()
    defer { binary.remove() }
    try Data(
      """
      preset = "tiny"
      steps = 30
      checkpoint-every = 10
      [[at]]
      step = 12
      command = "set z_loss 1e-4"
      [[at]]
      step = 18
      commands = ["rewind 10 skip 7", "set lr.multiplier 0.5"]
      [[at]]
      step = 25
      command = "branch probe"
      [[when]]
      metric = "loss"
      below = 4.5
      command = "set weight_decay 1e-3"
      """.utf8
    ).write(to: binary.folder.appending(path: "run.toml"))
    let run = try binary.run(
      ["train", "--config", "run.toml", "--headless", "--json", "--session", "a.seismo"])
    #expect(run.status == 0, "\(run.error)")
    #expect(run.output.contains("{\"step\":10,\"event\":\"rewind\",\"name\":\"step-000000010\""))
    #expect(run.output.contains("\"after\":0.001,\"by\":\"autopilot\""))
    #expect(Self.steps(run).count == 38)
    for (name, steps) in [("a", 25), ("probe", 30)] {
      let again = try binary.run(["reproduce", "\(name).seismo"])
      #expect(again.status == 0, "\(again.error)")
      #expect(again.output.contains("over \(steps) steps compared: all equal, bit for bit"))
    }
    #expect(try binary.run(["sessions", "."]).output.contains("stopped"))
    let rest = try binary.run([
      "train", "--headless", "--json", "--resume", "a.checkpoints/step-000000025",
      "--session", "c.seismo",
    ])
    #expect(Self.steps(rest) == Array(Self.steps(run).suffix(5)))
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: binary.path("probe.checkpoints")).sorted()
        == [
          "step-000000000", "step-000000010", "step-000000020", "step-000000025", "step-000000030",
        ])
  }
}
