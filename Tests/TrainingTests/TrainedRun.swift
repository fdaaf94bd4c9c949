import Foundation
import Models
import Synchronization
import Telemetry
import TestSupport

@testable import Training

/// A small run on the built-in language, trained on the trainer's own queue.
struct TrainedRun {
  /// All that it told, in order.
  let records: [RunRecord]
  let samples: [StepSamples]
  let events: [RunEvent]
  /// Steps at which a generation began.
  let generations: [Int]

  /// - Parameters: `script` are commands by step, in words.
  init(
    _ preset: Preset = .tiny, script: [(Int, String)] = [], autopilot: [AutopilotRule] = [],
    probes: [ProbeCatalog.Maker] = ProbeCatalog.makers, checkpointFolder: URL? = nil,
    _ change: (inout TrainingConfiguration) -> Void
  ) async throws {
    var configuration = TrainingConfiguration.small(preset)
    configuration.evalEvery = 0
    change(&configuration)
    let commands = try script.map {
      ScriptedCommand(step: $0.0, command: try Command(words: $0.1))
    }
    try await self.init(
      TrainingRun(
        configuration: configuration, corpus: Corpus.synthetic(seed: 1, bytes: 20_000),
        script: commands, autopilot: autopilot, probes: probes,
        checkpointFolder: checkpointFolder))
  }

  /// The rest of a run on the same data.
  init(
    resuming checkpoint: Checkpoint, probes: [ProbeCatalog.Maker] = ProbeCatalog.makers
  ) async throws {
    try await self.init(
      TrainingRun(
        resuming: checkpoint,
        configuration: TrainingConfiguration(options: checkpoint.continuation().options),
        corpus: Corpus.synthetic(seed: 1, bytes: 20_000), script: checkpoint.continuation().script,
        probes: probes, checkpointFolder: nil))
  }

  /// The run that threads make together as its ranks, as each of them tells it.
  static func together(
    _ count: Int, _ preset: Preset = .tiny, script: [(Int, String)] = [],
    autopilot: [AutopilotRule] = [], checkpointFolder: URL? = nil,
    _ change: @escaping @Sendable (inout TrainingConfiguration) -> Void
  ) async throws -> [TrainedRun] {
    let commands = try script.map {
      ScriptedCommand(step: $0.0, command: try Command(words: $0.1))
    }
    let results = await ThreadRanks.each(of: count) { ranks in
      Result {
        TrainedRun(
          records: Self.trainHere(
            try small(
              preset, ranks: ranks, script: commands, autopilot: autopilot,
              checkpointFolder: checkpointFolder, change)))
      }
    }
    return try results.map { try $0.get() }
  }

  /// The part of one rank in such a run.
  static func small(
    _ preset: Preset = .tiny, ranks: ThreadRanks, script: [ScriptedCommand] = [],
    autopilot: [AutopilotRule] = [], probes: [ProbeCatalog.Maker] = ProbeCatalog.makers,
    checkpointFolder: URL? = nil, _ change: (inout TrainingConfiguration) -> Void
  ) throws -> TrainingRun {
    var configuration = TrainingConfiguration.small(preset)
    configuration.evalEvery = 0
    configuration.workers = 1
    change(&configuration)
    return try TrainingRun(
      configuration: configuration, corpus: Corpus.synthetic(seed: 1, bytes: 20_000),
      script: script, autopilot: autopilot, probes: probes, checkpointFolder: checkpointFolder,
      ranks: ranks)
  }

  /// Trains to the end and waits for it in this thread.
  static func trainHere(_ run: sending TrainingRun) -> [RunRecord] {
    let (records, isOver) = (Records(), DispatchSemaphore(value: 0))
    let trainer = Trainer(run) { records.add($0) }
    trainer.start { _ in isOver.signal() }
    isOver.wait()
    return records.all
  }

  /// A run that is trained to its end.
  init(_ run: sending TrainingRun) async throws {
    self.init(records: await Self.train(run))
  }

  init(records: [RunRecord]) {
    self.records = records
    samples = records.compactMap { record in
      if case .samples(let samples) = record { samples } else { nil }
    }
    events = records.compactMap { record in
      if case .event(let event) = record { event } else { nil }
    }
    generations = records.compactMap { record in
      if case .generation(let step) = record { step } else { nil }
    }
  }

  /// All that no clock says, bit by bit, of the newest sample of each step.
  var numbersByStep: [Int: [UInt64]] {
    Dictionary(samples.map { ($0.step, $0.unclocked) }) { $1 }
  }

  /// All that no clock says, bit by bit.
  var numbers: [[UInt64]] { samples.map(\.unclocked) }

  func values(_ name: MetricName) -> [Double] { samples.compactMap { $0[name] } }

  private static func train(_ run: sending TrainingRun) async -> [RunRecord] {
    let records = Records()
    let trainer = Trainer(run) { records.add($0) }
    await withCheckedContinuation { continuation in
      trainer.start { _ in continuation.resume() }
    }
    return records.all
  }
}

/// What a trainer told.
final class Records: Sendable {
  private let records = Mutex<[RunRecord]>([])

  func add(_ record: RunRecord) {
    records.withLock { $0.append(record) }
  }

  var all: [RunRecord] { records.withLock { $0 } }
}

extension StepSamples {
  /// All that no clock says, bit by bit.
  var unclocked: [UInt64] {
    zip(names, values).filter {
      MetricCatalog.family(of: $0.0)?.isMeasuredByClock == false
    }.map(\.1.bitPattern)
  }
}

extension TrainingConfiguration {
  /// A model of a few thousand parameters in the shape of `preset`.
  static func small(_ preset: Preset) -> TrainingConfiguration {
    var configuration = TrainingConfiguration(preset: preset)
    configuration.model.width = 16
    configuration.model.feedForwardWidth = 64
    configuration.model.layers = 2
    configuration.model.context = 16
    configuration.model.experts?.width = 32
    configuration.batch = 8
    configuration.warmup = 5
    return configuration
  }
}

extension OptimizerKind {
  static let byGradients = allCases.filter(\.takesGradients)
}
