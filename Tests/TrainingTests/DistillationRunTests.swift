import Foundation
import Kernels
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
    // The teacher's pass is no drawing of windows.
    let shares = ["data", "forward"].map {
      run.values(MetricCatalog.stepShare(phase: $0)).reduce(0, +)
    }
    #expect(shares[0] < shares[1])
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
      "corrupt would have the teacher of distil read noise: leave one of them out"
    ),
    (["distil": "x", "optimizer": "mezo"], "leave distil out, or choose another optimizer"),
    (
      ["distil": "x", "sharpness-every": "9"],
      "sharpness-every measures the data's loss alone, and distil trains by another"
    ),
    (
      ["distil": "x", "preset": "moe-tiny", "router": "thor"],
      "distil needs a router of one pass a step, and thor takes two: choose another router"
    ),
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

/// What a run knows of its teacher.
extension DistillationRunTests {
  /// A checkpoint of the teacher's run with other weights.
  private static func other(
    in folder: TestFolder, _ name: String, _ change: (FloatBuffer, ParameterLayout) -> Void
  ) throws -> String {
    let checkpoint = try CheckpointFolder.read(teacher.get())
    let parameters = FloatBuffer(count: checkpoint.layout.count)
    try checkpoint.load(parameters: parameters)
    change(parameters, checkpoint.layout)
    try FileManager.default.createDirectory(
      atPath: folder.path(name), withIntermediateDirectories: true)
    try checkpoint.write(parameters, routerBias: nil, into: folder.path(name))
    return folder.path(name)
  }

  private static func refusal(
    of checkpoint: Checkpoint, distil: String? = nil
  ) throws -> String {
    var options = try checkpoint.continuation().options
    if let distil { options["distil"] = distil }
    let configuration = try TrainingConfiguration(options: options)
    do {
      _ = try TrainingRun(
        resuming: checkpoint, configuration: configuration, corpus: corpus, script: [],
        checkpointFolder: nil)
      return "taken"
    } catch {
      return "\(error)"
    }
  }

  @Test func `a run goes on with the teacher that was the newest as it began, wherever it lies`()
    async throws
  {
    let (folder, teachers) = (try TestFolder(), try TestFolder())
    let manager = FileManager.default
    let own = teachers.path("step-000000060")
    try manager.copyItem(atPath: Self.teacher.get(), toPath: own)
    let whole = try await Self.run(folder: folder.url) {
      $0.distil = teachers.url.path
      $0.checkpointEvery = 6
    }
    let newer = try Self.other(in: teachers, "step-000000070") { weights, _ in weights[0] += 1 }
    let checkpoint = try CheckpointFolder.read(folder.path("step-000000006"))
    let rest = try await TrainedRun(resuming: checkpoint)
    #expect(rest.numbers == Array(whole.numbers.dropFirst(6)))
    for path in [newer, teachers.url.path] {
      let words = try Self.refusal(of: checkpoint, distil: path)
      #expect(
        words == "\(newer) is not the teacher that the checkpoint's run learnt from: give --distil"
          + " where that one lies")
    }
    try manager.moveItem(atPath: own, toPath: teachers.path("moved"))
    let gone = try Self.refusal(of: checkpoint)
    #expect(gone.hasPrefix("\(own): the teacher of the run is there no more; put it back, or"))
    #expect(try Self.refusal(of: checkpoint, distil: teachers.path("moved")) == "taken")
  }

  @Test func `ranks with other teachers are refused before the first step`() async throws {
    let folder = try TestFolder()
    let other = try Self.other(in: folder, "other") { weights, _ in weights[0] += 1 }
    let paths = [try Self.teacher.get(), other]
    let texts = await ThreadRanks.each(of: 2) { ranks in
      do {
        let run = try TrainedRun.small(ranks: ranks) { $0.distil = paths[ranks.rank] }
        try run.checkRanks()
        return ""
      } catch {
        return "\(error)"
      }
    }
    for text in texts {
      #expect(text.contains("has another teacher than rank 0"), "\(text)")
      #expect(text.hasSuffix("give all hosts the same checkpoint with --distil"))
    }
  }

  @Test func `a fingerprint changes with all that decides the outputs`() throws {
    let folder = try TestFolder()
    func fingerprint(_ path: String) throws -> String {
      let model = TrainingConfiguration.small(.tiny).model
      return try Teacher(path: path, student: model, data: nil).fingerprint
    }
    let same = try Self.other(in: folder, "same") { _, _ in }
    let weights = try Self.other(in: folder, "weights") { weights, _ in weights[0] += 1 }
    let capped = folder.path("capped")
    try FileManager.default.copyItem(atPath: same, toPath: capped)
    let file = URL(fileURLWithPath: capped + "/run.json")
    let text = try String(contentsOf: file, encoding: .utf8)
    let cap = "\"output_softcap\" : 0"
    #expect(text.contains(cap))
    try text.replacing(cap, with: "\"output_softcap\" : 3").write(
      to: file, atomically: true, encoding: .utf8)
    let own = try fingerprint(Self.teacher.get())
    #expect(try fingerprint(same) == own)
    #expect(try Set([own, fingerprint(weights), fingerprint(capped)]).count == 3)
  }

  @Test func `a teacher whose loss is not finite is named`() async throws {
    let folder = try TestFolder()
    let path = try Self.other(in: folder, "high") { weights, layout in
      guard let tensor = layout["lm_head.weight"] else { return }
      for index in 0..<tensor.count { weights[tensor.offset + index] = 3e38 }
    }
    let run = try await Self.run { $0.distil = path }
    let text = try #require(run.events.first { $0.kind == .diverged }?.text)
    #expect(text.hasPrefix("the loss of the teacher \(path) is not finite: the run cannot go on"))
  }

  @Test func `it is told where the teacher was trained on what is held out`() async throws {
    for (fraction, isTold) in [(0.05, false), (0.2, true)] {
      let run = try await Self.run {
        $0.steps = 1
        $0.evalFraction = fraction
      }
      let notes = run.events.filter { $0.kind == .note }.map(\.text)
      #expect(
        notes.contains(
          "the teacher was trained on some of the bytes that are held out here: its eval-fraction is"
            + " 0.05, this run's 0.2") == isTold, "\(notes)")
    }
  }

  @Test func `its memory is counted`() throws {
    var configuration = TrainingConfiguration.small(.tiny)
    func bytes() throws -> (Int, Double) {
      let run = try TrainingRun(
        configuration: configuration, corpus: Self.corpus, checkpointFolder: nil)
      return (run.memoryBytes, configuration.estimatedBytes)
    }
    let alone = try bytes()
    configuration.distil = try Self.teacher.get()
    let taught = try bytes()
    let teacher = try CheckpointFolder.read(Self.teacher.get())
    let least = 4 * (teacher.layout.count + configuration.batch * 16 * 256)
    #expect(taught.0 - alone.0 > least && taught.1 - alone.1 > Double(least))
  }
}
