import Foundation
import Kernels
import Models
import Ranks
import Synchronization
import Telemetry
import TestSupport
import Testing

@testable import Training

/// A run over ranks has the bits of the run of one process.
///
/// One after another: a rank waits in a thread of its own, and Dispatch has no more than some dozens.
@Suite(.timeLimit(.minutes(15)), .serialized)
struct RankRunTests {
  /// What a run is made of, beside its defaults.
  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    var preset = Preset.tiny
    var steps = 7
    var script: [(Int, String)] = []
    var change: @Sendable (inout TrainingConfiguration) -> Void = { _ in }

    func configure(_ configuration: inout TrainingConfiguration) {
      configuration.steps = steps
      configuration.evalEvery = 5
      configuration.evalWindows = 5
      configuration.slices = 4
      change(&configuration)
    }
  }

  static let cases: [Case] = [
    Case(testDescription: "dense") { $0.sharpnessEvery = 5 },
    Case(testDescription: "mixture", preset: .moeTiny) { $0.biasBalance = 1e-3 },
    Case(testDescription: "eight slices", preset: .moeTiny) { $0.slices = 8 },
    Case(testDescription: "stable-adamw") { $0.optimizer = .stableAdamW },
    Case(testDescription: "muon", preset: .moeTiny) { $0.optimizer = .muon },
    Case(testDescription: "sgd") {
      $0.optimizer = .sgd
      $0.clipping = .zclip
    },
    Case(testDescription: "lion", preset: .moeTiny) { $0.optimizer = .lion },
    Case(testDescription: "lion, sharded, capped changes", preset: .moeTiny) {
      $0.optimizer = .lion
      $0.shardsOptimizer = true
      $0.updateCap = 1e-3
    },
    Case(testDescription: "adagc, coupled decay") {
      $0.clipping = .adagc
      $0.decayIsCoupled = true
    },
    Case(testDescription: "muon, sharded", preset: .moeTiny) {
      $0.optimizer = .muon
      $0.shardsOptimizer = true
    },
    Case(testDescription: "stable-adamw, sharded") {
      $0.optimizer = .stableAdamW
      $0.sharpnessEvery = 5
      $0.shardsOptimizer = true
    },
    Case(testDescription: "capped changes") { $0.updateCap = 1e-3 },
    Case(testDescription: "muon, sharded, capped changes", preset: .moeTiny) {
      $0.optimizer = .muon
      $0.shardsOptimizer = true
      $0.updateCap = 1e-3
    },
    Case(testDescription: "mezo", preset: .moeTiny) {
      $0.optimizer = .mezo
      $0.learningRate = 1e-3
      $0.shardsOptimizer = true
      $0.updateCap = 1e-3
    },
    Case(testDescription: "subspace, sharded") {
      $0.subspace = 200
      $0.shardsOptimizer = true
    },
    Case(testDescription: "kat") { $0.model.feedForward = .kat },
    Case(testDescription: "sigma-reparam") { $0.model.sigmaReparam = true },
    Case(testDescription: "qk-clip and caps") {
      $0.qkClip = 0.5
      $0.outputSoftCap = 5
      $0.logitSoftCap = 5
    },
    Case(testDescription: "state spaces") { $0.model.mixers = [.attention, .ssm] },
    Case(testDescription: "sparse", steps: 9) {
      $0.model.width = 32
      $0.sparsity = 0.5
      $0.regrow = 2
    },
    Case(testDescription: "sparse, sharded", steps: 9) {
      $0.model.width = 32
      $0.sparsity = 0.5
      $0.regrow = 2
      $0.shardsOptimizer = true
    },
    Case(testDescription: "one array") { $0.model.sharing = 0.3 },
    Case(testDescription: "one array, sharded") {
      $0.model.sharing = 0.3
      $0.shardsOptimizer = true
    },
    Case(testDescription: "noisy windows") {
      $0.corrupt = 0.3
      $0.clean = 0.5
    },
    Case(testDescription: "thor", preset: .moeTiny) { $0.setRouter(.thor, besides: [:]) },
    Case(testDescription: "rmoe", preset: .moeTiny) { $0.setRouter(.rmoe, besides: [:]) },
    Case(
      testDescription: "commands", preset: .moeTiny, steps: 14,
      script: [
        (2, "set qk_layernorm on"), (4, "set batch 12"), (6, "set moe.capacity 1.2"),
        (7, "undo"), (9, "evaluate"), (10, "skip 2"), (12, "set freeze 1"),
      ]),
  ]

  @Test(arguments: cases)
  func `ranks change no bit`(_ made: Case) async throws {
    let alone = try await TrainedRun(made.preset, script: made.script) { made.configure(&$0) }
    #expect(alone.samples.count >= made.steps)
    for count in [2, 4] {
      let ranks = try await TrainedRun.together(count, made.preset, script: made.script) {
        made.configure(&$0)
      }
      for run in ranks { #expect(run.numbers == alone.numbers) }
    }
  }

  @Test(arguments: [false, true])
  func `a run that goes back and goes on with other ranks has the bits of one process`(
    isSharded: Bool
  ) async throws {
    let (one, many) = (try TestFolder(), try TestFolder())
    let change: @Sendable (inout TrainingConfiguration) -> Void = {
      $0.steps = 14
      $0.checkpointEvery = 4
      $0.shardsOptimizer = isSharded
    }
    let script = [(10, "rewind 8 skip 1")]
    let alone = try await TrainedRun(.moeTiny, script: script, checkpointFolder: one.url, change)
    let ranks = try await TrainedRun.together(
      4, .moeTiny, script: script, checkpointFolder: many.url, change)
    for run in ranks {
      #expect(run.numbersByStep == alone.numbersByStep)
      #expect(run.generations == [8])
    }
    for file in ["model.safetensors", "optimizer.safetensors", "run.json"] {
      for step in ["step-000000012/", "step-000000014/"] {
        #expect(
          try Data(contentsOf: one.url.appending(path: step + file))
            == Data(contentsOf: many.url.appending(path: step + file)), "\(step)\(file)")
      }
    }
    let path = many.url.appending(path: "step-000000008").path
    let rest = await ThreadRanks.each(of: 2) { ranks in
      Result {
        let checkpoint = try CheckpointFolder.read(path)
        let state = try checkpoint.continuation()
        return TrainedRun(
          records: TrainedRun.trainHere(
            try TrainingRun(
              resuming: checkpoint, configuration: TrainingConfiguration(options: state.options),
              corpus: Corpus.synthetic(seed: 1, bytes: 20_000), script: state.script,
              checkpointFolder: nil, ranks: ranks)))
      }
    }
    for run in rest {
      let steps = try run.get().numbersByStep
      #expect(steps.count == 6)
      for (step, numbers) in steps { #expect(numbers == alone.numbersByStep[step]) }
    }
  }

  @Test func `a command that rank 0 is given is applied by all at the same step`() async throws {
    let scripted = try await TrainedRun(script: [(3, "set lr.multiplier 0.5")]) { $0.steps = 8 }
    let numbers = await ThreadRanks.each(of: 4) { ranks in
      Result { try Self.steered(ranks) }
    }
    for run in numbers {
      let run = try run.get()
      #expect(run.numbers == scripted.numbers)
      #expect(run.events.filter { $0.kind == .set }.map(\.by) == ["you"])
    }
  }

  /// A run that rank 0 has hold at step 3, is given a command and goes on.
  private static func steered(_ ranks: ThreadRanks) throws -> TrainedRun {
    let (records, isOver) = (Records(), DispatchSemaphore(value: 0))
    let hand = Hand()
    let trainer = Trainer(
      try TrainedRun.small(ranks: ranks) { $0.steps = 8 }
    ) { record in
      records.add(record)
      if case .state(.paused) = record { hand.steer() }
    }
    hand.hold(trainer)
    if ranks.isFirst { trainer.post(.step(3), by: "test") }
    trainer.start { _ in isOver.signal() }
    isOver.wait()
    return TrainedRun(records: records.all)
  }

  /// Steers rank 0's trainer alone.
  private final class Hand: Sendable {
    private let trainer = Mutex<Trainer?>(nil)

    func hold(_ trainer: Trainer) { self.trainer.withLock { $0 = trainer } }

    func steer() {
      let held = trainer.withLock { $0 }
      held?.post(.set(name: "lr.multiplier", value: .number(0.5)), by: "you")
      held?.post(.resume, by: "test")
    }
  }

  @Test func `a rank that dies ends the run, and the last checkpoint is named`() async throws {
    let folder = try TestFolder()
    let place = folder.url
    let ends = await ThreadRanks.each(of: 4) { ranks in
      Result { try Self.endWithoutRank2(ranks, checkpointFolder: place) }
    }
    for end in ends {
      guard case .failed(let reason) = try end.get() else {
        Issue.record("a run without one of its ranks went on")
        continue
      }
      #expect(reason.hasPrefix("rank 2 is gone; go on from "))
      #expect(reason.hasSuffix("/step-000000004"))
    }
    #expect(try CheckpointFolder.latest(in: folder.url.path)?.step == 4)
  }

  /// How a run ends whose rank 2 dies in step 6.
  private static func endWithoutRank2(
    _ ranks: ThreadRanks, checkpointFolder: URL
  ) throws -> TrainingOutcome? {
    let run = try TrainedRun.small(ranks: ranks, checkpointFolder: checkpointFolder) {
      $0.steps = 1000
      $0.checkpointEvery = 4
    }
    let outcome = Outcome()
    let trainer = Trainer(run) { record in
      guard case .samples(let samples) = record, samples.step == 6, ranks.rank == 2 else { return }
      ranks.die()
    }
    trainer.start { outcome.set($0.outcome) }
    return outcome.wait()
  }

  private final class Outcome: Sendable {
    private let value = Mutex<TrainingOutcome?>(nil)
    private let isSet = DispatchSemaphore(value: 0)

    func set(_ outcome: TrainingOutcome) {
      value.withLock { $0 = outcome }
      isSet.signal()
    }

    func wait() -> TrainingOutcome? {
      isSet.wait()
      return value.withLock { $0 }
    }
  }

  @Test(arguments: [(false, 10), (true, 10), (true, -10)])
  func `a bit that changes in one rank's memory is told`(
    isSharded: Bool, place: Int
  ) async throws {
    let flip: ProbeCatalog.Maker = { FlippingProbe(ranks: $0.ranks, place: place) }
    let steps = isSharded ? 70 : 102
    let runs = await ThreadRanks.each(of: 2) { ranks in
      Result {
        TrainedRun(
          records: TrainedRun.trainHere(
            try TrainedRun.small(ranks: ranks, probes: ProbeCatalog.makers + [flip]) {
              $0.steps = steps
              $0.shardsOptimizer = isSharded
            }))
      }
    }
    let run = try runs[0].get()
    let alarms = run.events.filter { $0.name == "stray-weights" }
    #expect(alarms.map(\.kind) == [.alarm])
    #expect(alarms.map(\.step) == [isSharded ? 61 : 100])
    #expect(alarms.first?.text.hasPrefix("the weights of 1 of the ranks are not rank 0's") == true)
    // With its section of the weights a rank hands a changed bit on, and nobody differs any more.
    let told = isSharded ? (0..<steps).map { $0 > 60 ? 1.0 : 0 } : [0, 1]
    #expect(run.values(MetricCatalog.strayWeights) == told)
  }

  /// Changes the lowest bit of one of rank 1's weights, once.
  private struct FlippingProbe: Probe {
    let ranks: any RankGroup
    /// From the weights' end where it is below 0.
    let place: Int

    func afterUpdate(
      of step: ProbedStep, _ outcome: StepOutcome, into samples: inout StepSamples
    ) {
      guard step.number == 60, ranks.rank == 1 else { return }
      let index = place < 0 ? step.parameters.count + place : place
      step.parameters.base[index] = Float(bitPattern: step.parameters[index].bitPattern ^ 1)
    }
  }

  @Test func `ranks that do not divide the slices are refused`() async throws {
    let texts = await ThreadRanks.each(of: 8) { ranks in
      do {
        _ = try TrainedRun.small(ranks: ranks) { _ in }
        return ""
      } catch {
        return "\(error)"
      }
    }
    #expect(texts[3] == "8 ranks for 4 slices of a batch: give --slices 8, or fewer ranks")
    #expect(
      throws: ConfigurationError.impossible(
        reason: "6 slices: give a power of two that divides the batch of 16")
    ) {
      try TrainingConfiguration(options: ["preset": "tiny", "slices": "6"])
    }
    #expect(try TrainingConfiguration(options: ["slices": "8"]).options["slices"] == "8")
    #expect(TrainingConfiguration(preset: .tiny).options["slices"] == nil)
  }

  @Test func `ranks with other options are refused before the first step`() async throws {
    let texts = await ThreadRanks.each(of: 2) { ranks in
      do {
        let run = try TrainedRun.small(ranks: ranks) { $0.seed = UInt64(ranks.rank) }
        try run.checkRanks()
        return ""
      } catch {
        return "\(error)"
      }
    }
    for text in texts {
      #expect(text.contains("has another run than rank 0"))
      #expect(text.hasSuffix("give all ranks the same options and run.toml"))
    }
  }
}
