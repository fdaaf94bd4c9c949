import Foundation
import Models
import Synchronization
import Telemetry
import Testing

@testable import Training

/// Trains small models on the trainer's own queue and looks at what they told.
@Suite(.timeLimit(.minutes(15)))
struct TrainerTests {
  private static func configuration(_ preset: Preset = .tiny) -> TrainingConfiguration {
    var configuration = TrainingConfiguration.small(preset)
    configuration.steps = 40
    configuration.evalEvery = 10
    configuration.evalWindows = 4
    configuration.blendSteps = 10
    configuration.workers = 2
    return configuration
  }

  private static let corpus = Corpus.synthetic(seed: 1, bytes: 20_000)

  /// What a run told, and how it ended.
  private struct Telling {
    var records: [RunRecord]
    var outcome: TrainingOutcome

    var samples: [StepSamples] {
      records.compactMap { record in
        if case .samples(let samples) = record { samples } else { nil }
      }
    }

    var events: [RunEvent] {
      records.compactMap { record in
        if case .event(let event) = record { event } else { nil }
      }
    }

    var losses: [Double] { samples.compactMap { $0[MetricCatalog.loss] } }

    /// All that no clock says, bit by bit.
    var numbers: [[UInt64]] { samples.map(\.unclocked) }
  }

  private static func train(
    _ run: sending TrainingRun, commands: [Command] = []
  ) async -> Telling {
    let records = Collected()
    let trainer = Trainer(run) { records.add($0) }
    for command in commands { trainer.post(command, by: "you") }
    let outcome = await withCheckedContinuation { continuation in
      trainer.start { continuation.resume(returning: $0.outcome) }
    }
    return Telling(records: records.all, outcome: outcome)
  }

  private static func temporaryFolder() -> URL {
    FileManager.default.temporaryDirectory.appending(path: "seismo-\(UUID().uuidString)")
  }

  /// One for each of so many optimizers: a list that runs out would leave the others untried.
  private static func clippings(_ count: Int) -> [GradientClipping.Kind] {
    let kinds: [GradientClipping.Kind] = [.global, .zclip, .adagc, .zclip]
    return (0..<count).map { kinds[$0 % kinds.count] }
  }

  private static func script(_ lines: [(Int, String)]) throws -> [ScriptedCommand] {
    try lines.map { ScriptedCommand(step: $0.0, command: try Command(words: $0.1)) }
  }

  @Test(arguments: [Preset.tiny, .moeTiny])
  func `one, two or three workers give the same bits`(preset: Preset) async throws {
    var tellings: [Telling] = []
    for workers in 1...3 {
      var configuration = Self.configuration(preset)
      configuration.workers = workers
      let run = try TrainingRun(
        configuration: configuration, corpus: Self.corpus, checkpointFolder: nil)
      tellings.append(await Self.train(run))
    }
    #expect(tellings[0].outcome == .finished)
    #expect(tellings[0].samples.map(\.step) == Array(0...40))
    #expect(tellings[0].numbers == tellings[1].numbers)
    #expect(tellings[0].numbers == tellings[2].numbers)
    #expect(tellings[0].losses.last ?? 9 < (tellings[0].losses.first ?? 0) - 0.5)
  }

  @Test(arguments: [Preset.tiny, .moeTiny])
  func `the held-out loss at the end is a sample of the step that would come next`(
    preset: Preset
  ) async throws {
    var configuration = Self.configuration(preset)
    configuration.steps = 17
    let run = await Self.train(
      try TrainingRun(configuration: configuration, corpus: Self.corpus, checkpointFolder: nil))
    let last = try #require(run.samples.last)
    #expect(last.step == 17)
    #expect(last.names.allSatisfy { $0 == MetricCatalog.evalLoss || $0.path.contains("/eval/") })
    let told = try #require(run.events.last { $0.kind == .run })
    #expect(told.values["loss/eval"] == last[MetricCatalog.evalLoss])
    // What is measured on demand stands among the samples of its step.
    configuration.steps = 18
    let asked = await Self.train(
      try TrainingRun(
        configuration: configuration, corpus: Self.corpus,
        script: try Self.script([(17, "evaluate")]), checkpointFolder: nil))
    #expect(asked.samples.map(\.step) == Array(0...18))
    let answer = try #require(asked.events.last { $0.kind == .evaluate })
    #expect(answer.values["loss/eval"] == asked.samples[17][MetricCatalog.evalLoss])
    #expect(asked.samples[17][MetricCatalog.loss] != nil)
  }

  @Test(arguments: [Preset.tiny, .moeTiny], [1, 2])
  func `a run resumed from any of its checkpoints goes on bit for bit`(
    preset: Preset, every: Int
  ) async throws {
    let folder = Self.temporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    var configuration = Self.configuration(preset)
    configuration.checkpointEvery = 9
    configuration.model.experts?.every = every
    configuration.model.experts?.sharedWidth = 8 * (every - 1)
    let script = try Self.script([
      (4, "set logit_softcap 5"), (5, "set output_softcap 3"), (6, "set moe.router_z_loss 0.01"),
      (7, "set moe.bias_balance 0.01"), (8, "set moe.capacity 1"), (10, "set batch 12"),
      (12, "set qk_clip 0.5"),
      (18, "undo"), (18, "set qk_layernorm on"),
      (27, "set lr.multiplier 0.5"), (30, "set batch 4"),
    ])
    let whole = await Self.train(
      try TrainingRun(
        configuration: configuration, corpus: Self.corpus, script: script,
        checkpointFolder: folder))
    let entries = try CheckpointFolder.list(in: folder.path)
    #expect(entries.map(\.step) == [0, 9, 18, 27, 36, 40])
    let plain = entries.filter {
      FileManager.default.fileExists(atPath: $0.path + "/config.json")
    }
    #expect(plain.map(\.step) == (preset == .tiny ? [0] : []))
    for entry in entries.dropLast() {
      let checkpoint = try CheckpointFolder.read(entry.path)
      let rest = await Self.train(
        try TrainingRun(
          resuming: checkpoint,
          configuration: try TrainingConfiguration(options: checkpoint.continuation().options),
          corpus: Self.corpus, script: checkpoint.continuation().script, checkpointFolder: nil))
      #expect(rest.numbers == Array(whole.numbers.dropFirst(entry.step)), "from \(entry.step)")
    }
  }

  @Test(
    arguments: zip(OptimizerKind.byGradients, clippings(OptimizerKind.byGradients.count)))
  func `a run of any optimizer goes on bit for bit, live changes included`(
    optimizer: OptimizerKind, clipping: GradientClipping.Kind
  ) async throws {
    let folder = Self.temporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    var configuration = Self.configuration(.moeTiny)
    configuration.steps = 130
    configuration.checkpointEvery = 32
    configuration.optimizer = optimizer
    configuration.clipping = clipping
    configuration.updateClip = optimizer == .stableAdamW ? 1 : 0
    configuration.learningRate = optimizer == .sgd ? 0.5 : optimizer == .lion ? 3e-3 : 1e-2
    configuration.schedule = .wsd
    let beta2 = optimizer.hasSecondMoments ? "adam_beta2 0.99" : "grad_clip 0.5"
    let script = try Self.script([
      (20, "set \(beta2)"), (25, "set lr.warmup_again 20"), (70, "set freeze 1"),
      (80, "set lr.decay_now 40"), (100, "undo"),
    ])
    let whole = await Self.train(
      try TrainingRun(
        configuration: configuration, corpus: Self.corpus, script: script,
        checkpointFolder: folder))
    #expect(whole.outcome == .finished)
    #expect(whole.losses.last ?? 9 < (whole.losses.first ?? 0) - 0.5)
    for entry in try CheckpointFolder.list(in: folder.path).dropLast() {
      let checkpoint = try CheckpointFolder.read(entry.path)
      let rest = await Self.train(
        try TrainingRun(
          resuming: checkpoint,
          configuration: try TrainingConfiguration(options: checkpoint.continuation().options),
          corpus: Self.corpus, script: checkpoint.continuation().script, checkpointFolder: nil))
      #expect(rest.numbers == Array(whole.numbers.dropFirst(entry.step)), "from \(entry.step)")
    }
  }

  @Test func `another optimizer's checkpoint is refused by name`() async throws {
    let folder = Self.temporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    var configuration = Self.configuration()
    configuration.steps = 2
    _ = await Self.train(
      try TrainingRun(
        configuration: configuration, corpus: Self.corpus, checkpointFolder: folder))
    let checkpoint = try CheckpointFolder.read(folder.path)
    configuration.optimizer = .muon
    let error = #expect(throws: ConfigurationError.self) {
      _ = try TrainingRun(
        resuming: checkpoint, configuration: configuration, corpus: Self.corpus, script: [],
        checkpointFolder: nil)
    }
    #expect(
      error?.description == "the checkpoint's moments are adamw's, not muon's: leave the optimizer"
        + " out when resuming")
  }

  @Test func `every tensor's gradient, update and norm is told each tenth step`() async throws {
    let telling = await Self.train(
      try TrainingRun(
        configuration: Self.configuration(.moeTiny), corpus: Self.corpus, checkpointFolder: nil))
    for samples in telling.samples.dropLast() {
      let isDue = samples.step % 10 == 0
      for family in ["grad_rms", "update_rms", "param_norm"] {
        for tensor in ["embed", "L0.qkv", "L1.E3.up", "head"] {
          let value = samples[MetricName("\(family)/\(tensor)")]
          #expect((value != nil) == isDue, "\(family)/\(tensor) at \(samples.step)")
          if let value { #expect(value > 0) }
        }
      }
    }
    #expect(telling.samples.contains { ($0[MetricCatalog.noiseScale] ?? 0) > 0 })
  }

  @Test func `the first step after a switch has the loss it would have had, both ways`()
    async throws
  {
    let plain = await Self.train(
      try TrainingRun(
        configuration: Self.configuration(), corpus: Self.corpus, checkpointFolder: nil))
    let switched = await Self.train(
      try TrainingRun(
        configuration: Self.configuration(), corpus: Self.corpus,
        script: try Self.script([(20, "set qk_layernorm on")]), checkpointFolder: nil))
    #expect(switched.losses[...20] == plain.losses[...20])
    #expect(switched.losses[21] != plain.losses[21])
    var normalised = Self.configuration()
    normalised.qkLayerNorm = true
    let on = await Self.train(
      try TrainingRun(configuration: normalised, corpus: Self.corpus, checkpointFolder: nil))
    let off = await Self.train(
      try TrainingRun(
        configuration: normalised, corpus: Self.corpus,
        script: try Self.script([(20, "set qk_layernorm off")]), checkpointFolder: nil))
    #expect(off.losses[...20] == on.losses[...20])
    #expect(off.losses[21] != on.losses[21])
  }

  @Test func `commands are applied in order, recorded, and answered`() async throws {
    let run = try TrainingRun(
      configuration: Self.configuration(), corpus: Self.corpus, checkpointFolder: nil)
    let telling = await Self.train(
      run,
      commands: [
        .note("hello"), .pause, .step(3), .set(name: "moe.aux_loss", value: .number(1)),
        .set(name: "z_loss", value: .number(1e-4)), .undo, .resume, .stop,
      ])
    #expect(telling.outcome == .stopped)
    #expect(telling.samples.isEmpty)
    #expect(
      telling.events.prefix(8).map(\.kind) == [
        .note, .pause, .step, .refused, .set, .set, .resume, .stop,
      ])
    #expect(telling.events.prefix(8).allSatisfy { $0.by == "you" && $0.step == 0 })
  }

  @Test func `a diverging run ends, says so and names its last good checkpoint`() async throws {
    let folder = Self.temporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    var configuration = Self.configuration()
    configuration.checkpointEvery = 40
    configuration.learningRate = 1e12
    configuration.gradClip = 0
    let telling = await Self.train(
      try TrainingRun(
        configuration: configuration, corpus: Self.corpus,
        script: try Self.script([(0, "set lr.multiplier 0"), (3, "set lr.multiplier 1")]),
        checkpointFolder: folder))
    #expect(telling.outcome == .diverged)
    let event = try #require(telling.events.last { $0.kind == .diverged })
    #expect(event.text.contains("the last good checkpoint is step-000000000"))
  }

  @Test func `a run whose data is gone writes a checkpoint that goes on where it is again`() throws
  {
    let folder = try ScratchFolder()
    let bytes = SyntheticLanguage(seed: 1).text(bytes: 20_000)
    let path = try folder.write(bytes, to: "data")
    let run = try TrainingRun(
      configuration: Self.configuration(), corpus: Corpus.open(path: path),
      checkpointFolder: folder.url)
    _ = try run.advance(now: { 0 })
    try Data().write(to: URL(fileURLWithPath: path))
    #expect(throws: DataError.self) { try run.advance(now: { 1 }) }
    let written = try #require(run.writeCheckpoint(by: "you"))
    for data in [bytes, SyntheticLanguage(seed: 2).text(bytes: 20_000)] {
      let next = try TrainingRun(
        resuming: CheckpointFolder.read(written.path), configuration: Self.configuration(),
        corpus: Corpus.open(path: folder.write(data, to: "data")), script: [],
        checkpointFolder: nil)
      #expect(next.step == 1 && next.hasOtherData == (data != bytes))
    }
  }

  @Test func `a folder that cannot be written leaves the run alone`() async throws {
    var configuration = Self.configuration()
    configuration.checkpointEvery = 20
    let telling = await Self.train(
      try TrainingRun(
        configuration: configuration, corpus: Self.corpus,
        checkpointFolder: URL(fileURLWithPath: "/proc/seismo-cannot-write-here")))
    #expect(telling.outcome == .finished)
    #expect(telling.losses.count == 40)
    #expect(telling.events.filter { $0.kind == .fault }.count == 3)
  }
}

/// What the trainer's queue handed over.
private final class Collected: Sendable {
  private let records = Mutex<[RunRecord]>([])

  func add(_ record: RunRecord) {
    records.withLock { $0.append(record) }
  }

  var all: [RunRecord] { records.withLock { $0 } }
}
