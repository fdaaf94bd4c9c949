import Foundation
import TestSupport
import Testing

/// Folders that transformers has written, where commands usually read checkpoints.
@Suite(.timeLimit(.minutes(15)))
struct FolderCommandTests {
  private static let recorded = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "TrainingTests/Recorded")

  private static func path(_ name: String) -> String { recorded.appending(path: name).path }

  /// The program beside a text, ids, a task and a folder of other layers.
  private static let prepared = Result { () throws -> SeismoBinary in
    let binary = try SeismoBinary()
    try Data("some words to be read, some more of them".utf8)
      .write(to: binary.folder.appending(path: "text"))
    let ids = (0..<80).map { (index: Int) -> UInt16 in UInt16(index * 37 % 300) }
    try Data(ids.flatMap { (id: UInt16) -> [UInt8] in [UInt8(id & 255), UInt8(id >> 8)] })
      .write(to: binary.folder.appending(path: "ids"))
    try Data("{\"prompt\":\"a\",\"check\":{\"regex\":\".\"},\"tokens\":1}".utf8)
      .write(to: binary.folder.appending(path: "tasks"))
    try FileManager.default.copyItem(
      at: recorded.appending(path: "llama"), to: binary.folder.appending(path: "other"))
    let config = binary.folder.appending(path: "other/config.json")
    try String(contentsOf: config, encoding: .utf8).replacing("\"silu\"", with: "\"relu\"")
      .write(to: config, atomically: true, encoding: .utf8)
    return binary
  }

  private func run(_ words: String..., at name: String) throws -> SeismoBinary.Result {
    try Self.prepared.get().run(
      words.flatMap { $0.split(separator: " ").map(String.init) }
        .map { $0 == "F" ? Self.path(name) : $0 })
  }

  @Test(arguments: ["gpt2", "llama-tied", "persimmon"])
  func `a model of bytes is sampled, measured, estimated, tried, looked into and learnt from`(
    name: String
  ) throws {
    let sample = try run("sample F --prompt ab --tokens 9 --json", at: name)
    #expect(sample.status == 0 && sample.output.hasPrefix("{\"text\":"), "\(sample.error)")
    let loss = try run("eval F --data text", at: name)
    #expect(loss.status == 0 && loss.output.contains("over 36 tokens\n"), "\(loss)")
    let tasks = try run("eval F --tasks tasks --most 20", at: name)
    #expect(tasks.status == 0 && tasks.output.contains("1 tasks, mean rate"), "\(tasks)")
    let cost = try run("estimate F --prompt-bytes 2 --tokens 9 --workers 1", at: name)
    #expect(cost.status == 0 && cost.output.contains("a text of 6 tokens"), "\(cost.error)")
    let look = try run("inspect F --data text --windows 4 --json", at: name)
    #expect(look.status == 0 && look.output.contains("\"layers\":["), "\(look.error)")
    let bare = try run("inspect F --json", at: name)
    #expect(bare.status == 0 && !bare.output.contains("\"layers\":["), "\(bare.error)")
    let learnt = try run(
      "train --preset tiny --width 16 --layers 1 --heads 2 --context 6 --batch 4 --steps 3",
      "--headless --workers 1 --distil F --session \(name).seismo", at: name)
    #expect(learnt.status == 0, "\(learnt.error)")
    let again = try run("reproduce \(name).seismo --workers 1", at: name)
    #expect(again.status == 0 && again.output.contains("all equal"), "\(again.error)")
  }

  @Test func `a model of ids goes on from ids, and is measured on ids`() throws {
    let sample = try run(
      "sample F --prompt-ids 299,0,7 --tokens 5 --temperature 0 --json", at: "llama-ids")
    #expect(sample.status == 0, "\(sample.error)")
    let object = try JSONSerialization.jsonObject(with: Data(sample.output.utf8))
    let members = try #require(object as? [String: Any])
    let ids = try #require(members["ids"] as? [Int])
    #expect(ids.count == 5 && members["tokens"] as? Int == 5 && members["text"] == nil)
    #expect(sample.error.contains("context of 6 tokens") && sample.error.contains("5 tokens in"))
    let text = try run("sample F --prompt-ids 299,0,7 --tokens 5 --temperature 0", at: "llama-ids")
    #expect(text.output == ids.map(String.init).joined(separator: ",") + "\n")
    let loss = try run("eval F --data ids", at: "llama-ids")
    #expect(loss.status == 0 && loss.output.contains("over 78 tokens\n"), "\(loss)")
    // The bytes of a text are ids too.
    let bytes = try run("sample F --prompt-ids 97,98 --tokens 4 --temperature 0", at: "gpt2")
    let words = try run("sample F --prompt ab --tokens 4 --temperature 0 --json", at: "gpt2")
    let written = bytes.output.dropLast().split(separator: ",").compactMap { UInt8($0) }
    let told = try JSONSerialization.jsonObject(with: Data(words.output.utf8)) as? [String: Any]
    #expect(written.count == 4)
    #expect(told?["text"] as? String == String(decoding: written, as: UTF8.self))
  }

  @Test(arguments: [
    ("sample F --prompt a", "llama-ids", 65, "ids with 'seismo sample --prompt-ids'"),
    ("eval F --tasks tasks", "llama-ids", 65, "its 300 tokens are a tokenizer's"),
    ("inspect F --data ids --invariance", "llama-ids", 65, "its 300 tokens are a tokenizer's"),
    ("sample F --prompt-ids 1,300", "llama-ids", 64, "has the tokens 0 to 299: give some of them"),
    ("sample F --prompt-ids 1,-2", "llama-ids", 64, "'1,-2' is no value for --prompt-ids"),
    ("sample F", "gpt2", 64, "--prompt or --prompt-ids: give one of them"),
    ("sample F --prompt a --prompt-ids 1", "gpt2", 64, "--prompt or --prompt-ids: give one"),
    ("eval F", "gpt2", 65, "give data with --data"),
    ("inspect F --measures", "gpt2", 65, "leave --measures out"),
    ("inspect F --invariance", "gpt2", 65, "give --data with --invariance"),
    ("sample other --prompt a", "", 65, "other: its layers are not this program's (its activation"),
    ("eval other --data text", "", 65, "other: its layers are not this program's"),
    ("estimate other", "", 65, "other: its layers are not this program's"),
    ("inspect other --data text", "", 65, "other: its layers are not this program's"),
    ("train --preset tiny --distil other --headless", "", 65, "other: its layers are not"),
  ])
  func `what cannot be is one line`(
    words: String, name: String, code: Int32, line: String
  ) throws {
    let result = try run(words, at: name)
    #expect(result.status == code && result.errorLines.count == 1, "\(result)")
    #expect(result.error.contains(line), "\(result.error)")
  }

  @Test func `a context that no run has is refused with the folder, and what to change`() throws {
    let binary = try Self.prepared.get()
    try FileManager.default.copyItem(
      at: Self.recorded.appending(path: "llama"), to: binary.folder.appending(path: "long"))
    let config = binary.folder.appending(path: "long/config.json")
    let words = try String(contentsOf: config, encoding: .utf8)
    try words.replacing("_embeddings\": 6", with: "_embeddings\": 20000")
      .write(to: config, atomically: true, encoding: .utf8)
    let refused = try binary.run(["finetune", "long", "--headless"])
    #expect(refused.status == 65 && refused.errorLines.count == 1, "\(refused.error)")
    #expect(
      refused.error.contains(
        "long: its context is 20000, and that of a run a whole number from 1 to 16384: lower"
          + " max_position_embeddings in its config.json"), "\(refused.error)")
    // It writes all the same.
    let sample = try binary.run(["sample", "long", "--prompt", "a", "--tokens", "4"])
    #expect(sample.status == 0, "\(sample.error)")
  }
}
