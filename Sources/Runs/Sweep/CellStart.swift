import Formats
import Foundation
import Sessions
import Signals
import Sweeps
import Telemetry
import Training

/// How a cell that has no result yet is to be begun, from what is recorded of it.
enum CellStart {
  case fresh
  /// From a checkpoint, with what the run had told before.
  case resumed(checkpoint: String, CellTally)
  /// All is recorded but what it came to.
  case ended(CellState, CellTally)
  /// Another process is at it.
  case busy

  /// - Throws: where the session is damaged or another run's; nothing is changed then.
  init(_ cell: SweepCell, session: String, configuration: TrainingConfiguration) throws {
    guard FileManager.default.fileExists(atPath: session) else {
      self = .fresh
      return
    }
    guard !WriterLock.isHeld(session: session) else {
      self = .busy
      return
    }
    let summary = SessionSummary(path: session)
    guard summary.flaw == nil else {
      // A file into which its writer was killed before it wrote anything holds no run.
      guard FileSystem.size(session) == 0 else {
        throw SweepError.damaged(flaw: summary.flaw ?? "")
      }
      self = .fresh
      return
    }
    try Self.check(summary, is: configuration)
    self = try Self.start(summary, session: session, configuration: configuration)
  }

  private static func start(
    _ summary: SessionSummary, session: String, configuration: TrainingConfiguration
  ) throws -> CellStart {
    let history = try SessionReader(path: session).history()
    var whole = CellTally(warmup: configuration.warmup)
    whole.take(history)
    switch summary.state {
    case .finished: return .ended(.finished, whole)
    case .diverged: return .ended(.diverged, whole)
    case .stopped where whole.isLost: return .ended(.diverged, whole)
    default: break
    }
    // The last one may be of the end, or ahead of what a killed recorder had written: going on from
    // there would leave a hole in the record.
    let checkpoints = try CheckpointFolder.list(in: SessionFiles(path: session).checkpoints)
    let possible = checkpoints.filter {
      $0.step > 0 && $0.step < configuration.steps && $0.step <= whole.steps
    }
    guard let last = possible.last else { return .fresh }
    var tally = CellTally(warmup: configuration.warmup)
    tally.take(history, before: last.step)
    return .resumed(checkpoint: last.path, tally)
  }

  private static func check(
    _ summary: SessionSummary, is configuration: TrainingConfiguration
  ) throws(SweepError) {
    // What was killed before it said what it is cannot be another run's.
    guard !summary.options.isEmpty else { return }
    let own = configuration.options
    for option in RunOptionCatalog.all {
      // What its version did not know of yet, and what raises alarms, makes it no other run.
      guard let recorded = summary.options[option.name], recorded != own[option.name] else {
        continue
      }
      throw .otherRun(session: summary.path, option: option.name)
    }
  }
}
