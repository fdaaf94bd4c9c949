import Foundation
import Kernels
import Models
import Telemetry
import TestSupport
import Testing

@testable import Training

/// Runs that cut parts of a model and of its adapter out before they train the rest.
@Suite(.timeLimit(.minutes(15)))
struct EarlyPruningTests {
  private static let corpus = Corpus.synthetic(seed: 1, bytes: 20_000)

  /// A short run's last checkpoint, made once.
  private static let base = Result { () throws -> String in
    var configuration = TrainingConfiguration.small(.tiny)
    configuration.model.heads = 4
    (configuration.steps, configuration.workers, configuration.evalEvery) = (20, 1, 0)
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "seismo-\(UUID().uuidString)")
    _ = TrainedRun.trainHere(
      try TrainingRun(configuration: configuration, corpus: corpus, checkpointFolder: folder))
    return try CheckpointFolder.read(folder.path).path
  }

  private static func configuration(
    _ options: [String: String]
  ) throws -> TrainingConfiguration {
    let path = try base.get()
    let given = [
      "base": path, "method": "lora", "steps": "8", "warmup": "2", "eval-windows": "4",
      "eval-every": "4", "workers": "2", "light": "6",
    ]
    return try TrainingConfiguration(
      options: BaseModel(path: path).options().merging(given.merging(options) { $1 }) { $1 })
  }

  private static func run(
    _ options: [String: String] = [:], in folder: TestFolder? = nil
  ) throws -> TrainedRun {
    TrainedRun(
      records: TrainedRun.trainHere(
        try TrainingRun(
          configuration: configuration(options), corpus: corpus, checkpointFolder: folder?.url)))
  }

  @Test(arguments: ["lora", "bottleneck"])
  func `what is left is smaller, and told by layer`(method: String) throws {
    let folder = try TestFolder()
    let run = try Self.run(["method": method], in: folder)
    let names = Dictionary(uniqueKeysWithValues: zip(run.samples[0].names, run.samples[0].values))
    let checkpoint = try CheckpointFolder.read(folder.url.path)
    let pruned = try #require(checkpoint.configuration.pruned)
    #expect(pruned.heads == 3 && pruned.channels.reduce(0, +) == 128 - 42)
    let modules = method == "lora" ? 8 : 4
    #expect(pruned.ranks.count == modules)
    #expect(pruned.ranks.count { $0 > 0 } <= modules / 4)
    let rank = try #require(checkpoint.configuration.adapter).rank
    #expect(pruned.ranks.reduce(0, +) == modules / 4 * rank / 2)
    for layer in 0..<2 {
      #expect(names[MetricCatalog.lightHeads(layer: layer)] == 3)
      #expect(
        names[MetricCatalog.lightChannels(layer: layer)] == Double(pruned.channels[layer]))
      let ranks = pruned.ranks[layer * modules / 2..<(layer + 1) * modules / 2]
      #expect(names[MetricCatalog.lightRanks(layer: layer)] == Double(ranks.reduce(0, +)))
      let mask = try #require(names[MetricCatalog.lightHeadMask(layer: layer, head: 3)])
      #expect(mask != 1 && abs(mask - 1) < 0.1)
      #expect(try #require(names[MetricCatalog.lightShare(layer: layer, module: 1)]) > 0)
      #expect(try #require(names[MetricCatalog.lightScore(layer: layer, module: 0)]) > 0)
    }
    #expect(run.samples[1][MetricCatalog.lightHeads(layer: 0)] == nil)
    let event = try #require(run.events.first { $0.name == "light" })
    #expect(event.text.contains("3 of 4 heads a layer"), "\(event.text)")
    let whole = try TrainingRun(
      configuration: Self.configuration(["method": method, "light": "0"]), corpus: Self.corpus,
      checkpointFolder: nil)
    let small = try TrainingRun(
      configuration: Self.configuration(["method": method]), corpus: Self.corpus,
      checkpointFolder: nil)
    #expect(small.memoryBytes < whole.memoryBytes)
    let parameters = [small, whole].map {
      $0.description(name: "", created: 0).model?.parameters ?? 0
    }
    #expect(parameters[0] * 2 < parameters[1])
  }

  @Test(arguments: ["lora", "bottleneck"])
  func `resumed from any checkpoint it goes on bit for bit, whatever the workers`(
    method: String
  ) throws {
    let folder = try TestFolder()
    let options = ["method": method, "checkpoint-every": "4"]
    let whole = try Self.run(options, in: folder)
    let other = try Self.run(options.merging(["workers": "1"]) { $1 })
    #expect(whole.numbers == other.numbers)
    for step in [0, 4] {
      let checkpoint = try CheckpointFolder.read(
        folder.url.path + "/" + CheckpointFolder.folderName(step: step))
      let state = try checkpoint.continuation()
      let rest = TrainedRun(
        records: TrainedRun.trainHere(
          try TrainingRun(
            resuming: checkpoint, configuration: TrainingConfiguration(options: state.options),
            corpus: Self.corpus, script: [], checkpointFolder: nil)))
      #expect(rest.numbers == Array(whole.numbers.suffix(rest.numbers.count)))
      #expect(rest.samples.first?.step == step)
      #expect(throws: ConfigurationError.self) {
        _ = try TrainingRun(
          resuming: checkpoint,
          configuration: Self.configuration(options.merging(["light": "7"]) { $1 }),
          corpus: Self.corpus, script: [], checkpointFolder: nil)
      }
    }
  }

  @Test func `ranks change no bit`() async throws {
    let configuration = try Self.configuration([:])
    let alone = try Self.run()
    for isSharded in [false, true] {
      let ranks = try await TrainedRun.together(2) {
        $0 = configuration
        ($0.workers, $0.shardsOptimizer) = (1, isSharded)
      }
      for run in ranks { #expect(run.numbers == alone.numbers) }
    }
  }

  @Test func `a checkpoint is evaluated and merged, and no other run begins with it`() throws {
    let folder = try TestFolder()
    let run = try Self.run(["lr": "2e-2"], in: folder)
    let checkpoint = try CheckpointFolder.read(folder.url.path)
    let peft = try String(
      contentsOfFile: checkpoint.path + "/adapter/adapter_config.json", encoding: .utf8)
    #expect(peft.contains("rank_pattern") && peft.contains("alpha_pattern"))
    #expect(!FileManager.default.fileExists(atPath: checkpoint.path + "/config.json"))
    let merged = folder.path("merged")
    try checkpoint.writeMerged(to: merged)
    let plain = try CheckpointFolder.read(merged)
    #expect(plain.configuration.adapter == nil && plain.configuration.pruned?.heads == 3)
    let losses = try [checkpoint, plain].map {
      try Evaluation(checkpoint: $0, corpus: Self.corpus, workers: 2).run().loss
    }
    #expect(abs(losses[0] - losses[1]) < 1e-5)
    #expect(try #require(run.values(MetricCatalog.evalLoss).last) < 6)
    #expect(throws: FineTuningError.pruned(path: merged)) { try BaseModel(path: merged) }
    let state = try plain.continuation()
    var longer = try TrainingConfiguration(options: state.options)
    longer.steps = 10
    let rest = TrainedRun(
      records: TrainedRun.trainHere(
        try TrainingRun(
          resuming: plain, configuration: longer, corpus: Self.corpus, script: [],
          checkpointFolder: nil)))
    #expect(rest.samples.first?.step == 8)
  }

  @Test func `a phase that diverges is one line`() throws {
    let folder = try TestFolder()
    let base = try CheckpointFolder.read(Self.base.get())
    let parameters = FloatBuffer(count: base.layout.count)
    try base.load(parameters: parameters)
    let head = try #require(base.layout["lm_head.weight"])
    for index in head.offset..<head.offset + head.count { parameters[index] = 3e38 }
    try base.write(parameters, routerBias: nil, into: folder.url.path)
    let error = #expect(throws: ConfigurationError.self) {
      _ = try Self.run(["base": folder.url.path])
    }
    #expect("\(try #require(error))".contains("give a lower --lr"))
  }

  @Test func `a shape that no model can have is a damaged file`() throws {
    let folder = try TestFolder()
    _ = try Self.run(in: folder)
    let file = try CheckpointFolder.read(folder.url.path).path + "/run.json"
    let words = try String(contentsOfFile: file, encoding: .utf8)
    let broken = words.replacing("\"heads\" : 3", with: "\"heads\" : 5")
    #expect(broken != words)
    try broken.write(toFile: file, atomically: true, encoding: .utf8)
    #expect(throws: CheckpointError.self) { try CheckpointFolder.read(folder.url.path) }
  }

  @Test(arguments: [
    (["method": "svfit"], "light prunes beside lora and bottleneck, not beside svfit"),
    (["method": "full"], "not beside full: give --method lora"),
    (["light": "-1"], "'-1' is no value for light: give a whole number from 0"),
    (["light-trunk": "1"], "'1' is no value for light-trunk: give a number from 0 to 0.95"),
    (["light": "0", "light-ranks": "0.5"], "light-ranks belongs to --light"),
    (["reward": "words"], "leave reward out"),
    (["anchor": "1"], "leave anchor out"),
  ])
  func `options that cannot be are one line`(options: [String: String], text: String) throws {
    let error = #expect(throws: ConfigurationError.self) {
      _ = try Self.configuration(options)
    }
    let line = "\(try #require(error))"
    #expect(line.contains(text) && !line.contains("\n"), "\(line)")
  }
}
