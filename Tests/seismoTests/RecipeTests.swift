import Foundation
import Glibc
import Telemetry
import Testing
import TestSupport
import Training

@testable import Runs
@testable import seismo

/// Each recipe of the README is run by the real program, scaled down, in a folder that has what the
/// recipe takes for granted.
@Suite(.timeLimit(.minutes(15)))
struct RecipeTests {
  /// The smallest model and so few steps that a recipe takes a second.
  private static let small =
    "--width 16 --layers 1 --heads 2 --context 16 --batch 4 --workers 1 --headless"

  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  /// The recordings that are shipped, some text, another tool's log and a run called NAME.
  private func kitchen() throws -> SeismoBinary {
    let binary = try SeismoBinary()
    let files = FileManager.default
    try files.copyItem(
      at: Self.root.appending(path: "sessions"), to: binary.folder.appending(path: "sessions"))
    try files.createDirectory(
      at: binary.folder.appending(path: "path/to/logs"), withIntermediateDirectories: true)
    try Data(String(repeating: "a text of one's own\n", count: 400).utf8).write(
      to: binary.folder.appending(path: "path/to/text"))
    try Data("step,loss\n1,2.5\n2,2.25\n".utf8).write(
      to: binary.folder.appending(path: "path/to/logs/metrics.csv"))
    try Data("{\"prompt\":\"a\",\"check\":{\"regex\":\"^[a-m ]\"},\"tokens\":1}".utf8).write(
      to: binary.folder.appending(path: "tasks.jsonl"))
    try files.createDirectory(
      at: binary.folder.appending(path: "runs"), withIntermediateDirectories: true)
    try Data(
      "{\"run\":{\"protocol\":1,\"name\":\"gpt\"}}\n{\"step\":1,\"metrics\":{\"loss\":2}}\n".utf8
    )
    .write(to: binary.folder.appending(path: "runs/gpt.jsonl"))
    let run = try binary.shell(
      "\(Recipe.command) train --preset tiny --steps 500 --session sessions/NAME.seismo "
        + Self.small)
    try #require(run.status == 0, "\(run.error)")
    for model in ["model", "one", "other"] {
      try files.copyItem(
        atPath: binary.path("sessions/NAME.checkpoints/step-000000500"),
        toPath: binary.path("path/to/\(model)"))
    }
    let tuned = try binary.shell(
      "\(Recipe.command) finetune path/to/model --method lora --steps 2 --workers 1 --headless"
        + " --session tuned.seismo")
    try #require(tuned.status == 0, "\(tuned.error)")
    try files.copyItem(
      atPath: binary.path("tuned.checkpoints/step-000000002/adapter"),
      toPath: binary.path("path/to/adapter"))
    try files.copyItem(
      atPath: binary.path("sessions/NAME.seismo"), toPath: binary.path("sessions/SHORT.seismo"))
    return binary
  }

  /// The recipe with less to do; nothing that it says is left out.
  private func scaled(_ line: String) -> String {
    let words = line.dropFirst(Recipe.command.count).split(separator: " ")
    switch words.first {
    case "train":
      let (head, target) = (line.prefix { $0 != ">" }, line.drop { $0 != ">" })
      let small =
        line.contains("--ssm-layers")
        ? Self.small.replacing("--layers 1", with: "--layers 4") : Self.small
      let size = line.contains("--resume") ? "--workers 1 --headless" : small
      let steps = line.contains("--resume") ? 520 : 200
      return "\(head) \(size) --steps \(steps) \(target)"
    case "sweep":
      let own = Self.small.replacing(" --workers 1", with: "")
      let small = line.contains("--layers") ? own.replacing(" --layers 1", with: "") : own
      return line.replacing(/--steps \d+/, with: "--steps 20").replacing(
        "--data Sources", with: "--data path/to/text") + " \(small)"
    case "finetune": return "\(line) --steps 4 --workers 1 --headless"
    case "eval" where line.contains("--tasks"): return line + " --most 200 --workers 1"
    case "bench":
      return line.replacing("--preset small", with: "--preset tiny").replacing("4..64", with: "4")
    case "reproduce":
      // A run of a few steps instead of one of minutes.
      return line.replacing(/sessions\/\w+\.seismo/, with: "sessions/SHORT.seismo")
    default: return line
    }
  }

  @Test func `the README has recipes of all kinds`() throws {
    let recipes = try Recipe.all
    let commands = recipes.compactMap { if case .command(let line) = $0 { line } else { nil } }
    for command in [
      "train", "sweep", "forecast", "suggest", "pick", "replay", "watch", "control", "export",
      "compare", "reproduce", "eval", "sample", "estimate", "bench", "merge",
    ] {
      #expect(commands.contains { $0.hasPrefix("\(Recipe.command) \(command)") }, "\(command)")
    }
    #expect(commands.contains(Recipe.command))
    #expect(commands.count >= 15 && recipes.count - commands.count >= 4)
  }

  @Test(.timeLimit(.minutes(15)))
  func `every command of the README does what it is there for`() throws {
    let binary = try kitchen()
    defer { binary.remove() }
    var live: Process?
    defer { live.map(Self.end) }
    for recipe in try Recipe.all {
      switch recipe {
      case .toml(let text):
        try text.write(toFile: binary.path("run.toml"), atomically: true, encoding: .utf8)
      case .command(let line) where line == Recipe.command: try trainsWithoutWords(binary)
      case .command(let line) where line.contains(" control runs/"):
        // The trainer of this file is gone; that a living one is reached, its own tests show.
        let result = try binary.shell(line)
        #expect(result.status == 65 && result.error.contains("runs/gpt.jsonl"), "\(line)")
      case .command(let line) where line.contains(" control "):
        if live == nil { live = try binary.live("sessions/LIVE.seismo") }
        try expectSuccess(line.replacing("NAME", with: "LIVE"), binary)
      case .command(let line) where line.contains("watch "):
        let result = try binary.shell(line)
        #expect(
          result.status == 64 && result.error.contains("watch needs a terminal"),
          "\(line): \(result.error)")
      case .command(let line): try expectSuccess(scaled(line), binary)
      }
    }
  }

  private func expectSuccess(_ line: String, _ binary: SeismoBinary) throws {
    let result = try binary.shell(line)
    #expect(result.status == 0, "\(line): \(result.error)")
    #expect(result.errorLines.allSatisfy { !$0.contains("unknown") }, "\(line): \(result.error)")
    guard let file = line.range(of: "> ") ?? line.range(of: "--output ") ?? line.range(of: "--svg ")
    else { return }
    let name = line[file.upperBound...].prefix { $0 != " " }
    let size = try FileManager.default.attributesOfItem(atPath: binary.path(String(name)))[.size]
    #expect((size as? Int) ?? 0 > 0, "\(line) wrote nothing to \(name)")
  }

  /// Without a word the program trains at once, here without a screen.
  private func trainsWithoutWords(_ binary: SeismoBinary) throws {
    let process = binary.process([])
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    #expect(!output.fileHandleForReading.availableData.isEmpty)
    process.terminate()
    _ = try output.fileHandleForReading.readToEnd()
    process.waitForEnd()
    #expect(process.terminationStatus == 143)
  }

  private static func end(_ process: Process) {
    kill(process.processIdentifier, SIGKILL)
    process.waitForEnd()
  }

  @Test func `every block of the README is a run.toml or a person's settings`() throws {
    for case .toml(let text) in try Recipe.all {
      let settings = UserConfiguration(text: text, path: "config.toml")
      guard !settings.warnings.isEmpty else { continue }
      #expect(throws: Never.self, "\(text)") { try RunFile(text: text, path: "run.toml") }
    }
  }

  @Test func `what the README scripts by step happens at that step`() throws {
    let files = try Recipe.all.compactMap { recipe in
      if case .toml(let text) = recipe, text.contains("[[at]]") { text } else { nil }
    }
    #expect(!files.isEmpty)
    for text in files {
      let binary = try SeismoBinary()
      defer { binary.remove() }
      let script = try RunFile(text: text, path: "run.toml").script
      try text.write(toFile: binary.path("run.toml"), atomically: true, encoding: .utf8)
      let run = try binary.shell(
        "\(Recipe.command) train --config run.toml --json --steps"
          + " \((script.last?.step ?? 0) + 2) \(Self.small)")
      #expect(run.status == 0, "\(run.error)")
      for line in script {
        #expect(
          run.output.contains("{\"step\":\(line.step),\"event\":\"\(line.command.kind)\""),
          "\(line)")
      }
    }
  }
}

extension Command {
  /// The first word, which is also its event's.
  fileprivate var kind: Substring { words.prefix { $0 != " " } }
}

/// The rules of the README, in a run that is brought to where they are to help.
@Suite(.timeLimit(.minutes(15)))
struct RuleRecipeTests {
  private static let start = 60

  /// A block with rules, and the numbers in it.
  private struct Block {
    let text: String

    func number(_ key: String) -> Int? {
      for line in text.split(separator: "\n") {
        let parts = line.split(separator: "=").map { $0.trimmingCharacters(in: .whitespaces) }
        if parts.count == 2, parts[0] == key { return Int(parts[1]) }
      }
      return nil
    }
  }

  private static var blocks: [Block] {
    get throws {
      try Recipe.all.compactMap { recipe in
        if case .toml(let text) = recipe, text.contains("[[when]]") {
          Block(text: text)
        } else {
          nil
        }
      }
    }
  }

  /// The rate is raised a thousandfold at a step: from then on, and not before, a rule has a reason.
  @Test(.timeLimit(.minutes(15))) func `a rule acts when its condition comes, and no oftener`()
    throws
  {
    let blocks = try Self.blocks
    #expect(!blocks.isEmpty)
    for block in blocks {
      let rule = try #require(try RunFile(text: block.text, path: "run.toml").autopilot.first)
      let isPatient = block.number("after") != nil || block.number("for") != nil
      let trouble = (block.number("after") ?? 0) + Self.start
      let binary = try SeismoBinary()
      defer { binary.remove() }
      try run(block, trouble: trouble, binary)
      let output = try String(contentsOfFile: binary.path("run.jsonl"), encoding: .utf8)
      let lines = output.split(separator: "\n").map(String.init)
      let acts = lines.indices.filter { lines[$0].contains("\"by\":\"autopilot\"") }
      let firings = acts.count { lines[$0].contains("\"event\":\"note\"") }
      #expect((1...rule.limit).contains(firings), "it acted \(firings) times")
      let before = lines[..<(acts.first ?? 0)].filter { $0.contains("\"metrics\"") }
      // Without a step to begin at, a fresh model's loss is reason enough.
      if isPatient { #expect(before.count > trouble, "it acted after \(before.count) steps") }
      #expect(before.last?.contains("\"\(rule.metric)\":") == true)
    }
  }

  private func run(_ block: Block, trouble: Int, _ binary: SeismoBinary) throws {
    let text =
      block.text + """

        [[at]]
        step = \(trouble)
        command = "set lr.multiplier 1000"

        """
    try text.write(toFile: binary.path("run.toml"), atomically: true, encoding: .utf8)
    let run = try binary.shell(
      "\(Recipe.command) train --config run.toml --preset tiny --width 16 --layers 1 --heads 2"
        + " --context 16 --batch 4 --workers 1 --json --checkpoint-every 20 --warmup 5 --lr 1e-2"
        + " --steps \(trouble + (block.number("for") ?? 1) + 60) > run.jsonl")
    #expect(run.status == 0 || run.error.contains("diverged"), "\(run.error)")
  }
}

extension SeismoBinary {
  /// Runs a line as a reader's shell would, the built program in the place of the one to build.
  func shell(_ line: String) throws -> Result {
    let built = "'\(Self.executable.path)'"
    let process = process([])
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", line.replacing(Recipe.command, with: built)]
    return try result(of: process)
  }

  /// A run that goes on until it is ended, once it takes commands.
  func live(_ session: String) throws -> Process {
    let process = process([
      "train", "--preset", "tiny", "--headless", "--steps", "1000000", "--workers", "1",
      "--session", session,
    ])
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    _ = output.fileHandleForReading.availableData
    output.drain()
    return process
  }
}
