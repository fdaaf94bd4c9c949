import Foundation
import Kernels
import Models
import TestSupport
import Testing

@testable import Training

/// Folders of transformers where checkpoints are usually read, against what transformers computes.
@Suite(.timeLimit(.minutes(15)))
struct OpenedModelTests {
  private static let recorded = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Recorded")
  private static let all = [
    "gpt2", "gpt2-untied", "llama", "llama-ids", "llama-tied", "persimmon",
  ]

  private static func path(_ name: String) -> String { recorded.appending(path: name).path }

  /// A tensor of what was recorded of a folder, in rows.
  private static func rows(_ tensor: String, _ shape: [Int], of name: String) throws -> [[Float]] {
    let file = try SafetensorsFile(path: path(name) + "/outputs.safetensors")
    let buffer = FloatBuffer(count: shape.reduce(1, *))
    try file.read(
      tensor, shape: shape,
      into: UnsafeMutableBufferPointer(start: buffer.base, count: buffer.count))
    let width = shape[shape.count - 1]
    return (0..<buffer.count / width).map { row in (0..<width).map { buffer[row * width + $0] } }
  }

  @Test(arguments: all)
  func `what it writes with the likeliest tokens is what transformers writes`(name: String) throws {
    let model = try CheckpointFolder.model(Self.path(name))
    let width = model.configuration.context + 1
    let engine = try model.inferenceEngine(workers: 1)
    for row in try Self.rows("greedy", [2, width], of: name) {
      let ids = row.map { Token($0) }
      var sampling = Sampling(ids: Array(ids[..<1]))
      sampling.tokens = width - 1
      sampling.rule = SamplingRule(temperature: 0)
      var written: [[Token]] = []
      _ = sampling.write(1, engine: engine) { written.append($1.ids) }
      #expect(written == [Array(ids[1...])])
    }
  }

  @Test(arguments: all)
  func `its loss on data is that of transformers`(name: String) throws {
    let folder = try TestFolder()
    let model = try CheckpointFolder.model(Self.path(name))
    let (width, vocabulary) = (model.configuration.context + 1, model.configuration.vocabulary)
    let losses = try Self.rows("tokens", [2, width], of: name).enumerated().map { number, row in
      let path = folder.path("data-\(number)")
      let bytes = row.flatMap { id in
        vocabulary == 256 ? [UInt8(id)] : [UInt8(Int(id) % 256), UInt8(Int(id) / 256)]
      }
      try Data(bytes).write(to: URL(fileURLWithPath: path))
      let result = try Evaluation(
        checkpoint: model, corpus: .open(path: path, vocabulary: vocabulary), workers: 1
      ).run()
      #expect(result.tokens == width - 1)
      return result.loss
    }
    let judge = try Self.rows("loss", [1], of: name)[0][0]
    #expect(abs(Float((losses[0] + losses[1]) / 2) - judge) < 1e-5)
  }

  @Test(arguments: all, [3, 6])
  func `as a teacher of shorter windows it has the outputs of their beginning`(
    name: String, context: Int
  ) throws {
    let opened = try CheckpointFolder.model(Self.path(name))
    let vocabulary = opened.configuration.vocabulary
    var student = ModelConfiguration(width: 8, layers: 1, heads: 1, context: context)
    student.vocabulary = vocabulary
    let teacher = try Teacher(path: Self.path(name), student: student, data: "another text")
    #expect(teacher.dataFingerprint == nil && teacher.evalFraction == nil)
    let pool = WorkerPool(workers: 1)
    let beside = TransformerEngine(configuration: student, batch: 2, pool: pool)
    let width = opened.configuration.context
    let tokens = try Self.rows("tokens", [2, width + 1], of: name).flatMap {
      $0[...context].map { Token($0) }
    }
    let logits = FloatBuffer(count: 2 * context * vocabulary)
    _ = teacher.loss(teacher.engine(beside: beside, pool), tokens, into: logits)
    let judge = try Self.rows("logits", [2, width, vocabulary], of: name)
    for row in 0..<2 * context {
      let recorded = judge[row / context * width + row % context]
      let isSame = recorded.indices.allSatisfy {
        abs(logits[row * vocabulary + $0] - recorded[$0]) < 2e-5 * max(1, abs(recorded[$0]))
      }
      #expect(isSame, "row \(row)")
    }
  }

  @Test func `a run learns from one, and goes on with the same`() throws {
    let folder = try TestFolder()
    let corpus = Corpus.synthetic(seed: 1, bytes: 20_000)
    let options = [
      "preset": "tiny", "width": "16", "heads": "2", "layers": "1", "context": "6", "batch": "4",
      "steps": "6", "warmup": "1", "eval-every": "0", "checkpoint-every": "3", "workers": "1",
      "distil": Self.path("gpt2"),
    ]
    let run = TrainedRun(
      records: TrainedRun.trainHere(
        try TrainingRun(
          configuration: TrainingConfiguration(options: options), corpus: corpus,
          checkpointFolder: folder.url)))
    let early = try CheckpointFolder.read(
      folder.path(CheckpointFolder.folderName(step: 3)))
    let rest = TrainedRun(
      records: TrainedRun.trainHere(
        try TrainingRun(
          resuming: early,
          configuration: TrainingConfiguration(options: early.continuation().options),
          corpus: corpus, script: [], checkpointFolder: nil)))
    #expect(rest.numbers == Array(run.numbers.suffix(rest.numbers.count)))
    #expect(rest.numbers.count > 0)
  }

  @Test func `what no run held out is asked for, and what is no text is refused`() throws {
    let ids = try CheckpointFolder.model(Self.path("llama-ids"))
    let error = #expect(throws: EvaluationError.self) {
      try Evaluation(heldOutOf: ids, workers: 1)
    }
    #expect("\(try #require(error))".hasSuffix("give data with --data"))
    let other = #expect(throws: CheckpointError.self) { try ids.checkWritesText() }
    #expect("\(try #require(other))".contains("its 300 tokens are a tokenizer's"))
    #expect("\(try #require(other))".hasSuffix("ids with 'seismo sample --prompt-ids'"))
  }

  /// One that no machine has the memory for.
  private struct Vast: OpenedModel {
    let path = "vast"
    let configuration = ModelConfiguration(
      width: 1 << 20, layers: 4096, heads: 8192, context: 4096)
    var layout: ParameterLayout { ParameterLayout(configuration) }
    let qkLayerNormWeight: Float = 0
    let forward = ForwardState()

    func load(_ tensor: ParameterTensor, into buffer: FloatBuffer) throws(CheckpointError) {
      throw .missing(path: path)
    }
  }

  @Test func `windows that no memory holds are refused before there is any`() throws {
    let evaluation = try Evaluation(
      checkpoint: Vast(), corpus: .synthetic(bytes: 5000), workers: 1)
    let error = #expect(throws: EvaluationError.self) { try evaluation.run() }
    let line = "\(try #require(error))"
    #expect(line.hasPrefix("vast: a pass over its windows of 4096 tokens needs about"), "\(line)")
  }

  /// A copy of a folder that may be damaged.
  private func copy(_ name: String) throws -> TestFolder {
    let folder = try TestFolder()
    for file in try FileManager.default.contentsOfDirectory(atPath: Self.path(name)) {
      try FileManager.default.copyItem(
        atPath: Self.path(name) + "/" + file, toPath: folder.path(file))
    }
    return folder
  }

  private func refusal(_ folder: TestFolder) throws -> String {
    let path = folder.url.path
    let error = #expect(throws: CheckpointError.self) { try CheckpointFolder.model(path) }
    let line = "\(try #require(error))"
    #expect(!line.contains("\n"))
    return line.replacing(path, with: "F")
  }

  @Test(arguments: [
    ("llama-tied", "model-00002-of-00002.safetensors"), ("llama", "model.safetensors"),
  ])
  func `a file of weights that is not there is named`(name: String, file: String) throws {
    let folder = try copy(name)
    try FileManager.default.removeItem(atPath: folder.path(file))
    #expect(
      try refusal(folder)
        == "F: \(file) is not there, and holds weights of the model; copy it to the others, or have"
        + " transformers write the folder anew with save_pretrained")
  }

  @Test func `a tensor that is not there is named with the file that should have it`() throws {
    let folder = try copy("llama-tied")
    // The index still says which of the two it is in.
    try FileManager.default.removeItem(atPath: folder.path("model-00001-of-00002.safetensors"))
    try FileManager.default.copyItem(
      atPath: folder.path("model-00002-of-00002.safetensors"),
      toPath: folder.path("model-00001-of-00002.safetensors"))
    let line = try refusal(folder)
    #expect(
      line.hasPrefix("F/model-00001-of-00002.safetensors: has no tensor model.embed_tokens.weight"),
      "\(line)")
    #expect(line.contains(", which its config.json asks for; copy the file anew"), "\(line)")
    let one = try copy("gpt2")
    let config = one.url.appending(path: "config.json")
    let words = try String(contentsOf: config, encoding: .utf8)
    try words.replacing("\"n_layer\": 2", with: "\"n_layer\": 3").write(
      to: config, atomically: true, encoding: .utf8)
    #expect(try refusal(one).hasPrefix("F/model.safetensors: has no tensor transformer.h.2."))
    try words.replacing("\"n_positions\": 6", with: "\"n_positions\": 7").write(
      to: config, atomically: true, encoding: .utf8)
    #expect(try refusal(one).contains("transformer.wpe.weight should be numbers [7, 8]"))
  }
}
