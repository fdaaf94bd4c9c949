import Foundation
import Testing

@testable import seismo

/// What writing costs, from the command line.
@Suite(.timeLimit(.minutes(15)))
struct EstimateCommandTests {
  private func run(_ words: String) throws -> SeismoBinary.Result {
    let binary = try SeismoBinary()
    defer { binary.remove() }
    return try binary.run(words.split(separator: " ").map(String.init))
  }

  @Test func `an estimate has a row for each prompt and length, with what was measured`() throws {
    let result = try run(
      "estimate --preset tiny --prompt-bytes 4,8 --tokens 2..8 --workers 1 --json")
    #expect(result.status == 0, "\(result.error)")
    let object = try JSONSerialization.jsonObject(with: Data(result.output.utf8))
    let times = try #require((object as? [String: Any])?["times"] as? [[String: Any]])
    #expect(times.map { $0["tokens"] as? Int } == [2, 4, 8, 2, 4, 8])
    #expect(times.allSatisfy { $0["seconds"] as? Double ?? 0 > 0 && $0["measured"] is Double })
    let bare = try run(
      "estimate --preset moe-tiny --prompt-bytes 4 --tokens 4 --workers 1 --unmeasured")
    #expect(bare.status == 0 && bare.output.contains("estimate s\n"))
  }

  @Test func `a preset is timed as a model of any family`() throws {
    let words = "--preset tiny --workers 1 --architecture llama --kv-heads 1 --ffn-width 80"
    let step = try run("bench --steps 4 \(words) --feed-forward swiglu --no-tie-embeddings --json")
    #expect(step.status == 0, "\(step.error)")
    #expect(step.output.hasPrefix("{\"preset\":\"tiny\",\"architecture\":\"llama\","))
    let text = try run("bench --steps 4 --preset tiny --workers 1 --architecture gpt2")
    #expect(text.status == 0 && text.output.hasPrefix("tiny as gpt2 on 1 cores: "), "\(text)")
    func bytes(_ words: String) throws -> Int {
      let result = try run("estimate --prompt-bytes 4 --tokens 4 --unmeasured --json \(words)")
      #expect(result.status == 0, "\(result.error)")
      let object = try JSONSerialization.jsonObject(with: Data(result.output.utf8))
      return try #require((object as? [String: Any])?["weight_bytes"] as? Int)
    }
    // Keys and values are half as wide as queries. Per layer also three matrices of 80·D, the norms'
    // gains and those of qk-layernorm; then both tables and a gain.
    let llama = 2 * (3 * 64 * 64 + 3 * 80 * 64 + 2 * 64 + 2 * 32) + 2 * 256 * 64 + 64
    #expect(try bytes(words) == 8 * llama)
    #expect(try bytes("--preset tiny --workers 1") != 8 * llama)
  }

  @Test func `the landscape has a point for each setting, and its best`() throws {
    let result = try run("bench --sample --preset tiny --batch 1..4 --workers 1 --json")
    #expect(result.status == 0, "\(result.error)")
    let object = try JSONSerialization.jsonObject(with: Data(result.output.utf8))
    let members = try #require(object as? [String: Any])
    let points = try #require(members["points"] as? [[String: Any]])
    #expect(points.map { $0["batch"] as? Int } == [1, 2, 4])
    #expect(members["best"] is [String: Any] && members["steps"] as? Int == 2)
    let text = try run("bench --sample --preset tiny --batch 2 --workers 1")
    #expect(text.status == 0 && text.output.contains("best: 2 samples on 1 cores"))
  }

  @Test(arguments: [
    ("estimate", "CHECKPOINT or --preset: give one of them"),
    ("estimate x --preset tiny", "CHECKPOINT or --preset: give one of them"),
    ("estimate --preset huge", "--preset huge: give one of tiny"),
    ("estimate --preset tiny --tokens 0", "--tokens 0: give a whole number from 1 to 100000"),
    ("estimate --preset tiny --n 0", "--n 0: give a whole number from 1 to 4096"),
    ("estimate x --kv-heads 1", "--kv-heads: give it with --preset"),
    ("estimate --preset tiny --kv-heads 1", "kv-heads has no place in persimmon"),
    ("bench --architecture bert", "'bert' is no value for architecture: give persimmon, gpt2"),
    ("bench --architecture llama --kv-heads 3", "3 kv-heads do not divide the 4 heads"),
    ("bench --batch 1,2", "--batch 1,2: give one number, or --sample for a list"),
    ("bench --sample --steps 9", "--sample: leave out --ranks, --steps, --slices and --sparsity"),
    ("bench --sample --batch 4..1", "'4..1' is no value for --batch"),
  ])
  func `what cannot be is one line`(words: String, line: String) throws {
    let result = try run(words)
    #expect(result.status == 64 && result.errorLines.count == 1)
    #expect(result.error.hasPrefix("seismo: \(line)"), "\(result.error)")
  }

  @Test func `a list doubles between two dots`() {
    #expect(CountList(argument: "1,2,4..64")?.values == [1, 2, 4, 8, 16, 32, 64])
    #expect(CountList(argument: "3..10")?.values == [3, 6, 10])
    #expect(CountList(argument: "7")?.values == [7])
    for words in ["", "1,", "a", "4..1", "0..4", "1..2..3", "1...4"] {
      #expect(CountList(argument: words) == nil, "\(words)")
    }
  }
}
