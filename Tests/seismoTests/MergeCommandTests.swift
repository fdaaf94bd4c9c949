import Foundation
import Testing

@testable import seismo

/// Branches of a run become one model, told by the real program.
@Suite(.timeLimit(.minutes(15)))
struct MergeCommandTests {
  private static let base = "a.checkpoints/step-000000004"

  /// A run, and a branch of it from step 4 on that learns another text.
  private static let trained = Result { () throws -> SeismoBinary in
    let binary = try SeismoBinary()
    let text = (0..<8000).map { UInt8(97 + ($0 * $0 / 7) % 13) }
    try Data(text).write(to: binary.folder.appending(path: "text"))
    for words in [
      [
        "--preset", "tiny", "--width", "16", "--layers", "2", "--heads", "2", "--context", "16",
        "--batch", "4", "--steps", "8", "--lr", "1e-2", "--session", "a.seismo",
        "--checkpoint-every", "4",
      ], ["--resume", base, "--branch", "b", "--data", "text"],
    ] {
      let run = try binary.run(["train", "--headless", "--workers", "1"] + words)
      try #require(run.status == 0, "\(run.error)")
    }
    return binary
  }

  private func merge(_ words: String) throws -> SeismoBinary.Result {
    try Self.trained.get().run(
      ["merge"] + words.split(separator: " ").map(String.init) + ["--workers", "1"])
  }

  private func object(_ json: String) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])
  }

  @Test func `branches are merged from where they parted, with losses on both their texts`() throws
  {
    let binary = try Self.trained.get()
    let text = try merge("a.checkpoints b.checkpoints --method pcb --output out/pcb --windows 8")
    #expect(text.status == 0 && text.error.isEmpty, "\(text.error)")
    let lines = text.output.split(separator: "\n")
    for line in lines where line.count > 80 { Issue.record("\(line.count): \(line)") }
    for words in [
      "2 models merged: pcb, scale 1.20, the largest 10.0%", Self.base, "moments are not merged",
      "agreement of the updates", "coefficients of part 2", "held-out loss", "text 2: text",
    ] {
      #expect(text.output.contains(words), "\(words) in \(text.output)")
    }
    for words in [
      ["eval", "out/pcb", "--workers", "1"], ["inspect", "out/pcb", "--windows", "2"],
      ["sample", "out/pcb", "--prompt", "ba", "--tokens", "4", "--workers", "1"],
      [
        "train", "--resume", "out/pcb", "--session", "c.seismo", "--steps", "12", "--headless",
        "--workers", "1",
      ],
    ] {
      let result = try binary.run(words)
      #expect(result.status == 0, "\(words): \(result.error)")
    }
    let names = try FileManager.default.contentsOfDirectory(atPath: binary.path("out/pcb")).sorted()
    #expect(
      names == [
        "config.json", "merge.json", "model.safetensors", "optimizer.safetensors", "run.json",
      ])
    let told = try object(
      String(contentsOf: binary.folder.appending(path: "out/pcb/merge.json"), encoding: .utf8))
    #expect(told["method"] as? String == "pcb" && told["base"] as? String == Self.base)
  }

  @Test func `the mean of a run's own checkpoints, as JSON, a picture and a page`() throws {
    let binary = try Self.trained.get()
    let json = try merge(
      "a.checkpoints b.checkpoints --method mean --output mean --windows 8 --json --data text")
    #expect(json.status == 0, "\(json.error)")
    let value = try object(json.output)
    let losses = try #require(value["losses"] as? [String: Any])
    let models = try #require(losses["models"] as? [[String: Any]])
    #expect(models.map { $0["model"] as? String } == ["base", "part 1", "part 2", "merged"])
    let means = models.compactMap { $0["mean"] as? Double }
    // On its own text the branch is better than the run, and the mean lies between them.
    #expect(means.count == 4 && means[2] < means[3] && means[3] < means[1], "\(means)")
    #expect((value["tensors"] as? [Any])?.count == 15)
    let svg = try merge("a.checkpoints b.checkpoints --method ties --output ties --svg -")
    #expect(svg.status == 0 && svg.output.contains("<svg"), "\(svg.error)")
    let page = try merge("a.checkpoints b.checkpoints --method pcb --output page --html page.html")
    #expect(page.status == 0, "\(page.error)")
    let html = try String(
      contentsOf: binary.folder.appending(path: "page.html"), encoding: .utf8)
    #expect(html.contains("<svg") && html.contains("<td>part 1</td>"))
  }

  @Test func `weights that files hold in another order than the engine are merged in their places`()
    throws
  {
    let binary = try Self.trained.get()
    let run = try binary.run([
      "train", "--preset", "tiny", "--architecture", "gpt2", "--width", "16", "--layers", "2",
      "--heads", "2", "--context", "16", "--batch", "4", "--steps", "12", "--lr", "1e-2",
      "--checkpoint-every", "4", "--headless", "--workers", "1", "--session", "h.seismo",
    ])
    try #require(run.status == 0, "\(run.error)")
    let step = "h.checkpoints/step-0000000"
    let json = try merge(
      "\(step)08 \(step)12 --base \(step)04 --method mean --output family --windows 8 --json")
    #expect(json.status == 0, "\(json.error)")
    let losses = try #require(try object(json.output)["losses"] as? [String: Any])
    let models = try #require(losses["models"] as? [[String: Any]])
    let means = models.compactMap { $0["mean"] as? Double }
    // A loss that falls has the mean of two steps between them.
    #expect(means.count == 4 && means[2] < means[3] && means[3] < means[1], "\(means)")
  }

  @Test func `scales are searched by halves of the texts that losses are not measured on`() throws {
    let found = try merge(
      "a.checkpoints b.checkpoints --method pcb --output searched --search 6 --windows 4 --json")
    #expect(found.status == 0 && found.errorLines.count == 1, "\(found.error)")
    #expect(found.error.contains("the lowest loss of 6 tries"))
    let scales = try #require(try object(found.output)["scales"] as? [Double])
    #expect(scales.count == 2 && scales.allSatisfy { (0.8...1.3).contains($0) })
    let again = try merge(
      "a.checkpoints b.checkpoints --method pcb --output again --search 6 --windows 4 --json")
    #expect(try object(again.output)["scales"] as? [Double] == scales)
  }

  @Test func `models that were fine-tuned from one are merged from it, but not with adapters`()
    throws
  {
    let binary = try Self.trained.get()
    let origin = "a.checkpoints/step-000000008"
    for (name, words) in [
      ("e", ["--data", "text"]), ("f", ["--seed", "7"]),
      ("g", ["--method", "lora", "--rank", "2", "--data", "text"]),
    ] {
      let run = try binary.run(
        ["finetune", origin, "--steps", "3", "--headless", "--workers", "1", "--session"]
          + ["\(name).seismo"] + words)
      try #require(run.status == 0, "\(run.error)")
    }
    let json = try merge("e.checkpoints f.checkpoints --method ties --output tuned --json")
    #expect(json.status == 0, "\(json.error)")
    #expect(try object(json.output)["base"] as? String == origin)
    let adapted = try merge("e.checkpoints g.checkpoints --method ties --output refused")
    #expect(adapted.status == 65 && adapted.errorLines.count == 1, "\(adapted.error)")
    #expect(adapted.error.contains("--merge-into FOLDER"), "\(adapted.error)")
  }

  @Test func `what is wrong is one line, and nothing is written`() throws {
    let binary = try Self.trained.get()
    let other = try binary.run([
      "train", "--preset", "tiny", "--width", "16", "--layers", "1", "--heads", "2", "--context",
      "16", "--batch", "4", "--steps", "2", "--headless", "--workers", "1", "--session", "d.seismo",
    ])
    #expect(other.status == 0, "\(other.error)")
    let model = "a.checkpoints/step-000000008/model.safetensors"
    let cases: [(words: String, status: Int32, told: String)] = [
      ("a.checkpoints --method mean", 64, "one part alone"),
      ("a.checkpoints b.checkpoints --method median", 64, "is no value for --method"),
      ("a.checkpoints b.checkpoints --method mean --scale 2", 64, "--scale 2.0: give none"),
      (
        "a.checkpoints b.checkpoints --method pcb --keep 0", 64, "--keep 0.0: give a number above 0"
      ),
      ("a.checkpoints b.checkpoints --method ties --search 9", 64, "--search 9: give it with"),
      ("a.checkpoints a.checkpoints --method mean", 65, "given twice"),
      ("a.checkpoints d.checkpoints --method mean", 65, "give checkpoints of one shape"),
      (
        "a.checkpoints/step-000000000 b.checkpoints --method mean", 65,
        "no earlier checkpoint in common"
      ),
      ("a.checkpoints b.checkpoints --method pcb --base absent", 65, "nothing is there"),
      ("a.checkpoints b.checkpoints --method pcb --data absent", 65, "absent"),
      ("a.checkpoints \(model) --method pcb", 65, "\(model): not a checkpoint of this program, so"),
      (
        "a.checkpoints \(model) --method mean --data text", 65, "\(model): not a checkpoint of this"
      ),
    ]
    for (words, status, told) in cases {
      let result = try merge(words + " --output refused")
      #expect(result.status == status && result.output.isEmpty, "\(words): \(result.error)")
      #expect(result.errorLines.count == 1 && result.error.contains(told), "\(result.error)")
    }
    #expect(!FileManager.default.fileExists(atPath: binary.path("refused")))
    let taken = try merge("a.checkpoints b.checkpoints --method mean --output a.checkpoints")
    #expect(taken.status == 65 && taken.error.contains("choose another --output"), "\(taken.error)")
  }
}
