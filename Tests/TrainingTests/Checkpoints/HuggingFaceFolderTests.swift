import Foundation
import Kernels
import Models
import Telemetry
import Testing

@testable import Training

/// Folders that transformers has written, against what it computes with them.
@Suite(.timeLimit(.minutes(15)))
struct HuggingFaceFolderTests {
  private static let recorded = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Recorded")
  private static let families = [
    "gpt2", "gpt2-untied", "gpt2-odd", "llama", "llama-tied", "persimmon",
  ]
  private static let all = families + ["llama-ids"]

  /// A tensor of a file, in one run of numbers.
  private func values(_ name: String, _ shape: [Int], in file: SafetensorsFile) throws -> [Float] {
    let values = UnsafeMutableBufferPointer<Float>.allocate(capacity: shape.reduce(1, *))
    defer { values.deallocate() }
    try file.read(name, shape: shape, into: values)
    return Array(values)
  }

  @Test(arguments: all)
  func `its logits, its loss and all of its gradients are those of transformers`(
    name: String
  ) throws {
    let folder = Self.recorded.appending(path: name).path
    let base = try BaseModel(path: folder)
    let model = base.configuration
    let (rows, width) = (2, model.context)
    let outputs = try SafetensorsFile(path: folder + "/outputs.safetensors")
    let tokens = try values("tokens", [rows, width + 1], in: outputs).map { Token($0) }
    let judge = try values("logits", [rows, width, model.vocabulary], in: outputs)
    let loss = try values("loss", [1], in: outputs)[0]

    let engine = TransformerEngine(
      configuration: model, batch: rows, pool: WorkerPool(workers: 1))
    let parameters = FloatBuffer(count: engine.layout.count)
    try base.load(engine.layout.tensors, into: parameters)
    let settings = LossSettings(qkLayerNormWeight: base.qkLayerNormWeight)
    try tokens.withUnsafeBufferPointer { tokens in
      let logits = engine.logits(
        parameters: parameters, tokens: tokens, rows: rows, settings: settings)
      #expect(zip(logits, judge).allSatisfy { abs($0 - $1) < 2e-5 * max(1, abs($1)) })
      let statistics = engine.lossAndGradients(
        parameters: parameters, tokens: tokens, settings: settings)
      #expect(abs(Float(statistics.loss) - loss) < 1e-5)
      let gradients = try SafetensorsFile(path: folder + "/gradients.safetensors")
      let buffer = FloatBuffer(count: engine.layout.count)
      for tensor in engine.layout.tensors where gradients.contains(tensor.name) {
        try gradients.read(
          tensor.name, into: buffer, at: tensor, in: FileForm(tensor, model))
        let range = tensor.offset..<tensor.offset + tensor.count
        let own = range.map { index in
          engine.sliceGradients.reduce(0) { $0 + $1[index] }
        }
        let largest = range.reduce(0) { max($0, abs(buffer[$1])) }
        #expect(largest > 0)
        for (value, index) in zip(own, range) {
          #expect(abs(value - buffer[index]) < 2e-5 + 1e-4 * largest, "\(tensor.name)")
        }
      }
      let known = gradients.names.filter {
        model.architecture != .persimmon || !$0.hasSuffix(".bias")
      }
      let trained = engine.layout.tensors.filter {
        $0.role != .queryKeyGain || base.qkLayerNormWeight > 0
      }
      #expect(Set(known) == Set(trained.map(\.name)))
    }
  }

  @Test(arguments: families)
  func `a run that begins with it writes a folder that begins another with the same numbers`(
    name: String
  ) throws {
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "seismo-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    let first = Self.recorded.appending(path: name).path
    let run = try tuned(base: first, "full", into: folder)
    let checkpoint = try CheckpointFolder.read(folder.path)
    let plain = folder.path + "-plain"
    defer { try? FileManager.default.removeItem(atPath: plain) }
    try FileManager.default.copyItem(atPath: checkpoint.path, toPath: plain)
    for file in ["run.json", "optimizer.safetensors"] {
      try FileManager.default.removeItem(atPath: plain + "/" + file)
    }
    let own = try tuned(base: checkpoint.path, "lora", into: nil)
    let foreign = try tuned(base: plain, "lora", into: nil)
    #expect(own.numbers == foreign.numbers)
    #expect(
      run.values(MetricCatalog.evalLoss).last == own.values(MetricCatalog.evalLoss).first)
    // What is resumed goes on bit for bit.
    let early = try CheckpointFolder.read(
      folder.path + "/" + CheckpointFolder.folderName(step: 4))
    let rest = TrainedRun(
      records: TrainedRun.trainHere(
        try TrainingRun(
          resuming: early,
          configuration: TrainingConfiguration(options: early.continuation().options),
          corpus: Self.corpus, script: [], checkpointFolder: nil)))
    #expect(rest.numbers == Array(run.numbers.suffix(rest.numbers.count)))
    #expect(rest.numbers.count > 0)
  }

  @Test(arguments: ["gpt2", "llama"])
  func `its adapter is read back from PEFT's form, and merged it computes the same`(
    name: String
  ) throws {
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "seismo-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    let base = Self.recorded.appending(path: name).path
    let run = try tuned(base: base, "lora", into: folder)
    let last = try #require(run.values(MetricCatalog.evalLoss).last)
    let checkpoint = try CheckpointFolder.read(folder.path)
    let again = try tuned(
      base: base, "lora", ["adapter": checkpoint.path + "/adapter"], into: nil)
    #expect(again.values(MetricCatalog.evalLoss).first == last)
    let merged = folder.path + "/merged"
    try checkpoint.writeMerged(to: merged)
    let other = try tuned(base: merged, "full", into: nil)
    #expect(abs(try #require(other.values(MetricCatalog.evalLoss).first) - last) < 1e-5)
  }

  @Test func `every number has a place of its own in a file, which its reader finds`() throws {
    func model(width: Int, heads: Int, hidden: Int) -> ModelConfiguration {
      var model = ModelConfiguration(width: width, layers: 1, heads: heads, context: 4)
      model.setArchitecture(.gpt2)
      model.feedForwardWidth = hidden
      return model
    }
    // Sides shorter than three, and a ladder whose width the trunk's heads do not divide.
    var ladder = model(width: 48, heads: 4, hidden: 48)
    ladder.adapter = AdapterConfiguration(method: .ladder)
    ladder.adapter?.rank = 8
    for model in [
      model(width: 2, heads: 1, hidden: 1), model(width: 8, heads: 2, hidden: 5), ladder,
    ] {
      for tensor in ParameterLayout(model).tensors {
        let form = FileForm(tensor, model)
        let own = (0..<tensor.count).map(Float.init)
        let stored = own.withUnsafeBufferPointer { form.stored($0, rows: tensor.shape[0]) }
        #expect(stored.sorted() == own, "\(tensor.name)")
        let found = (0..<tensor.count).map { Float(form.place(ofStored: $0, in: tensor)) }
        #expect(found == stored, "\(tensor.name)")
      }
    }
  }

  private static let corpus = Corpus.synthetic(seed: 1, bytes: 20_000)

  private func tuned(
    base: String, _ method: String, _ options: [String: String] = [:], into folder: URL?
  ) throws -> TrainedRun {
    let given = [
      "base": base, "method": method, "steps": "8", "warmup": "2", "eval-windows": "4",
      "eval-every": "4", "checkpoint-every": "4", "workers": "2", "batch": "4", "lr": "1e-2",
    ].merging(options) { $1 }
    var configuration = try TrainingConfiguration(
      options: BaseModel(path: base).options().merging(given) { $1 })
    if folder == nil { configuration.checkpointEvery = nil }
    return TrainedRun(
      records: TrainedRun.trainHere(
        try TrainingRun(
          configuration: configuration, corpus: Self.corpus, checkpointFolder: folder)))
  }

  @Test(arguments: [
    (
      "gpt2", "\"activation_function\": \"gelu_new\"", "\"activation_function\": \"gelu\"",
      "its activation is gelu"
    ),
    ("gpt2", "\"scale_attn_weights\": true", "\"scale_attn_weights\": false", "not scaled"),
    ("gpt2", "\"vocab_size\": 256", "\"vocab_size\": 128256", "128256 tokens, more"),
    ("gpt2", "\"n_embd\": 8", "\"n_embd\": 0", "width 0"),
    ("gpt2", "\"n_head\": 2", "\"heads\": 2", "without the sizes"),
    ("gpt2", "\"model_type\": \"gpt2\"", "\"model_type\": \"gpt_neo\"", "its type is gpt_neo"),
    ("llama", "\"num_key_value_heads\": 2", "\"num_key_value_heads\": 3", "4 heads that share 3"),
    ("llama", "\"rope_type\": \"default\"", "\"rope_type\": \"llama3\"", "in the way llama3"),
    ("llama", "\"attention_bias\": false", "\"attention_bias\": true", "have biases"),
    ("llama", "\"head_dim\": 4", "\"head_dim\": 8", "heads of width 8, not 4"),
    ("llama", "\"hidden_act\": \"silu\"", "\"hidden_act\": \"gelu\"", "its activation is gelu"),
    ("llama", "\"rms_norm_eps\": 1e-06", "\"rms_norm_eps\": 0", "epsilon is 0"),
    ("llama", "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 200000", "fewer tensors"),
    (
      "llama", "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 1", "1 layers by its config.json"
    ),
    ("gpt2", "\"n_layer\": 2", "\"n_layer\": 1", "1 layers by its config.json"),
    (
      "persimmon", "\"hidden_act\": \"gelu_pytorch_tanh\"", "\"hidden_act\": \"relu2\"",
      "its activation is relu2"
    ),
    (
      "persimmon", "\"partial_rotary_factor\": 1.0", "\"partial_rotary_factor\": 0.5",
      "a share of 0.5"
    ),
  ])
  func `a model of other layers is refused in one line that names what differs`(
    name: String, old: String, new: String, flaw: String
  ) throws {
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "seismo-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    try FileManager.default.copyItem(at: Self.recorded.appending(path: name), to: folder)
    let file = folder.appending(path: "config.json")
    let words = try String(contentsOf: file, encoding: .utf8)
    #expect(words.contains(old))
    try words.replacing(old, with: new).write(to: file, atomically: true, encoding: .utf8)
    let error = #expect(throws: CheckpointError.self) { try BaseModel(path: folder.path) }
    let line = "\(try #require(error))"
    #expect(line.contains(flaw) && !line.contains("\n"), "\(line)")
  }

  @Test func `weights that do not fit, and shards that are gone, are named`() throws {
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "seismo-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    try FileManager.default.copyItem(at: Self.recorded.appending(path: "llama-tied"), to: folder)
    let shard = folder.path + "/model-00002-of-00002.safetensors"
    let index = folder.appending(path: "model.safetensors.index.json")
    let words = try String(contentsOf: index, encoding: .utf8)
    let error = #expect(throws: CheckpointError.self) {
      try FileManager.default.removeItem(atPath: shard)
      _ = try BaseModel(path: folder.path)
    }
    #expect(error == .fileMissing(path: folder.path, file: "model-00002-of-00002.safetensors"))
    for other in [
      "{}", "{\"weight_map\": {\"a\": \"../b\"}}", "[",
      words.replacing("model-", with: "/x/model-"),
    ] {
      try other.write(to: index, atomically: true, encoding: .utf8)
      #expect(throws: CheckpointError.self) { try BaseModel(path: folder.path) }
    }
    // Of another family than its description says.
    let llama = Self.recorded.appending(path: "llama")
    let mixed = folder.appending(path: "mixed")
    try FileManager.default.copyItem(at: llama, to: mixed)
    try FileManager.default.removeItem(at: mixed.appending(path: "model.safetensors"))
    try FileManager.default.copyItem(
      at: Self.recorded.appending(path: "gpt2/model.safetensors"),
      to: mixed.appending(path: "model.safetensors"))
    #expect(
      throws: CheckpointError.weightMissing(
        path: mixed.path + "/model.safetensors", tensor: "model.embed_tokens.weight")
    ) { try BaseModel(path: mixed.path) }
  }
}
