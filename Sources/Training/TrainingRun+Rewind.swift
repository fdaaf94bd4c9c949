package import Foundation
import Ranks
import Signals
package import Telemetry

/// Where a run went back to a checkpoint.
struct RewindPoint: Sendable, Equatable, Codable {
  /// Which of the run's rewinds it was.
  let number: Int
  /// The checkpoint's step.
  let step: Int
}

/// A session that a run goes on in.
package struct Branch: Sendable {
  package let checkpointFolder: URL
  package let description: RunDescription

  package init(checkpointFolder: URL, description: RunDescription) {
    self.checkpointFolder = checkpointFolder
    self.description = description
  }
}

/// Opens the session called `name` beside the present one, which ends at `step`, and records there
/// from then on.
package typealias Brancher = @Sendable (_ name: String, _ step: Int) throws -> Branch

/// Why a run does not go back. The description is half a line.
enum RewindError: Error, CustomStringConvertible {
  case noCheckpoints
  case absent(String)
  case noneBefore(step: Int)
  case ahead(name: String, step: Int)
  case givenUp(name: String)
  case otherShape(name: String)

  var description: String {
    switch self {
    case .noCheckpoints: "no checkpoint was written; 'checkpoint' writes one"
    case .absent(let words): "no checkpoint '\(words)' of this run"
    case .noneBefore(let step):
      "no checkpoint is from before the trouble, which began at step \(NumberText.grouped(step))"
    case .ahead(let name, let step): "\(name) is ahead of step \(step)"
    case .givenUp(let name): "\(name) is of a stretch that was gone back over"
    case .otherShape(let name): "\(name) is of another model"
    }
  }
}

/// A checkpoint from before the present trouble.
struct GoodCheckpoint {
  let folder: URL
  let step: Int
  /// The loss's level there, where it is known.
  let loss: Double?

  var words: String {
    let loss = loss.map { " (loss \(NumberText.compact($0)))" } ?? ""
    return folder.lastPathComponent + loss
  }
}

extension TrainingRun {
  /// Goes back to a checkpoint of this run, its settings included.
  ///
  /// A run that goes the same way again meets the same spike: with `count` above 0 so many batches
  /// are left out, beside those that were left out before.
  func rewind(to words: String, skipping count: Int, by author: String) {
    let from = step
    let left = progress.batchOffset
    do {
      let (checkpoint, state) = try agreedCheckpoint(words)
      let name = URL(fileURLWithPath: checkpoint.path).lastPathComponent
      takeOver(checkpoint, state)
      guard rewindFlaw == nil else { return }
      progress.rewinds.append(RewindPoint(number: rewindCount, step: step))
      if count > 0 { leaveOut(batches: max(left - progress.batchOffset, 0) + count) }
      emit(.generation(startingAt: step))
      setAsideWhatLiesAhead()
      // Whoever resumes from here leaves the same batches out.
      writeCheckpoint(by: "run")
      let isOther = state.options != configuration.options
      recordRewind(
        to: name, from: from, skipping: count, by: author,
        earlierOptions: isOther ? state.options : nil)
      declareSettings()
    } catch {
      refuse(Command.rewind(checkpoint: words, skip: count), because: "\(error)", by: author)
    }
  }

  /// A later `--resume` of the folder is not to find the stretch that was given up.
  private func setAsideWhatLiesAhead() {
    guard let checkpointFolder else { return }
    do {
      _ = try ranks.led {
        try CheckpointFolder.setAside(
          after: step, in: checkpointFolder.path, as: "rewind-\(rewindCount)-")
        return true
      }
    } catch {
      record(
        RunEvent(
          step: step, wallTime: Trainer.now(), kind: .fault, by: "run",
          text: "checkpoints of the stretch that was given up could not be set aside: \(error)"))
    }
  }

  /// From here on there is no way back to the state before.
  private func takeOver(_ checkpoint: Checkpoint, _ state: ContinuationState) {
    rewindCount += 1
    autopilot.wentBack()
    machine.goBack(
      to: Self.settings(of: state, at: checkpoint.step, configuration), changes: state.changes)
    resizeBatch()
    do {
      try ranks.together { try adopt(checkpoint, state) }
    } catch {
      rewindFlaw = "the checkpoint could be read in part only: \(error)"
    }
  }

  private func recordRewind(
    to name: String, from: Int, skipping count: Int, by author: String,
    earlierOptions: [String: String]?
  ) {
    let skipped = count > 0 ? ", \(NumberText.grouped(count)) batches left out" : ""
    var event = RunEvent(
      step: step, wallTime: Trainer.now(), kind: .rewind, by: author, name: name,
      text: "back from step \(NumberText.grouped(from)) to \(name)\(skipped)",
      values: [
        "from": Double(from), "skip": Double(count), "offset": Double(progress.batchOffset),
      ])
    event.earlierOptions = earlierOptions
    record(event)
  }

  /// The checkpoint that rank 0 finds under these words, opened by all ranks.
  private func agreedCheckpoint(_ words: String) throws -> (Checkpoint, ContinuationState) {
    guard ranks.count > 1 else { return try checkpoint(words) }
    let path = try ranks.led { try checkpoint(words).0.path }
    return try ranks.together {
      let checkpoint = try CheckpointFolder.read(path)
      return (checkpoint, try checkpoint.continuation())
    }
  }

  /// The checkpoint that `words` name: `last` before the present step, `good` before the present
  /// trouble, a step, or a folder's name.
  private func checkpoint(_ words: String) throws -> (Checkpoint, ContinuationState) {
    guard let checkpointFolder else { throw RewindError.noCheckpoints }
    let entries = try CheckpointFolder.list(in: checkpointFolder.path)
    guard !entries.isEmpty else { throw RewindError.noCheckpoints }
    switch words {
    case "last":
      guard let last = newest(of: entries, before: step) else { throw RewindError.absent(words) }
      return last
    case "good":
      let since = min(progress.alarms.troubleSince ?? step, step)
      guard let good = newest(of: entries, before: since) else {
        throw RewindError.noneBefore(step: since)
      }
      return good
    default: break
    }
    let digits = words.hasPrefix("step-") ? words.dropFirst(5) : words[...]
    guard let wanted = Int(digits), let entry = entries.first(where: { $0.step == wanted }) else {
      throw RewindError.absent(words)
    }
    return try opened(entry)
  }

  /// One written just now holds the trouble that is to be left; what lies ahead an earlier
  /// continuation wrote, and what was given up or is damaged is passed over.
  private func newest(
    of entries: [CheckpointFolder.Entry], before step: Int
  ) -> (Checkpoint, ContinuationState)? {
    entries.reversed().filter { $0.step < step }.lazy.compactMap { try? self.opened($0) }.first
  }

  /// The newest checkpoint from before the present trouble, with the loss's level there.
  func goodCheckpoint() -> GoodCheckpoint? {
    guard ranks.isFirst, let (checkpoint, state) = try? checkpoint("good") else { return nil }
    return GoodCheckpoint(
      folder: URL(fileURLWithPath: checkpoint.path), step: checkpoint.step,
      loss: state.progress.alarms.lossLevel ?? state.progress.lastLoss)
  }

  private func opened(
    _ entry: CheckpointFolder.Entry
  ) throws -> (Checkpoint, ContinuationState) {
    let checkpoint = try CheckpointFolder.read(entry.path)
    let state = try checkpoint.continuation()
    try probes.check(checkpoint)
    let name = URL(fileURLWithPath: checkpoint.path).lastPathComponent
    try check(checkpoint, state, name: name)
    return (checkpoint, state)
  }

  private func check(
    _ checkpoint: Checkpoint, _ state: ContinuationState, name: String
  ) throws(RewindError) {
    guard checkpoint.configuration == configuration.model else { throw .otherShape(name: name) }
    guard checkpoint.step <= step else { throw .ahead(name: name, step: step) }
    let earlier = state.progress.rewinds
    let later = progress.rewinds.dropFirst(earlier.count)
    guard progress.rewinds.starts(with: earlier), later.allSatisfy({ checkpoint.step <= $0.step })
    else {
      throw .givenUp(name: name)
    }
  }

  private func leaveOut(batches: Int) {
    progress.batchOffset += batches
    machine.settings.batch.leaveOut(batches: batches)
  }

  func skip(_ count: Int, by author: String) {
    leaveOut(batches: count)
    record(
      RunEvent(
        step: step, wallTime: Trainer.now(), kind: .skip, by: author,
        text: "the next \(NumberText.grouped(count)) batches are left out",
        values: ["skip": Double(count), "offset": Double(progress.batchOffset)]))
  }

  /// Goes on in a session of its own from a checkpoint written now; the present one ends whole.
  func branch(to name: String, by author: String) {
    let command = Command.branch(name: name)
    guard let brancher, let folder = checkpointFolder else {
      return refuse(command, because: "this run is not recorded", by: author)
    }
    guard writeCheckpoint(by: author) != nil else { return }
    do {
      var branch: Branch?
      checkpointFolder = try ranks.led {
        let opened = try brancher(name, step)
        branch = opened
        return opened.checkpointFolder
      }
      // The session it branched from keeps what it has.
      progress.keeping.filter { _ in false }
      if let branch { emit(.description(branch.description)) }
      let parent = folder.deletingPathExtension().lastPathComponent
      record(
        RunEvent(
          step: step, wallTime: Trainer.now(), kind: .branch, by: author, name: name,
          text: "goes on as \(name), a branch of \(parent)"))
      declareSettings()
      emit(.state(machine.isPaused ? .paused : .running))
      writeCheckpoint(by: "run")
    } catch {
      refuse(command, because: "\(error)", by: author)
    }
  }

  private func refuse(_ command: Command, because reason: String, by author: String) {
    record(
      RunEvent(
        refusing: command.words, because: reason, by: author, step: step, wallTime: Trainer.now()))
  }
}

extension Command {
  /// Whether a script gives it once, also where the run comes to its step again.
  var isForOnce: Bool {
    switch self {
    case .rewind, .branch: true
    default: false
    }
  }
}
