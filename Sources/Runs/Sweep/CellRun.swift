import Dispatch
import Foundation
import Sessions
import Signals
import Sweeps
import Synchronization
import Telemetry
import Training

/// A cell that runs in this process, as `seismo train` would run it.
final class CellRun: Sendable {
  static let author = "sweep"
  /// So many of the checkpoints that a sweep asks for stay while its cell runs: were the last one's
  /// disk to fail, there is one before.
  private static let keptCheckpoints = 2

  let cell: SweepCell
  private let run: LiveRun
  private let checkpoints: String
  private let configuration: TrainingConfiguration
  /// The steps after which it ends, to go on another time; nil for none.
  private let pause: Int?
  private let begun = DispatchTime.now()
  private let content: Mutex<Content>

  private struct Content {
    var tally: CellTally
    let earlierSeconds: Double
    var isOrderedToStop = false
    var isPaused = false
    /// Whether it ended by itself, having had its fill of evaluations without progress.
    var isOutOfPatience = false
    var lastCheckpoint = DispatchTime.now()
    /// The steps of checkpoints that stay only while the cell runs.
    var passing: [Int] = []
  }

  /// Takes records on the run's own queue and calls `body` with each, once the run is there.
  private final class Ear: Sendable {
    let run = Mutex<CellRun?>(nil)
    let tell: @Sendable (RunRecord) -> Void

    init(_ tell: @escaping @Sendable (RunRecord) -> Void) { self.tell = tell }

    func take(_ record: RunRecord) {
      run.withLock { $0 }?.take(record)
      tell(record)
    }
  }

  private let ear: Ear

  /// - Throws: what is wrong with the data, the checkpoint or the session.
  init(
    _ cell: SweepCell, session: String, checkpoint: String?, tally: CellTally, corpus: Corpus,
    configuration: TrainingConfiguration, pause: Int? = nil,
    tell: @escaping @Sendable (RunRecord) -> Void
  ) throws {
    self.cell = cell
    self.configuration = configuration
    self.pause = pause
    var person = UserConfiguration.found()
    // One alarm of many cells is no news to a person's own program.
    person.onAlarm = nil
    var plan = try RunPlan(
      options: cell.runOptions, session: session, resuming: checkpoint, person: person)
    plan.monitorsMachine = false
    checkpoints = SessionFiles(path: session).checkpoints
    ear = Ear(tell)
    run = try LiveRun(plan: plan, corpus: corpus, sweeps: nil) { [ear] in ear.take($0) }
    var content = Content(tally: tally, earlierSeconds: tally.stepSeconds)
    if checkpoint != nil, configuration.checkpointEvery == nil {
      content.passing = (try? CheckpointFolder.list(in: checkpoints).map(\.step)) ?? []
    }
    self.content = Mutex(content)
    ear.run.withLock { $0 = self }
  }

  private func take(_ record: RunRecord) {
    switch record {
    case .samples(let samples): observe(samples)
    case .event(let event) where event.kind == .stop && event.by == "run":
      content.withLock { $0.isOutOfPatience = true }
    case .event(let event) where event.kind == .checkpoint && event.by == Self.author:
      keep(event.step)
    default: break
    }
  }

  /// Ends the cell where it is lost, or where it is to wait for its equals.
  private func observe(_ samples: StepSamples) {
    let (isLost, isDue) = content.withLock { content in
      content.tally.take(samples)
      let isEnding = content.isOrderedToStop || content.isPaused
      let isLost = content.tally.isLost && !isEnding
      if isLost { content.isOrderedToStop = true }
      let isDue = content.tally.steps == pause && !isEnding && !isLost
      if isDue { content.isPaused = true }
      return (isLost, isDue)
    }
    guard isLost || isDue else { return }
    // Asked for here, all is done before the next step.
    if isLost {
      run.post(
        .note("the loss has stayed above the one at the start: the cell ends"), by: Self.author)
    }
    run.post(.evaluate, by: Self.author)
    run.post(.stop, by: Self.author)
  }

  private func keep(_ step: Int) {
    let superfluous = content.withLock { content in
      content.passing = content.passing.filter { $0 != step } + [step]
      let extra = max(0, content.passing.count - Self.keptCheckpoints)
      defer { content.passing.removeFirst(extra) }
      return Array(content.passing.prefix(extra))
    }
    for step in superfluous { try? CheckpointFolder.remove(step: step, in: checkpoints) }
  }

  /// Asks for a checkpoint where the last one is so old.
  func checkpointIfDue(seconds: Double) {
    guard seconds > 0 else { return }
    let isDue = content.withLock { content in
      let age = Double(
        DispatchTime.now().uptimeNanoseconds - content.lastCheckpoint.uptimeNanoseconds)
      guard age >= seconds * 1e9 else { return false }
      content.lastCheckpoint = .now()
      return true
    }
    if isDue { run.post(.checkpoint, by: Self.author) }
  }

  /// Ends it between two steps, with a checkpoint.
  func stop(by author: String) {
    run.post(.stop, by: author)
  }

  /// Runs to the end; blocks.
  /// - Returns: what it came to; nil where it was ended before and is to go on another time.
  /// - Throws: where the disk does not take its last records.
  func runToEnd(isPassing: () -> Bool) throws -> (CellState, CellTally, seconds: Double, String?)? {
    defer { ear.run.withLock { $0 = nil } }
    run.start()
    let reached = try run.close(run.waitForEnd())
    let content = self.content.withLock { $0 }
    let own = Double(DispatchTime.now().uptimeNanoseconds - begun.uptimeNanoseconds) / 1e9
    let state: CellState
    var reason: String?
    switch reached.outcome {
    case .finished: state = .finished
    case .diverged: state = .diverged
    case .failed(let words): (state, reason) = (.failed, words)
    case .detached: return nil
    case .stopped where content.isOrderedToStop: state = .diverged
    case .stopped where content.isOutOfPatience: state = .finished
    case .stopped where content.isPaused: return nil
    case .stopped:
      guard !isPassing() else { return nil }
      state = .stopped
    }
    if state != .failed { forget(content.passing, but: reached.lastCheckpoint) }
    if let flaw = reached.checkpointFlaw, reason == nil { reason = flaw }
    return (state, content.tally, content.earlierSeconds + own, reason)
  }

  /// The held-out loss of a cell that has ended to go on another time; nil of any other.
  var lossAtPause: Double? {
    content.withLock { $0.isPaused ? $0.tally.finalEvalLoss ?? .nan : nil }
  }

  /// What was kept for a kill is not needed any more.
  private func forget(_ steps: [Int], but last: URL?) {
    for step in steps where last?.lastPathComponent != CheckpointFolder.folderName(step: step) {
      try? CheckpointFolder.remove(step: step, in: checkpoints)
    }
  }
}
