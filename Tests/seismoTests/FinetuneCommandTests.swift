import Foundation
import Testing
import Training

/// A checkpoint that is trained on, from the command line.
@Suite(.timeLimit(.minutes(15)))
struct FinetuneCommandTests {
  private static let base = "a.checkpoints/step-000000008"
  private static let short = ["--steps", "6", "--workers", "1", "--headless"]

  private static let trained = Result { () throws -> SeismoBinary in
    let binary = try SeismoBinary()
    for (name, options) in [("a", ["--preset", "tiny"]), ("moe", ["--preset", "moe-tiny"])] {
      let run = try binary.run(
        ["train"] + options + [
          "--width", "16", "--layers", "2", "--heads", "2", "--context", "16", "--batch", "4",
          "--steps", "8", "--headless", "--workers", "1", "--session", "\(name).seismo",
        ])
      try #require(run.status == 0, "\(run.error)")
    }
    return binary
  }

  @Test func `an adapter is trained, sampled, resumed, reproduced and merged`() throws {
    let binary = try Self.trained.get()
    let run = try binary.run(
      [
        "finetune", Self.base, "--method", "lora", "--rank", "4", "--checkpoint-every", "3",
        "--session", "b.seismo", "--merge-into", "b-merged",
      ] + Self.short)
    #expect(run.status == 0, "\(run.error)")
    #expect(run.output.contains("into b-merged"))
    let tuned = "b.checkpoints/step-000000006"
    for name in ["adapter_config.json", "adapter_model.safetensors"] {
      #expect(FileManager.default.fileExists(atPath: binary.path("\(tuned)/adapter/\(name)")))
    }
    let losses = try [tuned, "b-merged"].map { path -> Double in
      let result = try binary.run(["eval", path, "--workers", "1"])
      #expect(result.status == 0, "\(result.error)")
      return try #require(Double(result.output.split(separator: " ")[1]))
    }
    #expect(abs(losses[0] - losses[1]) < 1e-5)
    for path in [tuned, "b-merged"] {
      let sample = try binary.run(["sample", path, "--prompt", "a", "--tokens", "8"])
      #expect(sample.status == 0, "\(sample.error)")
    }
    #expect(try binary.run(["reproduce", "b.seismo", "--workers", "1"]).status == 0)
    let resumed = try binary.run(
      ["train", "--resume", "b.checkpoints/step-000000003", "--branch", "c"] + Self.short)
    #expect(resumed.status == 0, "\(resumed.error)")
    let weights = try ["b", "c"].map {
      try Data(
        contentsOf: URL(
          fileURLWithPath: binary.path(
            "\($0).checkpoints/step-000000006/adapter/adapter_model.safetensors")))
    }
    #expect(weights[0] == weights[1])
    let merged = try binary.run(["finetune", tuned, "--merge-into", "b-again"])
    #expect(
      merged.status == 0 && merged.output == "merged \(tuned) into b-again\n", "\(merged.error)")
  }

  @Test(arguments: [
    (["nowhere"], 65, "nowhere: no checkpoint there"),
    ([base, "--rank", "4"], 64, "rank is an adapter's: give --method lora"),
    ([base, "--method", "lora", "--rank", "0"], 64, "'0' is no value for rank"),
    ([base, "--method", "lora", "--rank", "17"], 64, "give 1 to 16"),
    ([base, "--method", "magic"], 64, "give full, lora"),
    ([base, "--width", "32"], 64, "leave the sizes out"),
    (["moe.checkpoints", "--method", "lora"], 64, "no place in a mixture of experts"),
    ([base, "--base", base], 64, "named without an option"),
    ([base, "--resume", base], 64, "'seismo train --resume' goes on"),
    ([base, "--merge-into", "a.checkpoints"], 65, "a.checkpoints exists"),
    ([base, "--merge-into", "new"], 65, "has no adapter to merge"),
    ([base, "--method", "prefix", "--merge-into", "new"], 65, "is no part of a weight"),
    ([base, "--compare", "magic"], 64, "'magic' is no method for --compare"),
    ([base, "--compare", "all", "--method", "lora"], 64, "--compare and --method: give one"),
    ([base, "--seeds", "1"], 64, "--seeds: give --compare with it"),
    ([base, "--light", "3"], 64, "light prunes beside lora and bottleneck, not beside full"),
    ([base, "--method", "lora", "--light-ranks", "0.5"], 64, "light-ranks belongs to --light"),
    ([base, "--reward", "loud"], 64, "'loud' is no value for reward"),
    ([base, "--adapter", "nowhere"], 65, "nowhere: no adapter_config.json in it"),
  ])
  func `what cannot be is one line`(arguments: [String], status: Int32, text: String) throws {
    let result = try Self.trained.get().run(["finetune"] + arguments + Self.short)
    #expect(result.status == status, "\(result.error)")
    #expect(result.errorLines.count == 1 && result.error.contains(text), "\(result.error)")
  }

  @Test func `texts are rewarded by a program, a pattern and the language's checker`() throws {
    let binary = try Self.trained.get()
    for (name, reward) in [
      ("r", "regex:[aeiou]{2}"), ("w", "words"),
      ("p", "command:while read line; do echo ${#line}; done"),
    ] {
      let run = try binary.run(
        [
          "finetune", Self.base, "--method", "lora", "--reward", reward, "--session",
          "\(name).seismo",
        ] + Self.short)
      #expect(run.status == 0, "\(run.error)")
    }
    #expect(try binary.run(["reproduce", "w.seismo", "--workers", "1"]).status == 0)
    let broken = try binary.run(
      ["finetune", Self.base, "--reward", "regex:[", "--session", "x.seismo"] + Self.short)
    #expect(broken.status == 64 && broken.error.contains("a regular expression behind regex:"))
    let silent = try binary.run(
      [
        "finetune", Self.base, "--reward", "command:while read line; do echo no; done", "--session",
        "y.seismo",
      ] + Self.short)
    #expect(silent.status == 1 && silent.error.contains("it answers 'no'"), "\(silent.error)")
  }

  @Test(arguments: ["gpt2", "llama"])
  func `all methods that a family has are compared`(family: String) throws {
    let binary = try Self.trained.get()
    let made = try binary.run([
      "train", "--preset", "tiny", "--architecture", family, "--width", "16", "--layers", "2",
      "--heads", "2", "--context", "16", "--batch", "4", "--steps", "2", "--headless", "--workers",
      "1", "--session", "\(family).seismo",
    ])
    try #require(made.status == 0, "\(made.error)")
    let run = try binary.run(
      [
        "finetune", "\(family).checkpoints", "--compare", "all", "--seeds", "0", "--rank", "1",
        "--session", "\(family)-compared", "--json",
      ] + Self.short)
    #expect(run.status == 0, "\(run.error)")
    let table = try JSONDecoder().decode(Table.self, from: Data(run.output.utf8))
    #expect(Set(table.methods.map(\.method)) == Set(RunOptionCatalog.methods))
  }

  @Test func `the methods are compared in a table and as JSON`() throws {
    let binary = try Self.trained.get()
    let run = try binary.run(
      [
        "finetune", Self.base, "--compare", "lora,svfit", "--seeds", "0,1", "--session", "compared",
        "--weight-decay", "0.01",
      ] + Self.short)
    #expect(run.status == 0, "\(run.error)")
    let lines = run.output.split(separator: "\n")
    #expect(lines.count == 6 + 5, "\(run.output)")
    #expect(
      lines[7].hasPrefix("full ") && lines[8].hasPrefix("lora ") && lines[9].hasPrefix("svfit"))
    let sessions = try binary.run(["sessions", "compared"])
    #expect(sessions.output.contains("svfit-seed1"))
    let json = try binary.run(
      [
        "finetune", Self.base, "--compare", "rank1", "--seeds", "3", "--session", "again", "--json",
      ] + Self.short)
    let table = try JSONDecoder().decode(Table.self, from: Data(json.output.utf8))
    #expect(table.methods.map(\.method) == ["full", "rank1"])
    #expect(table.methods[1].parameters < table.methods[0].parameters / 4)
    #expect(table.methods[1].bytes < table.methods[0].bytes)
    #expect(table.methods.allSatisfy { $0.losses.count == 1 && $0.losses[0] < 6 })
  }

  private struct Table: Decodable {
    struct Method: Decodable {
      let method: String
      let parameters: Int
      let bytes: Int
      let losses: [Double]
    }

    let methods: [Method]
  }

  @Test func `what of the model is not needed is cut out, and the table says what it took`() throws
  {
    let binary = try Self.trained.get()
    let run = try binary.run(
      [
        "finetune", Self.base, "--compare", "bottleneck+light,lora+light", "--seeds", "0",
        "--light", "4", "--session", "light",
      ] + Self.short)
    #expect(run.status == 0, "\(run.error)")
    let lines = run.output.split(separator: "\n")
    #expect(lines.count == 3 + 4 + 3, "\(run.output)")
    #expect(lines[5].hasPrefix("lora+light ") && lines[6].hasPrefix("bottleneck+light "))
    #expect(lines[8].hasPrefix("lora+light: ") && lines[8].contains("found out what to cut out"))
    let tuned = "light/lora+light-seed0.checkpoints/step-000000006"
    for arguments in [
      ["sample", tuned, "--prompt", "a", "--tokens", "8"], ["eval", tuned, "--workers", "1"],
      ["finetune", tuned, "--merge-into", "light-merged"], ["inspect", "light-merged"],
      ["reproduce", "light/bottleneck+light-seed0.seismo", "--workers", "1"],
    ] {
      let result = try binary.run(arguments)
      #expect(result.status == 0, "\(arguments): \(result.error)")
    }
    let again = try binary.run(["finetune", "light-merged", "--session", "g.seismo"] + Self.short)
    #expect(again.status == 65 && again.error.contains("cut out by --light"), "\(again.error)")
  }

  @Test func `train refuses a method without a base`() throws {
    let result = try Self.trained.get().run(["train", "--method", "lora", "--headless"])
    #expect(result.status == 64)
    #expect(result.error.contains("give its checkpoint with --base"))
  }
}
