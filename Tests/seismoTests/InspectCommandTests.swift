import Foundation
import Testing

/// What a checkpoint's numbers are like, told by the real program.
@Suite(.timeLimit(.minutes(15)))
struct InspectCommandTests {
  /// A safetensors file of F32 tensors.
  private func write(
    _ tensors: [(name: String, shape: [Int], values: [Float])], to name: String,
    in binary: SeismoBinary
  ) throws {
    var members: [String] = []
    var body = Data()
    for tensor in tensors {
      let start = body.count
      for value in tensor.values { withUnsafeBytes(of: value) { body.append(contentsOf: $0) } }
      let shape = tensor.shape.map(String.init).joined(separator: ",")
      members.append(
        "\"\(tensor.name)\":{\"dtype\":\"F32\",\"shape\":[\(shape)],"
          + "\"data_offsets\":[\(start),\(body.count)]}")
    }
    let header = Data("{\(members.joined(separator: ","))}".utf8)
    let length = withUnsafeBytes(of: UInt64(header.count).littleEndian) { Data($0) }
    try (length + header + body).write(to: binary.folder.appending(path: name))
  }

  private let wave = (0..<6400).map { Float(sin(Double($0) * 0.7) + 0.1 * cos(Double($0))) }

  @Test func `any model's file is told as a table of 80 columns, JSON, a picture and a page`()
    throws
  {
    let binary = try SeismoBinary()
    defer { binary.remove() }
    var spiked = wave
    spiked[77] = 4000
    try write(
      [
        ("h.0.attn.weight", [64, 100], wave), ("h.0.attn.bias", [64], Array(wave.prefix(64))),
        ("a.very.long.name.of.a.tensor.with.an.outlier.weight", [64, 100], spiked),
      ], to: "m.safetensors", in: binary)
    let text = try binary.run(["inspect", "m.safetensors", "--workers", "1"])
    #expect(text.status == 0, "\(text.error)")
    let lines = text.output.split(separator: "\n")
    #expect(lines.allSatisfy { $0.count <= 80 }, "\(text.output)")
    #expect(lines.contains { $0.hasPrefix("h.0.attn ") && $0.contains("int8 t") })
    #expect(lines.contains { $0.contains("outlier") && $0.contains("e4m3 t") })
    let json = try binary.run(["inspect", "m.safetensors", "--json"])
    let value = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any]
    let tensors = try #require(value?["tensors"] as? [[String: Any]])
    #expect(tensors.map { $0["name"] as? String }.contains("h.0.attn.bias"))
    let formats = try #require(tensors[0]["formats"] as? [[String: Any]])
    #expect(formats.count == 18 && formats[0]["sqnr_db"] is Double)
    let svg = try binary.run(["inspect", "m.safetensors", "--svg", "-"])
    #expect(svg.status == 0 && svg.output.contains("<svg") && svg.output.contains("h.0.attn"))
    let html = try binary.run(["inspect", "m.safetensors", "--html", "m.html"])
    #expect(html.status == 0, "\(html.error)")
    let page = try String(contentsOf: binary.folder.appending(path: "m.html"), encoding: .utf8)
    #expect(page.contains("<td>h.0.attn</td>"))
  }

  @Test func `what is wrong with a file is one line and exit 65`() throws {
    let binary = try SeismoBinary()
    defer { binary.remove() }
    try write([("w", [2], [.nan, 1]), ("v", [2], [1, 2])], to: "nan.safetensors", in: binary)
    let nan = try binary.run(["inspect", "nan.safetensors"])
    #expect(nan.status == 65 && nan.output.contains("1 not finite"))
    #expect(
      nan.error
        == "seismo: nan.safetensors: 1 value is not finite in w; use an earlier checkpoint\n")
    try Data("no model, and longer than eight bytes".utf8).write(
      to: binary.folder.appending(path: "text"))
    for (path, words) in [
      ("absent", "nothing is there"), ("text", "not a safetensors file"),
      (".", "holds no safetensors file"),
    ] {
      try? FileManager.default.removeItem(at: binary.folder.appending(path: "nan.safetensors"))
      let result = try binary.run(["inspect", path])
      #expect(result.status == 65 && result.output.isEmpty, "\(path)")
      #expect(result.errorLines.count == 1 && result.error.contains(words), "\(result.error)")
    }
    for words in [["--workers", "0"], ["--svg", ""], ["--json", "--svg", "a"]] {
      let result = try binary.run(["inspect", "."] + words)
      #expect(result.status == 64 && result.errorLines.count == 1, "\(words): \(result.error)")
    }
  }

  @Test func `a checkpoint of its own is told with its loss, its parts, its collapse and its like`()
    throws
  {
    let binary = try SeismoBinary()
    defer { binary.remove() }
    let run = try binary.run([
      "train", "--preset", "moe-tiny", "--width", "16", "--layers", "2", "--heads", "2",
      "--experts", "3", "--context", "32", "--batch", "4", "--steps", "20", "--headless",
      "--workers", "1", "--session", "a.seismo", "--checkpoint-every", "10",
    ])
    #expect(run.status == 0, "\(run.error)")
    let words = ["inspect", "a.checkpoints", "--windows", "4", "--workers", "1"]
    let text = try binary.run(words + ["--measures", "--invariance"])
    #expect(text.status == 0 && text.error.isEmpty, "\(text.error)")
    let lines = text.output.split(separator: "\n")
    for line in lines where line.count > 80 { Issue.record("\(line.count): \(line)") }
    for heading in [
      "all matrices rounded", "over sampling temperature", "attention heads and experts",
      "singular values", "features of 6 or more", "generalisation measures",
      "no bound made of these is tight", "invariance of features",
    ] {
      #expect(lines.contains { $0.contains(heading) }, "\(heading) in \(text.output)")
    }
    let json = try binary.run(
      words + ["a.checkpoints/step-000000010", "--json", "--data", "a.seismo"])
    #expect(json.status == 0, "\(json.error)")
    let value = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any]
    for key in ["tensors", "difference", "spectra", "loss", "layers"] {
      #expect(value?[key] != nil, "\(key)")
    }
    let loss = try #require(value?["loss"] as? [String: Any])
    #expect((loss["formats"] as? [Any])?.count == 18 && (loss["temperature"] as? [Any])?.count == 6)
    let two = try binary.run(words + ["--workers", "2", "--measures", "--invariance"])
    #expect(two.output == text.output)
    let refused = try binary.run(words + ["--measures", "--data", "a.seismo"])
    #expect(refused.status == 64 && refused.errorLines.count == 1, "\(refused.error)")
  }

  @Test func `a model of tokens is told of tokens`() throws {
    let binary = try SeismoBinary()
    defer { binary.remove() }
    let ids: [[UInt8]] = (0..<4000).map { [UInt8(($0 * $0 / 7) % 4), 1] }
    try Data(ids.joined()).write(to: binary.folder.appending(path: "ids.bin"))
    let run = try binary.run([
      "train", "--preset", "tiny", "--width", "16", "--layers", "1", "--heads", "2", "--context",
      "32", "--batch", "4", "--steps", "5", "--headless", "--workers", "1", "--session", "a.seismo",
      "--vocabulary", "300", "--data", "ids.bin", "--eval-fraction", "0.3",
    ])
    #expect(run.status == 0, "\(run.error)")
    let text = try binary.run(["inspect", "a.checkpoints", "--windows", "20", "--workers", "1"])
    #expect(text.status == 0, "\(text.error)")
    let words = ["features over the next token", "4 tokens with 50", "tokens are unbalanced"]
    for words in words { #expect(text.output.contains(words), "\(text.output)") }
  }

  @Test func `of a sweep it tells how each measure orders the gaps`() throws {
    let binary = try SeismoBinary()
    defer { binary.remove() }
    let sweep = try binary.run([
      "sweep", "--folder", "s", "--preset", "tiny", "--width", "16", "--layers", "1", "--heads",
      "2", "--context", "16", "--batch", "4", "--steps", "10", "--lr", "1e-3,1e-2,3e-2",
    ])
    #expect(sweep.status == 0, "\(sweep.error)")
    let text = try binary.run(["inspect", "s", "--windows", "4", "--workers", "1"])
    #expect(text.status == 0, "\(text.error)")
    #expect(text.output.contains("rank correlation of each measure with the gap"))
    #expect(text.output.contains("3 cells say little of a ranking"))
    let json = try binary.run(["inspect", "s", "--windows", "4", "--json"])
    let value = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any]
    let found = try #require(value?["sweep"] as? [String: Any])
    #expect((found["cells"] as? [Any])?.count == 3)
    #expect((found["rank_correlation"] as? [String: Any])?.count == 9)
    let other = try binary.run(["inspect", "s", "s"])
    #expect(other.status == 64 && other.errorLines.count == 1)
  }
}
