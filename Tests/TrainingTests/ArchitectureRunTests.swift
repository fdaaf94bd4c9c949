import Foundation
import Kernels
import Models
import Telemetry
import Testing

@testable import Training

/// Runs of models of other families.
@Suite(.timeLimit(.minutes(15)))
struct ArchitectureRunTests {
  private static let families: [[String: String]] = [
    ["architecture": "gpt2"],
    ["architecture": "gpt2", "tie-embeddings": "off", "ffn-width": "40", "norm-eps": "1e-3"],
    ["architecture": "llama", "kv-heads": "1", "rope-theta": "500000"],
    ["architecture": "llama", "tie-embeddings": "on", "feed-forward": "gelu"],
    ["feed-forward": "swiglu", "ffn-width": "24"],
  ]

  private func model(_ options: [String: String]) throws -> ModelConfiguration {
    let sizes = ["preset": "tiny", "width": "16", "heads": "2", "context": "8"]
    return try TrainingConfiguration(options: sizes.merging(options) { $1 }).model
  }

  @Test(arguments: families)
  func `a configuration's options make the same model again`(options: [String: String]) throws {
    let model = try model(options)
    var configuration = TrainingConfiguration(preset: .tiny)
    configuration.model = model
    let again = try TrainingConfiguration(options: configuration.options)
    #expect(again.model == model)
    for (name, value) in options { #expect(configuration.options[name] != nil, "\(name) \(value)") }
    // What an older run says stays what it was.
    let plain = TrainingConfiguration(preset: .tiny).options
    #expect(options.keys.allSatisfy { plain[$0] == nil })
  }

  @Test(arguments: families)
  func `sizes become the same model by the options that say its layers alone`(
    options: [String: String]
  ) throws {
    let sizes = ModelConfiguration(width: 16, layers: 2, heads: 2, context: 8)
    #expect(try sizes.shaped(by: options) == model(options))
    #expect(try sizes.shaped(by: [:]) == sizes)
  }

  @Test(arguments: [
    (["kv-heads": "2"], "kv-heads has no place in persimmon"),
    (["architecture": "llama", "kv-heads": "3"], "3 kv-heads do not divide the 2 heads"),
    (["architecture": "gpt2", "mixer": "ssm"], "the mixer ssm has norms of its own"),
    (["architecture": "gpt2", "rope-theta": "500"], "rope-theta has no place in gpt2"),
    (["ssm-layers": "7"], "--ssm-layers 7: the 2 layers are counted"),
    (["architecture": "bert"], "'bert' is no value for architecture"),
  ])
  func `layers that make no model are refused`(options: [String: String], line: String) throws {
    var sizes = ModelConfiguration(width: 16, layers: 2, heads: 2, context: 8)
    let error = #expect(throws: ConfigurationError.self) { try sizes.shaped(by: options) }
    #expect("\(try #require(error))".contains(line))
    sizes.experts = ExpertConfiguration(count: 2, width: 8, active: 1)
    let other = #expect(throws: ConfigurationError.self) {
      try sizes.shaped(by: ["feed-forward": "swiglu"])
    }
    #expect("\(try #require(other))".hasSuffix("a dense preset, or leave --feed-forward out"))
  }

  @Test(arguments: families)
  func `ranks and workers give the same bits, and the loss falls`(
    options: [String: String]
  ) async throws {
    let model = try model(options)
    let change: @Sendable (inout TrainingConfiguration) -> Void = {
      $0.model = model
      $0.steps = 12
    }
    let alone = try await TrainedRun(.tiny) {
      change(&$0)
      $0.workers = 2
    }
    let ranks = try await TrainedRun.together(2, .tiny, change)
    #expect(ranks[0].numbers == alone.numbers)
    let losses = alone.values(MetricCatalog.loss)
    #expect(try #require(losses.last) < losses[0])
  }

  @Test(arguments: ["gpt2", "llama"])
  func `a model of a tokenizer's ids learns, resumes and is evaluated, and writes no text`(
    family: String
  ) throws {
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "seismo-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let data = folder.appending(path: "ids.bin")
    // One of 700 tokens, then the next but six.
    let ids = (0..<6000).map { $0 * 7 % 700 }
    try Data(ids.flatMap { (id: Int) -> [UInt8] in [UInt8(id % 256), UInt8(id / 256)] })
      .write(to: data)
    let options = [
      "preset": "tiny", "architecture": family, "vocabulary": "700", "width": "16", "heads": "2",
      "context": "8", "steps": "60", "batch": "8", "warmup": "5", "eval-every": "20", "lr": "3e-2",
      "data": data.path, "checkpoint-every": "30",
    ]
    let configuration = try TrainingConfiguration(options: options)
    let checkpoints = folder.appending(path: "run")
    let run = TrainedRun(
      records: TrainedRun.trainHere(
        try TrainingRun(
          configuration: configuration, corpus: configuration.openCorpus(),
          checkpointFolder: checkpoints)))
    let losses = run.values(MetricCatalog.evalLoss)
    #expect(try #require(losses.last) < losses[0] - 1)
    let early = try CheckpointFolder.read(
      checkpoints.path + "/" + CheckpointFolder.folderName(step: 30))
    #expect(early.configuration.vocabulary == 700)
    let resumed = try TrainingConfiguration(options: early.continuation().options)
    let rest = TrainedRun(
      records: TrainedRun.trainHere(
        try TrainingRun(
          resuming: early, configuration: resumed, corpus: resumed.openCorpus(), script: [],
          checkpointFolder: nil)))
    #expect(rest.numbers == Array(run.numbers.suffix(rest.numbers.count)))
    #expect(rest.numbers.count > 0)
    let error = #expect(throws: CheckpointError.self) { try early.checkWritesText() }
    #expect("\(try #require(error))".contains("its 700 tokens are a tokenizer's"))
    let evaluation = try Evaluation(heldOutOf: CheckpointFolder.read(checkpoints.path), workers: 1)
    #expect(try evaluation.run().loss < losses[0] - 1)
  }

  @Test(arguments: [
    (["vocabulary": "700"], "the built-in language is bytes, not 700 tokens"),
    (["vocabulary": "700", "data": "a", "corrupt": "0.3"], "corrupt is about bytes"),
    (["vocabulary": "700", "data": "a", "sample-every": "1000"], "sample-every is about bytes"),
    (["vocabulary": "700", "data": "a", "base": "b", "anchor": "1"], "anchor without anchor-data"),
    (["vocabulary": "70000"], "'70000' is no value for vocabulary"),
  ])
  func `what is about text is refused where tokens are ids`(
    options: [String: String], line: String
  ) throws {
    let error = #expect(throws: ConfigurationError.self) {
      try TrainingConfiguration(options: options)
    }
    #expect("\(try #require(error))".contains(line))
  }

  @Test(
    arguments: [
      ([:], 1.0), (["vocabulary": "700", "data": "a"], 0),
      (["vocabulary": "700", "data": "a", "anchor-data": "b"], 1),
      (["corrupt": "0.3"], 0), (["batch": "1"], 0), (["distil": "t"], 0), (["anchor": "2"], 2),
    ] as [([String: String], Double)])
  func `a membrane has anchors that nobody asked for only where they have a place`(
    options: [String: String], anchor: Double
  ) throws {
    let given = ["preset": "tiny", "base": "b", "method": "rank1"]
    let configuration = try TrainingConfiguration(options: given.merging(options) { $1 })
    #expect(configuration.anchor == anchor)
  }

  @Test func `heads may have an odd width where no positions turn their channels`() throws {
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "seismo-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    let sizes = [
      "preset": "tiny", "width": "15", "heads": "5", "context": "8", "steps": "12", "batch": "4",
      "warmup": "1", "eval-every": "6", "eval-windows": "2", "checkpoint-every": "6",
    ]
    let mixed = ["width": "20", "heads": "4", "ssm-layers": "0"]
    for other in [["mixer": "attention"], ["architecture": "llama"], mixed] {
      let error = #expect(throws: ConfigurationError.self) {
        try TrainingConfiguration(options: sizes.merging(other) { $1 })
      }
      #expect("\(try #require(error))".contains("rotary positions need an even head width"))
    }
    let still = ["width": "20", "heads": "4", "mixer": "ssm"]
    _ = try TrainingConfiguration(options: sizes.merging(still) { $1 })
    let corpus = Corpus.synthetic(seed: 1, bytes: 20_000)
    let run = TrainedRun(
      records: TrainedRun.trainHere(
        try TrainingRun(
          configuration: TrainingConfiguration(
            options: sizes.merging(["architecture": "gpt2"]) { $1 }),
          corpus: corpus, checkpointFolder: folder)))
    let early = try CheckpointFolder.read(
      folder.path + "/" + CheckpointFolder.folderName(step: 6))
    let rest = TrainedRun(
      records: TrainedRun.trainHere(
        try TrainingRun(
          resuming: early,
          configuration: TrainingConfiguration(options: early.continuation().options),
          corpus: corpus, script: [], checkpointFolder: nil)))
    #expect(rest.numbers == Array(run.numbers.suffix(rest.numbers.count)))
    #expect(rest.numbers.count > 0)
  }

  @Test(arguments: [
    ["optimizer": "muon"], ["sigma-reparam": "on"], ["mu-param": "on"], ["qk-clip": "2"],
    ["share-parameters": "0.5"], ["sparsity": "0.5", "regrow": "2"], ["subspace": "40"],
  ])
  func `what changes hidden matrices changes those of every family`(
    options: [String: String]
  ) async throws {
    for family in Self.families.prefix(4) {
      let given = family.merging(options) { $1 }
      let sizes = [
        "preset": "tiny", "width": "16", "heads": "2", "context": "8", "steps": "6", "batch": "4",
        "warmup": "1", "eval-every": "0",
      ]
      let configuration = try TrainingConfiguration(options: sizes.merging(given) { $1 })
      let corpus = Corpus.synthetic(seed: 1, bytes: 20_000)
      let runs = try [1, 2].map { workers in
        var configuration = configuration
        configuration.workers = workers
        return TrainedRun(
          records: TrainedRun.trainHere(
            try TrainingRun(configuration: configuration, corpus: corpus, checkpointFolder: nil)))
      }
      #expect(runs[0].numbers == runs[1].numbers, "\(given)")
      #expect(runs[0].values(MetricCatalog.loss).allSatisfy { $0.isFinite }, "\(given)")
    }
  }
}
