import Foundation
import Models
import Ranks
import Telemetry
import TestSupport
import Testing

@testable import Training

/// A run over ranks has the bits of the run of one process.
@Suite(.timeLimit(.minutes(15)))
struct RankRunTests {
  /// What a run is made of, beside its defaults.
  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    var preset = Preset.tiny
    var steps = 12
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
    Case(testDescription: "dense", steps: 22) { $0.sharpnessEvery = 20 },
    Case(testDescription: "mixture", preset: .moeTiny, steps: 52) { $0.biasBalance = 1e-3 },
    Case(testDescription: "eight slices", preset: .moeTiny) { $0.slices = 8 },
    Case(testDescription: "stable-adamw") { $0.optimizer = .stableAdamW },
    Case(testDescription: "muon", preset: .moeTiny) { $0.optimizer = .muon },
    Case(testDescription: "sgd") {
      $0.optimizer = .sgd
      $0.clipping = .zclip
    },
    Case(testDescription: "adagc, coupled decay") {
      $0.clipping = .adagc
      $0.decayIsCoupled = true
    },
    Case(testDescription: "sigma-reparam") { $0.model.sigmaReparam = true },
    Case(testDescription: "qk-clip and caps") {
      $0.qkClip = 0.5
      $0.outputSoftCap = 5
      $0.logitSoftCap = 5
    },
    Case(testDescription: "noisy windows") {
      $0.corrupt = 0.3
      $0.clean = 0.5
    },
    Case(testDescription: "thor", preset: .moeTiny) { $0.setRouter(.thor, besides: [:]) },
    Case(testDescription: "rmoe", preset: .moeTiny) { $0.setRouter(.rmoe, besides: [:]) },
    Case(
      testDescription: "commands", preset: .moeTiny, steps: 16,
      script: [
        (2, "set qk_layernorm on"), (4, "set batch 12"), (6, "set moe.capacity 1.2"),
        (7, "undo"), (9, "evaluate"), (10, "skip 2"), (12, "set freeze 1"),
      ]),
  ]

  @Test(arguments: cases, [2, 4])
  func `ranks change no bit`(_ made: Case, count: Int) async throws {
    let alone = try await TrainedRun(made.preset, script: made.script) { made.configure(&$0) }
    let ranks = try await TrainedRun.together(count, made.preset, script: made.script) {
      made.configure(&$0)
    }
    for run in ranks { #expect(run.numbers == alone.numbers) }
    #expect(alone.samples.count >= made.steps)
  }
}
