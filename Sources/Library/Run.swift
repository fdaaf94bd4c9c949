import Dispatch
public import Foundation
import Runs
import Synchronization
@_exported public import Telemetry
import Training

/// A training run of this process: it trains, records itself into a session and obeys commands, on
/// threads of its own. Any number of runs go on side by side, and none changes another's numbers.
///
/// ```swift
/// let run = try Run(options: ["preset": "tiny", "steps": "300"], session: "first.seismo")
/// let records = run.records()
/// run.start()
/// for await case .samples(let samples) in records where samples.step == 100 {
///   let answer = try await run.send("set z_loss 1e-4")
///   print(answer.text)
/// }
/// print(try await run.end().outcome)
/// ```
///
/// A run goes on to its end whether or not anybody holds this value: send `.stop` to end it before.
public struct Run: Sendable {
  /// What the run is: model, schedule, options, machine.
  public let description: RunDescription

  private let live: LiveRun
  private let readers: Readers
  private let ending = Promise<Result<RunEnding, any Error>>()

  /// Opens data, checkpoint and session; nothing trains before ``start()``.
  ///
  /// - Parameters:
  ///   - options: as of `seismo train`, by their long names, values as text; `preset` is one of them.
  ///     A run that is resumed keeps those it had but for these.
  ///   - session: the file to record to, which must not be there yet; its folder is made. Nil for a
  ///     fresh one in `sessions/`, or for the checkpoint's own.
  ///   - checkpoint: the folder of a checkpoint to go on from, bit for bit.
  ///   - onRecord: takes every record, in their order, on the run's own queue: a command sent there is
  ///     applied before the next step. Waiting there holds the run up. Nil for none.
  /// - Throws: what is wrong with an option, the data, the checkpoint or the session; the error's
  ///   description is one line: what, where, what to do.
  public init(
    options: [String: String] = [:], session: String? = nil, resuming checkpoint: String? = nil,
    onRecord: (@Sendable (RunRecord) -> Void)? = nil
  ) throws {
    let plan = try RunPlan(
      options: options, given: options, session: session, resuming: checkpoint)
    let readers = Readers()
    live = try LiveRun(plan: plan) { record in
      readers.post(record)
      onRecord?(record)
    }
    self.readers = readers
    description = live.description
  }

  /// The session's file: the one it was opened with, or that of the branch the run has gone on in.
  public var session: String { live.sessionPath }

  /// Begins to train and returns. To be called once.
  public func start() {
    live.start { [live, readers, ending] reached in
      // A full disk may have to be waited for: not on the run's own queue.
      DispatchQueue(label: "seismo.ending").async {
        let result = Result { RunEnding(try live.close(reached)) }
        ending.set(result)
        readers.finish()
      }
    }
  }

  /// The description, and from now on all that the run tells, until it ends. Each call gives a
  /// sequence of its own, for one reader; ask before ``start()`` to miss nothing.
  public func records() -> RunRecords {
    let records = RunRecords()
    records.post(.description(description))
    readers.add(records)
    return records
  }

  /// Asks for a command in the words of `seismo control`, such as `set lr.multiplier 0.5`.
  /// - Throws: `CommandError` where the words are no command.
  @discardableResult
  public func send(_ words: String, by author: String = "program") async throws -> CommandAnswer {
    await send(try Command(words: words), by: author)
  }

  /// Asks for a command, which is applied between two steps, in the order of asking, and waits for
  /// what becomes of it.
  ///
  /// - Parameters:
  ///   - command: what is asked for.
  ///   - author: who asks, as the run's events tell it.
  /// - Returns: whether it was applied, before which step, and what was done or why not.
  @discardableResult
  public func send(_ command: Command, by author: String = "program") async -> CommandAnswer {
    await withCheckedContinuation { continuation in
      live.post(command, by: author) { continuation.resume(returning: $0) }
    }
  }

  /// Asks for a command and does not wait for what becomes of it: its event tells.
  public func post(_ command: Command, by author: String = "program") {
    live.post(command, by: author)
  }

  /// Waits until the run is over and its session is whole.
  /// - Throws: where the disk did not take the last records.
  public func end() async throws -> RunEnding { try await ending.value().get() }
}

/// How a run ended, and what it leaves beside its session.
public struct RunEnding: Sendable, Equatable {
  /// How a run ended.
  public enum Outcome: Sendable, Equatable {
    /// All planned steps are done.
    case finished
    /// It was told to stop, or had its fill of evaluations without progress.
    case stopped
    /// The loss is not finite any more.
    case diverged
    /// It was told to end here, so that another process goes on from its last checkpoint.
    case detached
    case failed(reason: String)
  }

  /// How it ended.
  public let outcome: Outcome
  /// The folder of the last checkpoint that the run wrote or was resumed from.
  public let lastCheckpoint: URL?
  /// That of the last one from before the trouble that ended the run.
  public let goodCheckpoint: URL?
  /// Why the last checkpoint could not be written; nil where it could.
  public let checkpointFlaw: String?
}

extension RunEnding {
  fileprivate init(_ end: TrainingEnd) {
    outcome =
      switch end.outcome {
      case .finished: .finished
      case .stopped: .stopped
      case .diverged: .diverged
      case .detached: .detached
      case .failed(let reason): .failed(reason: reason)
      }
    (lastCheckpoint, goodCheckpoint) = (end.lastCheckpoint, end.goodCheckpoint)
    checkpointFlaw = end.checkpointFlaw
  }
}

/// Those who read a run's records.
private final class Readers: Sendable {
  private struct Content {
    var readers: [RunRecords] = []
    var isFinished = false
  }

  private let content = Mutex(Content())

  func add(_ reader: RunRecords) {
    let isFinished = content.withLock { content in
      if !content.isFinished { content.readers.append(reader) }
      return content.isFinished
    }
    if isFinished { reader.finish() }
  }

  func post(_ record: RunRecord) {
    for reader in content.withLock({ $0.readers }) { reader.post(record) }
  }

  func finish() {
    let readers = content.withLock { content in
      defer { content = Content(isFinished: true) }
      return content.readers
    }
    for reader in readers { reader.finish() }
  }
}
