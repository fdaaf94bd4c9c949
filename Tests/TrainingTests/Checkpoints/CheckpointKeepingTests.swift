import Foundation
import Signals
import Telemetry
import Testing

@testable import Training

/// Which checkpoints of a run stay, and when it stops for want of progress.
@Suite(.timeLimit(.minutes(15)))
struct CheckpointKeepingTests {
  @Test func `the last ones stay, and the best where it is asked for`() {
    var keeping = CheckpointKeeping()
    for (step, loss) in [(0, 5.0), (10, 3.0), (20, 2.0), (30, 4.0), (40, 2.0), (50, .nan)] {
      keeping.add(step: step)
      keeping.evaluated(loss, at: step)
    }
    #expect(keeping.best?.step == 20)
    #expect(keeping.superfluous(keepingLast: 0, andBest: true) == [])
    #expect(keeping.superfluous(keepingLast: 2, andBest: false) == [0, 10, 20, 30])
    #expect(keeping.superfluous(keepingLast: 2, andBest: true) == [0, 10, 30])
    keeping.forget(step: 20)
    #expect(keeping.superfluous(keepingLast: 2, andBest: true) == [0, 10, 30])
    #expect(keeping.superfluous(keepingLast: 9, andBest: false) == [])
  }

  @Test func `the last one from before a trouble stays for as long as the trouble does`() {
    var keeping = CheckpointKeeping()
    for step in stride(from: 0, through: 50, by: 10) { keeping.add(step: step) }
    func superfluous(since trouble: Int?) -> [Int] {
      keeping.superfluous(keepingLast: 1, andBest: false, troubleSince: trouble)
    }
    #expect(superfluous(since: nil) == [0, 10, 20, 30, 40])
    #expect(superfluous(since: 25) == [0, 10, 30, 40])
    #expect(superfluous(since: 20) == [0, 20, 30, 40])
    #expect(superfluous(since: 0) == [0, 10, 20, 30, 40])
    #expect(superfluous(since: 99) == [0, 10, 20, 30, 40])
  }

  @Test func `a checkpoint between two evaluations counts by the one before`() {
    var keeping = CheckpointKeeping()
    keeping.evaluated(3, at: 10)
    keeping.add(step: 15)
    keeping.evaluated(2, at: 20)
    keeping.add(step: 25)
    keeping.add(step: 35)
    #expect(keeping.periodic.map(\.loss) == [3, 2, 2])
    #expect(keeping.best?.step == 25)
  }

  @Test func `patience counts evaluations that are no better than the best`() {
    var progress = HeldOutProgress()
    for (index, loss) in [3.0, 2, 2, .nan, 1.5, 1.6, 1.7, .infinity].enumerated() {
      progress.evaluated(loss, at: 10 * index)
    }
    #expect(progress.best == 1.5 && progress.bestStep == 40)
    #expect(progress.evaluationsSince == 3)
    #expect(progress.isExhausted(3) && !progress.isExhausted(4) && !progress.isExhausted(0))
  }

  private static func configure(_ configuration: inout TrainingConfiguration) {
    configuration.steps = 45
    configuration.checkpointEvery = 5
    configuration.keptCheckpoints = 2
    configuration.evalEvery = 5
    configuration.evalWindows = 4
  }

  private static func steps(in folder: ScratchFolder) throws -> [Int] {
    try CheckpointFolder.list(in: folder.url.path).map(\.step)
  }

  /// What a screen would offer to go back to.
  private static func offered(_ run: TrainedRun) -> [Int] {
    var history = RunHistory()
    for event in run.events { history.append(.event(event)) }
    return history.checkpoints.map(\.step)
  }

  @Test func `a run keeps what it is told, what was asked for and its end, and says what is gone`()
    async throws
  {
    let folder = try ScratchFolder()
    let run = try await TrainedRun(
      script: [(7, "checkpoint"), (15, "checkpoint")], checkpointFolder: folder.url
    ) { Self.configure(&$0) }
    #expect(try Self.steps(in: folder) == [7, 15, 35, 40, 45])
    #expect(Self.offered(run) == [7, 15, 35, 40, 45])
    let last = try #require(run.events.last { $0.kind == .checkpoint && $0.step == 40 })
    #expect(last.removedCheckpoints == [30])
    #expect(last.text.hasSuffix("; removed step-000000030"))
    let hidden = try CheckpointFolder.names(in: folder.url.path).filter { $0.hasPrefix(".") }
    #expect(hidden.isEmpty)
    let plain = try await TrainedRun { Self.configure(&$0) }
    #expect(run.numbers == plain.numbers)
  }

  @Test func `the best one stays, however long ago it was`() async throws {
    let folder = try ScratchFolder()
    let run = try await TrainedRun(
      script: [(12, "set lr.multiplier 300")], checkpointFolder: folder.url
    ) {
      Self.configure(&$0)
      $0.keepsBest = true
    }
    let losses = Dictionary(
      run.samples.compactMap { sample in
        sample[MetricCatalog.evalLoss].map { (sample.step, $0) }
      }
    ) { $1 }
    let best = try #require(losses.min { ($0.value, $0.key) < ($1.value, $1.key) }?.key)
    #expect(best < 35)
    #expect(try Self.steps(in: folder) == [best, 35, 40, 45])
    #expect(Self.offered(run) == [best, 35, 40, 45])
  }

  @Test func `what it was resumed from and what it went back to stay`() async throws {
    let folder = try ScratchFolder()
    let first = try await TrainedRun(script: [(22, "stop")], checkpointFolder: folder.url) {
      Self.configure(&$0)
    }
    #expect(try Self.steps(in: folder) == [15, 20, 22])
    let checkpoint = try CheckpointFolder.read(folder.url.path + "/step-000000020")
    let rest = try await TrainedRun(
      TrainingRun(
        resuming: checkpoint,
        configuration: TrainingConfiguration(options: checkpoint.continuation().options),
        corpus: Corpus.synthetic(seed: 1, bytes: 20_000),
        script: [ScriptedCommand(step: 37, command: .rewind(checkpoint: "last", skip: 0))],
        checkpointFolder: folder.url))
    #expect(rest.generations == [35])
    #expect(try Self.steps(in: folder) == [20, 22, 30, 35, 40, 45])
    #expect(first.samples.count == 22)
  }

  @Test(arguments: [false, true])
  func `a run stops when its patience is over, also where it writes no checkpoints`(
    writes: Bool
  ) async throws {
    let folder = try ScratchFolder()
    let run = try await TrainedRun(
      script: [(12, "set lr.multiplier 300")], checkpointFolder: writes ? folder.url : nil
    ) {
      Self.configure(&$0)
      $0.steps = 400
      $0.patience = 3
    }
    let stop = try #require(run.events.first { $0.kind == .stop })
    let best = try #require(stop.values["best_step"])
    #expect(Double(stop.step) == best + 16)
    #expect(run.samples.last?.step == stop.step - 1)
    #expect(
      stop.text.hasPrefix("stop: the held-out loss has not improved for 3 evaluations, since"))
    #expect(run.events.last?.text.hasPrefix("stopped, ") == true)
    guard writes else { return }
    #expect(try Self.steps(in: folder).last == stop.step)
  }

  @Test func `patience goes on counting in a run that is resumed`() async throws {
    let folder = try ScratchFolder()
    func run(_ steps: Int) async throws -> TrainedRun {
      try await TrainedRun(
        script: [(12, "set lr.multiplier 300")], checkpointFolder: folder.url
      ) {
        Self.configure(&$0)
        $0.keptCheckpoints = 0
        $0.steps = steps
        $0.patience = 3
      }
    }
    let whole = try await run(400)
    let end = try #require(whole.samples.last?.step)
    let checkpoint = try CheckpointFolder.read(
      folder.url.path + "/" + CheckpointFolder.folderName(step: (end - 3) / 5 * 5))
    let rest = try await TrainedRun(resuming: checkpoint)
    #expect(rest.samples.last?.step == end)
    #expect(rest.numbers == Array(whole.numbers.suffix(rest.numbers.count)))
  }

  @Test func `what is left of a removal that was cut short is no checkpoint, and goes`() throws {
    let folder = try ScratchFolder()
    let left = folder.url.appending(path: ".step-000000005.removed-1")
    try FileManager.default.createDirectory(at: left, withIntermediateDirectories: true)
    #expect(try CheckpointFolder.list(in: folder.url.path).isEmpty)
    removeLeftovers(in: folder.url.path)
    #expect(try CheckpointFolder.names(in: folder.url.path).isEmpty)
  }

  @Test(arguments: [
    (["keep": "3"], "keep chooses among periodic checkpoints: add --checkpoint-every 100"),
    (
      ["keep-best": "on"],
      "keep-best chooses among periodic checkpoints: add --checkpoint-every 100"
    ),
    (
      ["patience": "3", "eval-every": "0"],
      "patience goes by the held-out loss: give an --eval-every above 0"
    ),
    (
      ["keep-best": "on", "checkpoint-every": "5", "eval-every": "0"],
      "keep-best goes by the held-out loss: give an --eval-every above 0"
    ),
  ])
  func `what cannot be kept or waited for is refused`(options: [String: String], line: String) {
    let error = #expect(throws: ConfigurationError.self) {
      try TrainingConfiguration(options: options)
    }
    #expect(error?.description == line)
  }

  @Test func `the options are in the run's description, under their names`() throws {
    let options = ["checkpoint-every": "5", "keep": "3", "keep-best": "on", "patience": "4"]
    let configuration = try TrainingConfiguration(options: options)
    #expect(configuration.options.filter { options[$0.key] != nil } == options)
    #expect(try TrainingConfiguration(options: [:]).options["keep-best"] == nil)
  }
}
