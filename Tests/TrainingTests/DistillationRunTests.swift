import Foundation
import Models
import Telemetry
import TestSupport
import Testing

@testable import Training

/// Runs that learn from a teacher.
@Suite(.timeLimit(.minutes(15)))
struct DistillationRunTests {
  private static let corpus = Corpus.synthetic(seed: 1, bytes: 20_000)

  /// A short run's last checkpoint, made once.
  private static let teacher = Result {
    var configuration = TrainingConfiguration.small(.moeTiny)
    (configuration.steps, configuration.workers, configuration.evalEvery) = (60, 2, 0)
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "seismo-\(UUID().uuidString)")
    _ = TrainedRun.trainHere(
      try TrainingRun(
        configuration: configuration, corpus: corpus, checkpointFolder: folder))
    return try CheckpointFolder.read(folder.path).path
  }

  /// Of a student without attention.
  private static func run(
    folder: URL? = nil, script: [(Int, String)] = [],
    _ change: (inout TrainingConfiguration) -> Void = { _ in }
  ) async throws -> TrainedRun {
    let teacher = try teacher.get()
    return try await TrainedRun(script: script, checkpointFolder: folder) {
      $0.distil = teacher
      $0.model.mixers = [.ssm]
      $0.steps = 12
      $0.batch = 4
      change(&$0)
    }
  }

  @Test func `its bits are the same for all workers and ranks, and it goes on from checkpoints`()
    async throws
  {
    let folder = try TestFolder()
    let one = try await Self.run(folder: folder.url) {
      $0.workers = 1
      $0.checkpointEvery = 5
    }
    let two = try await Self.run { $0.workers = 2 }
    #expect(one.numbers == two.numbers)
    let teacher = try Self.teacher.get()
    let together = try await TrainedRun.together(2) {
      $0.distil = teacher
      $0.model.mixers = [.ssm]
      $0.steps = 12
      $0.batch = 4
    }
    for rank in together {
      for name in [MetricCatalog.loss, MetricCatalog.teacherLoss, MetricCatalog.distilLoss] {
        #expect(rank.values(name) == one.values(name), "\(name.path)")
      }
    }
    for entry in try CheckpointFolder.list(in: folder.url.path) where entry.step < 12 {
      let rest = try await TrainedRun(resuming: CheckpointFolder.read(entry.path))
      #expect(rest.numbers == Array(one.numbers.dropFirst(entry.step)), "from \(entry.step)")
    }
  }

  @Test func `the teacher's loss is its own on the batch, and the student comes nearer to it`()
    async throws
  {
    let run = try await Self.run {
      $0.steps = 60
      $0.distilWeight = 1
      $0.distilTemperature = 2
    }
    let (teacher, apart) = (
      run.values(MetricCatalog.teacherLoss), run.values(MetricCatalog.distilLoss)
    )
    let losses = run.values(MetricCatalog.loss)
    #expect(teacher.count == 60 && apart.count == 60)
    #expect(teacher.allSatisfy { $0 < losses[0] - 0.5 })
    #expect(apart[59] < 0.7 * apart[0] && losses[59] < losses[0] - 0.3)
    let alone = try await Self.run { $0.distil = nil }
    #expect(alone.values(MetricCatalog.teacherLoss).isEmpty)
  }

  @Test func `a share of 0 is the run without a teacher, to rounding`() async throws {
    let taught = try await Self.run { $0.distilWeight = 0 }
    let alone = try await Self.run { $0.distil = nil }
    let pairs = zip(taught.values(MetricCatalog.loss), alone.values(MetricCatalog.loss))
    #expect(pairs.allSatisfy { abs($0 - $1) < 1e-4 })
  }

  @Test func `a batch that is changed on the way is the teacher's too`() async throws {
    let run = try await Self.run(script: [(6, "set batch 8")])
    #expect(run.values(MetricCatalog.teacherLoss).count == 12)
    #expect(run.values(MetricCatalog.distilLoss).allSatisfy { $0.isFinite && $0 > 0 })
  }

  @Test func `a teacher that does not fit is refused in one line`() throws {
    let path = try Self.teacher.get()
    func line(
      _ corpus: Corpus = Self.corpus, _ change: (inout TrainingConfiguration) -> Void
    ) -> String {
      var configuration = TrainingConfiguration.small(.tiny)
      configuration.distil = path
      change(&configuration)
      do {
        _ = try TrainingRun(configuration: configuration, corpus: corpus, checkpointFolder: nil)
        return "taken"
      } catch {
        return "\(error)"
      }
    }
    #expect(line { _ in } == "taken")
    #expect(line { $0.distil = "nowhere" }.hasPrefix("nowhere: no checkpoint there"))
    #expect(line { $0.model.vocabulary = 128 }.contains("has 256 tokens and this model 128"))
    #expect(line { $0.model.context = 32 }.contains("windows of 16 bytes, not of 32"))
    #expect(
      line(.synthetic(seed: 2, bytes: 20_000)) { _ in }.contains("was trained on other data"))
    #expect(line { $0.distil = "nowhere" }.contains("\n") == false)
  }

  @Test(arguments: [
    (
      ["distil-weight": "0.5"],
      "distil-weight needs a teacher: give its checkpoint with --distil"
    ),
    (["distil": "x", "distil-weight": "2"], "'2' is no value for distil-weight"),
    (["distil": "x", "distil-temperature": "0"], "'0' is no value for distil-temperature"),
    (
      ["distil": "x", "corrupt": "0.1"],
      "corrupt has the teacher read noise, and distil has another"
    ),
    (["distil": "x", "optimizer": "mezo"], "mezo takes losses of the data alone"),
    (["distil": "x", "sharpness-every": "9"], "sharpness is that of the data's loss alone"),
    (["distil": "x", "preset": "moe-tiny", "router": "thor"], "the router thor takes two passes"),
  ])
  func `what cannot be beside a teacher is refused`(options: [String: String], text: String) throws
  {
    let error = #expect(throws: ConfigurationError.self) {
      try TrainingConfiguration(options: ["preset": "tiny"].merging(options) { $1 })
    }
    let line = "\(try #require(error))"
    #expect(line.contains(text) && !line.contains("\n"), "\(line)")
  }
}
