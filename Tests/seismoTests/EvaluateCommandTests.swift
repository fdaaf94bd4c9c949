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
}
