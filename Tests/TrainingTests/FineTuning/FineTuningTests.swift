import Foundation
import Kernels
import Models
import Telemetry
import Testing

@testable import Training

/// Runs that begin with a checkpoint.
@Suite(.timeLimit(.minutes(15)))
struct FineTuningTests {
  static let corpus = Corpus.synthetic(seed: 1, bytes: 20_000)

  /// A short run's last checkpoint, made once; and one of a mixture.
  static let base = Result { try pretrained(.tiny) }
  private static let mixture = Result { try pretrained(.moeTiny) }

  static func folder() -> URL {
    FileManager.default.temporaryDirectory.appending(path: "seismo-\(UUID().uuidString)")
  }

  private static func pretrained(_ preset: Preset) throws -> String {
    var configuration = TrainingConfiguration.small(preset)
    (configuration.steps, configuration.workers, configuration.evalEvery) = (20, 1, 0)
    let folder = folder()
    _ = TrainedRun.trainHere(
      try TrainingRun(
        configuration: configuration, corpus: corpus, checkpointFolder: folder))
    return try CheckpointFolder.read(folder.path).path
  }

  static func configuration(
    _ options: [String: String], base: String? = nil
  ) throws -> TrainingConfiguration {
    let path = try base ?? Self.base.get()
    let given = ["base": path, "steps": "12", "warmup": "3", "eval-windows": "4", "workers": "2"]
    return try TrainingConfiguration(
      options: BaseModel(path: path).options().merging(given.merging(options) { $1 }) { $1 })
  }

  private static func tuned(
    _ options: [String: String], base: String? = nil, checkpointFolder: URL? = nil
  ) throws -> TrainedRun {
    TrainedRun(
      records: TrainedRun.trainHere(
        try TrainingRun(
          configuration: try configuration(options, base: base), corpus: corpus,
          checkpointFolder: checkpointFolder)))
  }

  /// Of the base, on what a run over the same data holds out.
  private func baseLoss(_ path: String) throws -> Double {
    let full = try Self.configuration(["method": "full", "steps": "1"], base: path)
    let run = try TrainingRun(configuration: full, corpus: Self.corpus, checkpointFolder: nil)
    let checkpoint = try CheckpointFolder.read(path)
    let parameters = FloatBuffer(count: checkpoint.layout.count)
    try checkpoint.load(parameters: parameters)
    return run.heldOut.measure(
      run.engine, parameters: parameters, settings: run.lossSettings(at: 0)
    ).loss
  }

  @Test(arguments: ["full"] + AdapterMethod.allCases.filter(\.beginsAtTrunk).map(\.rawValue))
  func `a run begins with the loss of its base, and lowers it`(method: String) throws {
    let run = try Self.tuned(["method": method, "eval-every": "4", "lr": "1e-2", "steps": "40"])
    let losses = run.values(MetricCatalog.evalLoss)
    #expect(abs(try #require(losses.first) - baseLoss(Self.base.get())) < 1e-6)
    #expect(try #require(losses.last) < losses[0])
  }

  @Test func `a mixture is trained as a whole, its router's biases included`() throws {
    let path = try Self.mixture.get()
    let run = try Self.tuned(["method": "full", "eval-every": "4"], base: path)
    #expect(abs(run.values(MetricCatalog.evalLoss)[0] - (try baseLoss(path))) < 1e-6)
    #expect(throws: ConfigurationError.self) {
      try Self.configuration(["method": "lora"], base: path)
    }
  }

  @Test(arguments: AdapterMethod.allCases)
  func `an adapter's run resumed from a checkpoint goes on bit for bit, whatever the workers`(
    method: AdapterMethod
  ) throws {
    let folder = Self.folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let options = [
      "method": method.rawValue, "rank": method == .rank1 ? "1" : "2", "checkpoint-every": "5",
    ]
    let whole = try Self.tuned(options, checkpointFolder: folder)
    let other = try Self.tuned(options.merging(["workers": "1"]) { $1 }, checkpointFolder: folder)
    #expect(whole.numbers == other.numbers)
    let checkpoint = try CheckpointFolder.read(
      folder.path + "/" + CheckpointFolder.folderName(step: 5))
    let state = try checkpoint.continuation()
    let rest = TrainedRun(
      records: TrainedRun.trainHere(
        try TrainingRun(
          resuming: checkpoint, configuration: TrainingConfiguration(options: state.options),
          corpus: Self.corpus, script: [], checkpointFolder: nil)))
    #expect(rest.numbers == Array(whole.numbers.suffix(rest.numbers.count)))
    #expect(rest.samples.first?.step == 5)
  }

  @Test(arguments: AdapterMethod.allCases)
  func `a checkpoint has the base's weights beside the adapter's`(
    method: AdapterMethod
  ) throws {
    let folder = Self.folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let run = try Self.tuned(
      ["method": method.rawValue], checkpointFolder: folder)
    let checkpoint = try CheckpointFolder.read(folder.path)
    let trunk = try #require(try checkpoint.trunk())
    let base = try CheckpointFolder.read(Self.base.get())
    let parameters = FloatBuffer(count: base.layout.count)
    try base.load(parameters: parameters)
    for (tensor, own) in zip(checkpoint.layout.trunk, base.layout.tensors) {
      #expect(
        (0..<tensor.count).allSatisfy {
          trunk[tensor.offset + $0].bitPattern == parameters[own.offset + $0].bitPattern
        }, "\(tensor.name)")
    }
    #expect(run.events.contains { $0.kind == .checkpoint })
  }

  @Test(arguments: AdapterMethod.allCases.filter(\.isMergeable))
  func `merged into a plain checkpoint it has the same loss, and a run may begin with it`(
    method: AdapterMethod
  ) throws {
    let folder = Self.folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let options = ["method": method.rawValue, "lr": "2e-2", "eval-every": "4"]
    let run = try Self.tuned(options, checkpointFolder: folder)
    let merged = folder.path + "/merged"
    let checkpoint = try CheckpointFolder.read(folder.path)
    try checkpoint.writeMerged(to: merged)
    let again = try Self.tuned(["method": "full", "eval-every": "4"], base: merged)
    let last = try #require(run.values(MetricCatalog.evalLoss).last)
    #expect(abs(again.values(MetricCatalog.evalLoss)[0] - last) < 1e-5)
    #expect(throws: FineTuningError.exists(path: merged)) { try checkpoint.writeMerged(to: merged) }
    let plain = try CheckpointFolder.read(merged)
    #expect(throws: FineTuningError.notAdapted(path: merged)) {
      try plain.writeMerged(to: merged + "2")
    }
    #expect(throws: FineTuningError.adapted(path: checkpoint.path)) {
      try BaseModel(path: checkpoint.path)
    }
  }

  @Test func `what bottlenecks and prefixes do is no part of a weight`() throws {
    let folder = Self.folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    _ = try Self.tuned(["method": "bottleneck", "steps": "2"], checkpointFolder: folder)
    let checkpoint = try CheckpointFolder.read(folder.path)
    #expect(throws: FineTuningError.notMergeable(path: checkpoint.path, method: .bottleneck)) {
      try checkpoint.writeMerged(to: folder.path + "/merged")
    }
  }

  @Test func `an adapter in PEFT's form is read back, and a run goes on from it`() throws {
    let folder = Self.folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let options = ["method": "lora", "rank": "3", "alpha": "6", "eval-every": "4"]
    let run = try Self.tuned(options, checkpointFolder: folder)
    let checkpoint = try CheckpointFolder.read(folder.path)
    let adapter = try AdapterFolder(path: checkpoint.path + "/adapter")
    #expect(adapter.configuration == checkpoint.configuration.adapter)
    #expect(adapter.options == ["method": "lora", "rank": "3", "alpha": "6.0"])
    let parameters = (0..<2).map { _ in FloatBuffer(count: checkpoint.layout.count) }
    try adapter.load(checkpoint.configuration, checkpoint.layout, into: parameters[0])
    try checkpoint.load(parameters: parameters[1])
    #expect(bits(parameters[0]) == bits(parameters[1]))
    let again = try Self.tuned(
      adapter.options.merging(["adapter": adapter.path, "eval-every": "4"]) { $1 })
    #expect(
      again.values(MetricCatalog.evalLoss).first == run.values(MetricCatalog.evalLoss).last)
  }

  /// Rewrites the adapter of a short run with the tensors of the modules that `isKept` names, under the
  /// names that `name` makes of theirs.
  private static func adapter(
    in folder: URL, keeping isKept: (String) -> Bool, named name: (String) -> String = { $0 }
  ) throws -> (run: TrainedRun, checkpoint: Checkpoint, path: String) {
    let options = ["method": "lora", "rank": "3", "alpha": "6", "eval-every": "4"]
    let run = try tuned(options, checkpointFolder: folder)
    let checkpoint = try CheckpointFolder.read(folder.path)
    let file = try SafetensorsFile(path: checkpoint.path + "/adapter/adapter_model.safetensors")
    let path = folder.path + "/some"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    try FileManager.default.copyItem(
      atPath: checkpoint.path + "/adapter/adapter_config.json",
      toPath: path + "/adapter_config.json")
    var (entries, body): ([String], [UInt8]) = ([], [])
    for tensor in checkpoint.layout.tensors where isKept(tensor.name) {
      let values = FloatBuffer(count: checkpoint.layout.count)
      try file.read(
        AdapterFolder.name(of: tensor), into: values, at: tensor,
        in: FileForm(tensor, checkpoint.configuration))
      let start = body.count
      for index in tensor.offset..<tensor.offset + tensor.count {
        withUnsafeBytes(of: values[index]) { body += $0 }
      }
      entries.append(
        "\"\(name(AdapterFolder.name(of: tensor)))\":{\"dtype\":\"F32\",\"shape\":\(tensor.shape),"
          + "\"data_offsets\":[\(start),\(body.count)]}")
    }
    let header = Array("{\(entries.joined(separator: ","))}".utf8)
    let length = withUnsafeBytes(of: UInt64(header.count).littleEndian) { Array($0) }
    try Data(length + header + body).write(
      to: URL(fileURLWithPath: path + "/adapter_model.safetensors"))
    return (run, checkpoint, path)
  }

  /// PEFT adapts the queries and values alone where it is told nothing else.
  @Test func `an adapter beside some of the modules begins with what it does`() throws {
    let folder = Self.folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let (_, checkpoint, path) = try Self.adapter(in: folder) { $0.contains("query_key_value") }
    let whole = FloatBuffer(count: checkpoint.layout.count)
    try checkpoint.load(parameters: whole)
    let run = try TrainingRun(
      configuration: Self.configuration(
        ["method": "lora", "rank": "3", "alpha": "6", "adapter": path]),
      corpus: Self.corpus, checkpointFolder: nil)
    for tensor in run.engine.layout.tensors {
      let range = tensor.offset..<tensor.offset + tensor.count
      if tensor.name.contains("query_key_value") {
        #expect(range.allSatisfy { run.parameters[$0] == whole[$0] })
      } else if tensor.name.contains("lora_B") {
        #expect(range.allSatisfy { run.parameters[$0] == 0 })
        #expect(range.contains { whole[$0] != 0 })
      }
    }
    #expect(
      run.notices == [
        "the adapter \(path) has nothing for model.layers.0.mlp.dense_4h_to_h and 5 more: what stands"
          + " beside them begins at 0"
      ])
  }

  @Test func `an adapter with one half of a pair, or of other matrices, is refused`() throws {
    let folder = Self.folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let (_, checkpoint, half) = try Self.adapter(in: folder) {
      !$0.contains("0.mlp.dense_4h_to_h.lora_B")
    }
    func load(_ path: String) throws {
      let parameters = FloatBuffer(count: checkpoint.layout.count)
      try AdapterFolder(path: path).load(
        checkpoint.configuration, checkpoint.layout, into: parameters)
    }
    let missing = #expect(throws: CheckpointError.self) { try load(half) }
    #expect(missing.map { "\($0)" }?.contains("has no tensor base_model") == true)
    let other = Self.folder()
    defer { try? FileManager.default.removeItem(at: other) }
    let (_, _, renamed) = try Self.adapter(in: other) { _ in
      true
    } named: {
      $0.replacing("model.layers.0.mlp.dense_4h_to_h", with: "lm_head")
    }
    let foreign = #expect(throws: CheckpointError.self) { try load(renamed) }
    #expect(foreign.map { "\($0)" }?.contains("this model has no place for its base_model") == true)
  }

  @Test func `an adapter is found in its checkpoint, and what contradicts it is told`() throws {
    let folder = Self.folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    _ = try Self.tuned(["method": "lora", "rank": "3", "steps": "2"], checkpointFolder: folder)
    let checkpoint = try CheckpointFolder.read(folder.path).path
    let adapter = try AdapterFolder(path: checkpoint)
    #expect(adapter.path == checkpoint + "/adapter")
    #expect(try AdapterFolder(path: folder.path).path == adapter.path)
    #expect(adapter.contradiction(of: ["method": "lora", "rank": "3"]) == nil)
    #expect(adapter.contradiction(of: ["method": "svfit"])?.contains("not a svfit") == true)
    #expect(adapter.contradiction(of: ["rank": "4"])?.contains("has rank 3, not 4") == true)
    #expect(throws: CheckpointError.noAdapter(path: "nowhere")) {
      _ = try AdapterFolder(path: "nowhere")
    }
  }

  @Test(arguments: ["alpha_pattern", "rank_pattern"])
  func `an adapter whose modules have scales of their own is refused`(pattern: String) throws {
    let folder = Self.folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    _ = try Self.tuned(
      ["method": "lora", "rank": "3", "alpha": "6", "eval-every": "4"], checkpointFolder: folder)
    let place = try CheckpointFolder.read(folder.path).path + "/adapter"
    let file = place + "/adapter_config.json"
    let plain = try String(contentsOfFile: file, encoding: .utf8)
    func give(_ value: Int) throws {
      let own = plain.replacing("{\n", with: "{\n  \"\(pattern)\": {\"q_proj\": \(value)},\n")
      try Data(own.utf8).write(to: URL(fileURLWithPath: file))
    }
    try give(pattern == "alpha_pattern" ? 6 : 3)
    _ = try AdapterFolder(path: place)
    try give(12)
    let error = #expect(throws: CheckpointError.self) { _ = try AdapterFolder(path: place) }
    #expect(error.map { "\($0)" }?.contains("with \(pattern)") == true)
  }

  @Test func `a checkpoint with weights that are no numbers has no loss`() throws {
    let folder = Self.folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    try FileManager.default.copyItem(atPath: try Self.base.get(), toPath: folder.path)
    let file = folder.appending(path: "model.safetensors")
    var bytes = try Data(contentsOf: file)
    bytes.replaceSubrange(bytes.count - 4..<bytes.count, with: [0, 0, 0xc0, 0x7f])
    try bytes.write(to: file)
    let evaluation = try Evaluation(
      checkpoint: try CheckpointFolder.read(folder.path), corpus: Self.corpus, workers: 1)
    let error = #expect(throws: CheckpointError.self) { _ = try evaluation.run() }
    #expect(error.map { "\($0)" }?.contains("\n") == false)
  }

  @Test func `a dense checkpoint is a Persimmon folder that a run may begin with`() throws {
    let folder = Self.folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    try FileManager.default.copyItem(atPath: try Self.base.get(), toPath: folder.path)
    for name in ["run.json", "optimizer.safetensors"] {
      try FileManager.default.removeItem(at: folder.appending(path: name))
    }
    let options = ["method": "lora", "eval-every": "4", "batch": "8"]
    let own = try Self.tuned(options)
    let foreign = try Self.tuned(options, base: folder.path)
    #expect(foreign.numbers == own.numbers)
  }

  @Test func `anchors hold the outputs on other text near the base's`() throws {
    // Data that has nothing of the language.
    let file = FileManager.default.temporaryDirectory.appending(path: "seismo-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: file) }
    try Data((0..<4000).map { UInt8($0 * $0 / 7 % 256) }).write(to: file)
    let corpus = try Corpus.open(path: file.path)
    let losses = try ["0", "30"].map { anchor -> Double in
      let folder = Self.folder()
      defer { try? FileManager.default.removeItem(at: folder) }
      var configuration = try Self.configuration([
        "method": "rank1", "anchor": anchor, "lr": "2e-2", "steps": "40",
      ])
      configuration.evalEvery = 0
      let run = TrainedRun(
        records: TrainedRun.trainHere(
          try TrainingRun(
            configuration: configuration, corpus: corpus, checkpointFolder: folder)))
      let divergence = run.values(MetricCatalog.anchorDivergence)
      #expect(divergence.count == (anchor == "0" ? 0 : 40))
      #expect(divergence.first ?? 0 < 1e-6 && divergence.last ?? 1 > 0)
      let losses = run.values(MetricCatalog.loss)
      #expect(losses[39] < losses[0])
      let evaluation = try Evaluation(
        checkpoint: CheckpointFolder.read(folder.path), corpus: Self.corpus, workers: 1)
      return try evaluation.run().loss
    }
    #expect(losses[1] < losses[0])
  }

  @Test func `anchors go on where the batch changes`() throws {
    var configuration = try Self.configuration(["method": "lora", "anchor": "1", "steps": "8"])
    configuration.evalEvery = 0
    let script = [(3, 16.0), (6, 4)].map { step, size in
      ScriptedCommand(step: step, command: .set(name: "batch", value: .number(size)))
    }
    let run = TrainedRun(
      records: TrainedRun.trainHere(
        try TrainingRun(
          configuration: configuration, corpus: Self.corpus, script: script, checkpointFolder: nil))
    )
    #expect(run.values(MetricCatalog.anchorDivergence).count == 8)
    #expect(run.values(MetricCatalog.loss).allSatisfy { $0 > 0 && $0 < 6 })
  }

  @Test(arguments: [
    (["rank": "0"], "'0' is no value for rank"),
    (["rank": "17"], "rank 17 is none that lora has room for in this model: give 1 to 16"),
    (["method": "lorra"], "'lorra' is no value for method"),
    (["method": "full", "rank": "2"], "rank is an adapter's"),
    (["method": "svfit", "alpha": "2"], "alpha is a factor of lora and rank1"),
    (["method": "svfit", "weight-decay": "0.1"], "weight-decay shrinks matrices, and"),
    (["method": "prefix", "decay": "coupled"], "decay shrinks matrices, and prefix trains none"),
    (["width": "32"], "leave the sizes out"),
    (["sigma-reparam": "on"], "sigma-reparam is for a model's own weights"),
    (["optimizer": "muon"], "optimizer muon is for a model's own weights"),
    (["qk-clip": "100"], "qk-clip is for a model's own weights"),
    (["anchor-data": "a.txt"], "give --anchor 1 too"),
    (["reward": "loud"], "'loud' is no value for reward"),
    (["reward": "words", "anchor": "1"], "reward has no place beside anchor"),
    (["reward": "words", "prompt-bytes": "16"], "leave nothing to write"),
    (["reward": "words", "reward-end": ""], "give some text"),
    (["reward": "words", "sharpness-every": "5"], "reward trains by another"),
    (["anchor": "1", "sharpness-every": "5"], "anchor trains by another"),
    (["reward-clip": "1"], "reward-clip belongs to --reward"),
    (["light": "3", "distil": "teacher"], "leave distil out"),
    (["prompt-bytes": "3"], "prompt-bytes belongs to --reward"),
    (["method": "prefix", "anchor": "1"], "anchor has no reference under prefix"),
  ])
  func `options that cannot be are one line`(options: [String: String], text: String) throws {
    let error = #expect(throws: ConfigurationError.self) {
      let configuration = try Self.configuration(["method": "lora"].merging(options) { $1 })
      _ = try TrainingRun(
        configuration: configuration, corpus: Self.corpus, checkpointFolder: nil)
    }
    let line = "\(try #require(error))"
    #expect(line.contains(text) && !line.contains("\n"), "\(line)")
  }
}
