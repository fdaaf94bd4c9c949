import Foundation
import Signals
import Telemetry
import Testing

@testable import Training

/// Runs that go back to one of their checkpoints.
@Suite(.timeLimit(.minutes(15)))
struct RewindTests {
  private static func train(
    _ script: [(Int, String)], preset: Preset = .tiny, folder: ScratchFolder? = nil
  ) async throws -> TrainedRun {
    let folder = try folder ?? ScratchFolder()
    return try await TrainedRun(preset, script: script, checkpointFolder: folder.url) {
      $0.steps = 40
      $0.checkpointEvery = 10
      $0.evalEvery = 10
      $0.evalWindows = 4
      $0.blendSteps = 8
    }
  }

  @Test(arguments: [Preset.tiny, .moeTiny])
  func `after going back it does what a run that went straight there does, bit for bit`(
    preset: Preset
  ) async throws {
    let changes = [(12, "set qk_layernorm on"), (20, "set z_loss 1e-4")]
    let straight = try await Self.train(changes, preset: preset)
    let back = try await Self.train(changes + [(33, "rewind 20")], preset: preset)
    #expect(back.generations == [20])
    #expect(back.samples.count == 54)
    #expect(back.numbersByStep == straight.numbersByStep)
  }

  @Test func `going back takes the settings back too`() async throws {
    let run = try await Self.train([
      (15, "set lr.multiplier 4"), (18, "rewind step-000000010"), (18, "set z_loss 1e-4"),
    ])
    let straight = try await Self.train([(10, "set z_loss 1e-4"), (15, "set lr.multiplier 4")])
    #expect(run.numbersByStep == straight.numbersByStep)
    let rewind = try #require(run.events.first { $0.kind == .rewind })
    #expect(rewind.step == 10)
    #expect(rewind.by == "run.toml")
    #expect(rewind.text == "back from step 18 to step-000000010")
    #expect(rewind.values == ["from": 18, "skip": 0, "offset": 0])
  }

  @Test func `batches that are left out are those that come next`() async throws {
    let back = try await Self.train([(18, "rewind last skip 5")])
    let straight = try await Self.train([(10, "skip 5")])
    let plain = try await Self.train([])
    #expect(back.numbersByStep == straight.numbersByStep)
    #expect(back.numbersByStep[9] == plain.numbersByStep[9])
    #expect(back.numbersByStep[10] != plain.numbersByStep[10])
  }

  @Test func `going back once more with batches left out meets other batches`() async throws {
    let twice = try await Self.train([(18, "rewind 10 skip 5"), (19, "rewind 10 skip 5")])
    let straight = try await Self.train([(10, "skip 10")])
    #expect(twice.generations == [10, 10])
    #expect(twice.numbersByStep == straight.numbersByStep)
  }

  @Test func `what cannot be gone back to is refused with the reason`() async throws {
    let run = try await Self.train([(5, "rewind 3"), (15, "rewind 30"), (18, "rewind last")])
    #expect(
      run.events.filter { $0.kind == .refused }.map(\.text) == [
        "rewind 3 refused: no checkpoint '3' of this run",
        "rewind 30 refused: no checkpoint '30' of this run",
      ])
    #expect(run.generations == [10])
    let bare = try await TrainedRun(script: [(2, "rewind last"), (3, "branch b")]) { $0.steps = 5 }
    #expect(
      bare.events.filter { $0.kind == .refused }.map(\.text) == [
        "rewind last refused: no checkpoint was written; 'checkpoint' writes one",
        "branch b refused: this run is not recorded",
      ])
  }

  @Test func `a checkpoint of a stretch that was given up, or lies ahead, is refused`()
    async throws
  {
    let folder = try ScratchFolder()
    _ = try await Self.train([(15, "rewind 10"), (17, "checkpoint")], folder: folder)
    let other = try await Self.train([(16, "rewind 17"), (19, "rewind 17")], folder: folder)
    #expect(
      other.events.filter { $0.kind == .refused }.map(\.text) == [
        "rewind 17 refused: step-000000017 is ahead of step 16",
        "rewind 17 refused: step-000000017 is of a stretch that was gone back over",
      ])
  }

  @Test func `who resumes from the folder does not meet the stretch that was given up`()
    async throws
  {
    let folder = try ScratchFolder()
    _ = try await Self.train([(33, "rewind 10 skip 5"), (33, "stop")], folder: folder)
    let rest = try await TrainedRun(resuming: CheckpointFolder.read(folder.path))
    #expect(rest.samples.first?.step == 10)
    let straight = try await Self.train([(10, "skip 5")])
    #expect(rest.numbersByStep[20] == straight.numbersByStep[20])
    let kept = try FileManager.default.contentsOfDirectory(atPath: folder.path)
      .filter { $0.hasPrefix("rewind-1-") }
    #expect(kept.sorted() == ["rewind-1-step-000000020", "rewind-1-step-000000030"])
  }

  /// A run whose rate is raised a thousandfold at step 70, told of at once by attention's logits.
  private static func troubled(_ script: [(Int, String)]) async throws -> TrainedRun {
    let folder = try ScratchFolder()
    return try await TrainedRun(
      .tiny, script: [(70, "set lr.multiplier 1000")] + script, checkpointFolder: folder.url
    ) {
      $0.steps = 130
      $0.checkpointEvery = 20
    }
  }

  @Test func `the good checkpoint is from before the trouble, the last one is not`() async throws {
    let run = try await Self.troubled([(125, "rewind good")])
    let alarm = try #require(run.events.first { $0.kind == .alarm })
    let since = try #require(alarm.values["since"])
    #expect(since >= 70 && alarm.step < 120)
    let rewind = try #require(run.events.first { $0.kind == .rewind })
    #expect(rewind.step == 60)
    let last = try await Self.troubled([(125, "rewind last")])
    #expect(last.events.first { $0.kind == .rewind }?.step == 120)
  }

  @Test func `an alarm of spoilt weights names the good checkpoint and its loss`() async throws {
    let run = try await Self.troubled([])
    let alarm = try #require(run.events.first { $0.kind == .alarm })
    let loss = try #require(alarm.values["good_loss"])
    #expect(alarm.values["good_step"] == 60)
    #expect(
      alarm.text.hasSuffix(
        "; good before it: step-000000060 (loss \(NumberText.compact(loss)))"))
    let end = try #require(run.events.last { $0.kind == .run })
    #expect(end.text.contains(", still alarmed: attention-logits-"))
    let before = run.samples.filter { (35..<60).contains($0.step) }.compactMap { $0["loss"] }
    #expect(loss == before.sorted()[12])
  }

  @Test func `where no checkpoint is from before the trouble it is said`() async throws {
    let folder = try ScratchFolder()
    let run = try await TrainedRun(
      script: [(1, "set lr.multiplier 50"), (50, "checkpoint"), (60, "rewind good")],
      checkpointFolder: folder.url
    ) { $0.steps = 62 }
    let since = try #require(run.events.first { $0.kind == .alarm }?.values["since"])
    let refusal = try #require(
      run.events.first { $0.kind == .refused }, "\(run.events.map { "\($0.step) \($0.text)" })")
    #expect(
      refusal.text == "rewind good refused: no checkpoint is from before the trouble, which "
        + "began at step \(NumberText.grouped(Int(since)))")
  }
}
