import Foundation
import Testing

/// The loss of a checkpoint, with and without data that is named.
@Suite(.timeLimit(.minutes(15)))
struct EvaluateCommandTests {
  private static let small = [
    "train", "--preset", "tiny", "--width", "16", "--layers", "1", "--heads", "2", "--context",
    "16",
    "--batch", "4", "--steps", "8", "--headless", "--workers", "1", "--session", "a.seismo",
  ]
  private static let checkpoint = "a.checkpoints/step-000000008"

  private func loss(_ result: SeismoBinary.Result) -> Double? {
    result.output.split(separator: " ").dropFirst().first.flatMap { Double($0) }
  }

  @Test func `without data it is the part of the built-in language that was held out`() throws {
    let binary = try SeismoBinary()
    defer { binary.remove() }
    let run = try binary.run(Self.small)
    #expect(run.status == 0, "\(run.error)")
    let result = try binary.run(["eval", Self.checkpoint, "--workers", "1"])
    #expect(result.status == 0, "\(result.error)")
    #expect(result.output.hasSuffix(" tokens, held out of built-in language\n"))
    // A twentieth of two million bytes, in windows of 16.
    #expect(result.output.contains(" over 100000 tokens") || result.output.contains(" over 99"))
    let json = try binary.run(["eval", Self.checkpoint, "--json", "--workers", "2"])
    #expect(json.output.hasPrefix("{\"loss\":\(loss(result) ?? 0),\"tokens\":"))
  }

  @Test func `without data it is the held-out part of the run's own file, read as named data is`()
    throws
  {
    let binary = try SeismoBinary()
    defer { binary.remove() }
    let text = Data((0..<8000).map { UInt8(97 + ($0 * $0 / 7) % 26) })
    try text.write(to: binary.folder.appending(path: "text"))
    try text.suffix(2000).write(to: binary.folder.appending(path: "end"))
    let run = try binary.run(Self.small + ["--data", "text", "--eval-fraction", "0.25"])
    #expect(run.status == 0, "\(run.error)")
    let own = try binary.run(["eval", Self.checkpoint])
    let named = try binary.run(["eval", Self.checkpoint, "--data", "end"])
    #expect(own.output.hasSuffix(" over 1984 tokens, held out of text\n"), "\(own)")
    #expect(loss(own) != nil && loss(own) == loss(named))
    try text.dropFirst().write(to: binary.folder.appending(path: "text"))
    let changed = try binary.run(["eval", Self.checkpoint])
    #expect(changed.status == 65)
    #expect(changed.error.contains("text is not what its run was trained on any more: give data"))
  }

  @Test func `tasks have a rate each, and tries by a weak check an end`() throws {
    let binary = try SeismoBinary()
    defer { binary.remove() }
    let run = try binary.run(Self.small)
    #expect(run.status == 0, "\(run.error)")
    let tasks = """
      {"prompt":"a","check":{"regex":"^[a-m ]"},"tokens":1,"weak_check":{"regex":"^[a-z ]"}}
      {"prompt":"b","check":{"exact":"never so"},"weak_check":{"regex":"^ "}}
      """
    try Data(tasks.utf8).write(to: binary.folder.appending(path: "tasks"))
    let words = [
      "eval", Self.checkpoint, "--tasks", "tasks", "--most", "300", "--weak-tries", "100",
      "--workers",
    ]
    let json = try ["1", "2"].map { try binary.run(words + [$0, "--json"]) }
    #expect(json[0].status == 0 && json[0].output == json[1].output, "\(json[0].error)")
    let object = try JSONSerialization.jsonObject(with: Data(json[0].output.utf8))
    let members = try #require(object as? [String: Any])
    let rates = try #require(members["tasks"] as? [[String: Any]])
    #expect(rates.map { $0["passes"] as? Int } == [2, 0])
    #expect(rates[1]["tries"] as? Int == 300 && rates[1]["rate"] as? Double == 0)
    #expect(rates[0]["completeness"] as? Double == 1)
    #expect(members["resampling"] is [String: Any])
    let text = try binary.run(words + ["1"])
    #expect(text.output.contains("0 of 300\n2 tasks, mean rate "))
  }

  @Test func `a sweep's sizes have a law, of which the largest is told by the others`() throws {
    let binary = try SeismoBinary()
    defer { binary.remove() }
    let run = try binary.run([
      "sweep", "--preset", "tiny", "--width", "8,16,24", "--heads", "1", "--layers", "1",
      "--context", "16", "--batch", "4", "--steps", "6", "--eval-windows", "4", "--folder", "grid",
    ])
    #expect(run.status == 0, "\(run.error)")
    try Data("{\"prompt\":\"a\",\"check\":{\"regex\":\"^[a-m ]\"},\"tokens\":1}".utf8).write(
      to: binary.folder.appending(path: "tasks"))
    let words = ["eval", "grid", "--tasks", "tasks", "--passes", "20", "--workers", "1"]
    let json = try binary.run(words + ["--json"])
    #expect(json.status == 0, "\(json.error)")
    let object = try JSONSerialization.jsonObject(with: Data(json.output.utf8))
    let members = try #require(object as? [String: Any])
    let points = try #require(members["points"] as? [[String: Any]])
    let sizes = points.compactMap { $0["parameters"] as? Int }
    #expect(sizes.count == 3 && sizes == sizes.sorted())
    #expect(members["held_out"] is [String: Any])
    #expect(try binary.run(words).output.contains("the largest from the others, 1 tasks"))
  }

  @Test(arguments: [
    (["--tasks", "nowhere"], 65, "nowhere: no tasks there"),
    (["--tasks", "broken"], 65, "broken line 1: no JSON at byte "),
    (["--passes", "3"], 64, "--passes 3: give --tasks with it"),
    (["--tasks", "broken", "--most", "0"], 64, "--most 0: give a whole number from 1"),
    (["--tasks", "broken", "--data", "x"], 64, "--data and --tasks: give one of them"),
  ])
  func `tasks that cannot be tried are one line`(words: [String], code: Int32, line: String) throws
  {
    let binary = try SeismoBinary()
    defer { binary.remove() }
    try Data("{\"prompt\"".utf8).write(to: binary.folder.appending(path: "broken"))
    let result = try binary.run(["eval", "nowhere"] + words)
    #expect(result.status == code && result.errorLines.count == 1)
    #expect(result.error.hasPrefix("seismo: \(line)"), "\(result.error)")
  }
}
