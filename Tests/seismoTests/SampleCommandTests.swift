import Foundation
import Testing

@testable import Training
@testable import seismo

/// What a checkpoint writes, from the command line.
@Suite(.timeLimit(.minutes(15)))
struct SampleCommandTests {
  private static let checkpoint = "a.checkpoints/step-000000008"

  private static let trained = Result { () throws -> SeismoBinary in
    let binary = try SeismoBinary()
    let run = try binary.run([
      "train", "--preset", "tiny", "--width", "16", "--layers", "1", "--heads", "2", "--context",
      "16", "--batch", "4", "--steps", "8", "--headless", "--workers", "1", "--session", "a.seismo",
    ])
    try #require(run.status == 0, "\(run.error)")
    return binary
  }

  private func sample(_ words: String..., prompt: String = "a") throws -> SeismoBinary.Result {
    try Self.trained.get().run(
      ["sample", Self.checkpoint, "--prompt", prompt]
        + words.flatMap { $0.split(separator: " ") }
        .map(String.init))
  }

  private struct Line: Decodable, Equatable {
    let text: String
    let tokens: Int
    let logprob: Double
  }

  private func lines(_ result: SeismoBinary.Result) throws -> [Line] {
    try result.output.split(separator: "\n").map {
      try JSONDecoder().decode(Line.self, from: Data($0.utf8))
    }
  }

  @Test func `a line a sample, the same ones whatever the workers and the number`() throws {
    let one = try sample("--tokens 12 --n 5 --seed 3 --workers 1 --json")
    #expect(one.status == 0, "\(one.error)")
    let written = try lines(one)
    #expect(written.count == 5 && written.allSatisfy { $0.tokens == 12 && $0.logprob < 0 })
    #expect(Set(written.map(\.text)).count == 5)
    #expect(one.error.contains(" bytes in ") && !one.error.contains("slides"))
    let two = try sample("--tokens 12 --n 3 --seed 3 --workers 2 --json")
    #expect(try lines(two) == Array(written[..<3]))
    let greedy = try ["1", "7"].map {
      try lines(sample("--tokens 12 --temperature 0 --seed \($0) --json"))
    }
    #expect(greedy[0] == greedy[1] && greedy[0].count == 1)
  }

  @Test func `a session's run is asked for its weights, and one that is over for its last`() throws
  {
    let over = try Self.trained.get()
    let words = ["--prompt", "a", "--tokens", "12", "--json"]
    let named = try over.run(["sample", "a.seismo"] + words)
    #expect(named.status == 0 && named.error.contains("last checkpoint, step 8"), "\(named.error)")
    #expect(try lines(named) == lines(sample("--tokens 12 --json")))

    let live = try LiveBinary(["--width", "16", "--layers", "1", "--heads", "2", "--context", "16"])
    defer { live.end() }
    let asked = try live.binary.run(["sample", "a.seismo"] + words)
    #expect(asked.status == 0 && asked.error.contains("the live run's weights at step"))
    #expect(try lines(asked).map(\.tokens) == [12])
    #expect(try live.control("pause").status == 0)
    let paused = try (0..<2).map { _ in try live.binary.run(["sample", "a.seismo"] + words) }
    #expect(paused[0].output == paused[1].output && paused[0].status == 0)
  }

  @Test func `beyond the trained context the window slides, which is told once`() throws {
    let result = try sample("--tokens 40 --n 3 --json", prompt: "of twenty bytes or so")
    #expect(try lines(result).map(\.tokens) == [40, 40, 40])
    #expect(result.errorLines.count { $0.contains("trained context of 16 bytes") } == 1)
  }

  @Test func `what is no text reaches no terminal`() throws {
    let sample = TextSample(ids: [0x41, 0x1b, 0x5b, 0xff, 0x0a, 0xc2, 0x9b], logProbability: -1)
    #expect(sample.shown == "A\\u{1b}[\u{fffd}\n\\u{9b}")
    #expect(
      sample.json(isText: true)
        == "{\"text\":\"A\\u001b[\u{fffd}\\n\u{9b}\",\"tokens\":7,\"logprob\":-1.0}")
    let text = try self.sample("--tokens 60 --temperature 3 --n 2")
    #expect(text.status == 0 && text.output.hasPrefix("--- 0\n"))
    let controls = text.output.unicodeScalars.filter {
      $0.properties.generalCategory == .control && $0 != "\n" && $0 != "\t"
    }
    #expect(controls.isEmpty)
  }

  @Test(arguments: [
    ("--temperature -1", "--temperature -1.0: give a number from 0"),
    ("--temperature nan", "--temperature nan: give a number from 0"),
    ("--top-p 0", "--top-p 0.0: give a number above 0, up to 1"),
    ("--top-p 1.5", "--top-p 1.5: give a number above 0, up to 1"),
    ("--top-k 0", "--top-k 0: give a whole number from 1 to 65536"),
    ("--tokens 0", "--tokens 0: give a whole number from 1 to 1000000"),
    ("--n 0", "--n 0: give a whole number from 1 to 1000000"),
    ("--workers 0", "--workers 0: give a whole number from 1 to 256"),
  ])
  func `an option that cannot be is one line`(words: String, line: String) throws {
    let result = try sample(words.replacing(" ", with: "="))
    #expect(result.status == 64 && result.output.isEmpty)
    #expect(result.errorLines == ["seismo: \(line)"[...]])
  }

  @Test func `an empty prompt and a checkpoint that is none are one line each`() throws {
    let empty = try sample(prompt: "")
    #expect(empty.status == 64)
    #expect(empty.errorLines == ["seismo: --prompt: give a text of at least one byte"])
    let nowhere = try Self.trained.get().run(["sample", "nowhere", "--prompt", "a"])
    #expect(nowhere.status == 65 && nowhere.errorLines.count == 1)
    #expect(nowhere.error.hasPrefix("seismo: nowhere: no checkpoint there"))
  }

  @Test func `weights that are no numbers are one line`() throws {
    let binary = try Self.trained.get()
    let broken = binary.path("broken-\(UUID().uuidString)")
    try FileManager.default.copyItem(atPath: binary.path(Self.checkpoint), toPath: broken)
    let file = URL(fileURLWithPath: broken + "/model.safetensors")
    var bytes = try Data(contentsOf: file)
    bytes.replaceSubrange(bytes.count - 4..<bytes.count, with: [0, 0, 0xc0, 0x7f])
    try bytes.write(to: file)
    let result = try binary.run(["sample", broken, "--prompt", "a"])
    #expect(result.status == 65 && result.output.isEmpty && result.errorLines.count == 1)
    #expect(result.error.contains("holds numbers that are not finite"))
  }
}
