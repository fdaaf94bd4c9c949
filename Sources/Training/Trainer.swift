import Dispatch
package import Foundation
import Ranks
import Synchronization
package import Telemetry

/// How a run ended.
package enum TrainingOutcome: Sendable, Equatable {
  case finished
  case stopped
  case diverged
  /// Ended here to go on in another process, from this checkpoint.
  case detached(checkpoint: URL)
  case failed(reason: String)
}

/// A run's end and what it leaves.
package struct TrainingEnd: Sendable, Equatable {
  package let outcome: TrainingOutcome
  /// The last checkpoint that this run wrote, or was resumed from.
  package let lastCheckpoint: URL?
  /// The last one from before the trouble that ended it.
  package let goodCheckpoint: URL?
  /// Why the last checkpoint could not be written; nil where it could.
  package let checkpointFlaw: String?
}

extension TrainingEnd {
  fileprivate init(outcome: TrainingOutcome, of run: TrainingRun) {
    self.init(
      outcome: outcome, lastCheckpoint: run.lastCheckpoint,
      goodCheckpoint: outcome == .diverged ? run.goodCheckpoint()?.folder : run.lastCheckpoint,
      checkpointFlaw: run.checkpointFlaw)
  }
}

/// Trains on a queue of its own and takes commands between two steps.
///
/// It waits for no reader of its records: `emit` hands them over and returns.
package final class Trainer: Sendable {
  private let run: Mutex<TrainingRun>
  private let mailbox = Mutex(Mailbox())
  private let wake = DispatchSemaphore(value: 0)
  private let queue = DispatchQueue(label: "seismo.trainer", qos: .userInitiated)

  private struct Letter: Sendable {
    let command: Command
    let author: String
    let answer: (@Sendable (CommandAnswer) -> Void)?

    /// What other ranks are told.
    private struct Told: Codable {
      let words: String
      let author: String
    }

    static func bytes(_ letters: [Letter]) -> [UInt8] {
      let told = letters.map { Told(words: $0.command.words, author: $0.author) }
      return Array((try? JSONEncoder().encode(told)) ?? Data())
    }

    static func read(_ bytes: [UInt8]) -> [Letter] {
      let told = (try? JSONDecoder().decode([Told].self, from: Data(bytes))) ?? []
      return told.map { letter in
        let command = (try? Command(words: letter.words)) ?? .other(letter.words)
        return Letter(command: command, author: letter.author, answer: nil)
      }
    }
  }

  private struct Mailbox: Sendable {
    var letters: [Letter] = []
    /// Nothing is taken out any more.
    var isClosed = false
    /// Whether somebody is there who can take a run that diverged back to a checkpoint.
    var isAttended = false
  }

  /// `emit` takes each record on the trainer's queue; it must not block. `brancher` is called there
  /// too, where the run is to go on in another session.
  package init(
    _ run: sending TrainingRun, brancher: Brancher? = nil,
    emit: @escaping @Sendable (RunRecord) -> Void
  ) {
    run.emit = emit
    run.brancher = brancher
    self.run = Mutex(run)
  }

  /// Asks for `command`; it is applied between two steps, in the order of asking.
  ///
  /// `answer` is called once, on the trainer's queue, or here where the run is over; it must not
  /// block.
  package func post(
    _ command: Command, by author: String,
    answer: (@Sendable (CommandAnswer) -> Void)? = nil
  ) {
    let letter = Letter(command: command, author: author, answer: answer)
    let isTaken = mailbox.withLock { mailbox in
      if !mailbox.isClosed { mailbox.letters.append(letter) }
      return !mailbox.isClosed
    }
    guard isTaken else { return Self.refuse(letter) }
    wake.signal()
  }

  private static func refuse(_ letter: Letter) {
    letter.answer?(CommandAnswer(isApplied: false, step: nil, text: "the run is over"))
  }

  /// Starts training and returns; `onEnd` is called on the trainer's queue, once.
  package func start(onEnd: @escaping @Sendable (TrainingEnd) -> Void) {
    queue.async {
      let end = self.run.withLock { run in
        run.isGoingOn = { !self.isEndAsked }
        let outcome = self.train(run)
        run.isGoingOn = { true }
        run.leaveRanks()
        return TrainingEnd(outcome: outcome, of: run)
      }
      self.closeMailbox()
      onEnd(end)
    }
  }

  private var isEndAsked: Bool {
    mailbox.withLock { mailbox in
      mailbox.letters.contains { $0.command == .stop || $0.command == .detach }
    }
  }

  /// Has a run that diverges wait for a command to go back, rather than end, for as long as somebody
  /// is there to give it.
  package func attend() {
    mailbox.withLock { $0.isAttended = true }
  }

  /// Nobody is there any more: a run that waits after it diverged ends, once what was asked for
  /// before is done.
  package func endAttendance() {
    mailbox.withLock { $0.isAttended = false }
    wake.signal()
  }

  /// What a run came to once its last checkpoint, which could not be written at its end, has been
  /// tried again.
  package func completed(_ end: TrainingEnd) -> TrainingEnd {
    guard end.checkpointFlaw != nil, end.outcome == .finished || end.outcome == .stopped else {
      return end
    }
    return run.withLock { run in
      run.writeCheckpoint(by: "run")
      return TrainingEnd(outcome: end.outcome, of: run)
    }
  }

  private func train(_ run: TrainingRun) -> TrainingOutcome {
    run.begin()
    while true {
      if let flaw = run.ranks.flaw { return run.fail(run.withLastCheckpoint(flaw)) }
      if run.isFinished { return run.finish(.finished) }
      if run.isOutOfPatience { return run.stopForWantOfProgress() }
      run.writePeriodicCheckpoint()
      let rewinds = run.rewindCount
      applyCommands(run)
      if let flaw = run.rewindFlaw { return run.fail(flaw) }
      // What is scripted for the step it went back to comes before that step.
      if run.rewindCount != rewinds { continue }
      switch run.machine.mode {
      case .stopping: return run.finish(.stopped)
      case .detaching: return run.detach()
      case .paused:
        wait(run)
        continue
      case .running, .stepping: break
      }
      do {
        if case .diverged(let event) = try run.advance(now: Self.now) {
          guard run.isRescued(now: Self.now()) || isTakenBack(run, from: event) else {
            return .diverged
          }
          if let flaw = run.rewindFlaw { return run.fail(flaw) }
        }
      } catch let error as RankError {
        return run.fail(run.withLastCheckpoint("\(error)"))
      } catch is StepUnwanted {
        // What was asked for is carried out now.
        continue
      } catch {
        return run.failBeforePasses("\(error)")
      }
      run.announceMode()
    }
  }

  /// Tells that the run diverged and waits for a command that takes it back to a checkpoint.
  /// - Returns: false where it is left as it is.
  private func isTakenBack(_ run: TrainingRun, from event: RunEvent) -> Bool {
    run.diverge(event)
    let rewinds = run.rewindCount
    while true {
      for letter in takeLetters(run.ranks) {
        let answer = run.applyAfterDivergence(letter.command, by: letter.author, now: Self.now())
        letter.answer?(answer)
        if run.machine.mode == .stopping { return false }
      }
      if run.rewindCount != rewinds { return true }
      let goesOn = mailbox.withLock { $0.isAttended || !$0.letters.isEmpty }
      guard run.ranks.told(goesOn ? [1] : []) == [1] else { return false }
      if run.ranks.isFirst { wake.wait() }
    }
  }

  private func applyCommands(_ run: TrainingRun) {
    run.applyOrders(now: Self.now())
    run.applyScript(now: Self.now())
    for letter in takeLetters(run.ranks) {
      let answer = run.apply(letter.command, by: letter.author, now: Self.now())
      letter.answer?(answer)
    }
  }

  /// Those that rank 0 has, on every rank; answers are rank 0's alone.
  private func takeLetters(_ ranks: any RankGroup) -> [Letter] {
    let letters = mailbox.withLock { mailbox in
      defer { mailbox.letters.removeAll() }
      return mailbox.letters
    }
    guard ranks.count > 1 else { return letters }
    let told = ranks.told(letters.isEmpty ? [] : Letter.bytes(letters))
    return ranks.isFirst ? letters : Letter.read(told)
  }

  private func closeMailbox() {
    let letters = mailbox.withLock { mailbox in
      defer { mailbox = Mailbox(isClosed: true) }
      return mailbox.letters
    }
    for letter in letters { Self.refuse(letter) }
  }

  /// Sleeps until a command comes; other ranks than the first wait to be told of it.
  private func wait(_ run: TrainingRun) {
    run.announceMode()
    guard run.ranks.isFirst else { return }
    while mailbox.withLock({ $0.letters.isEmpty }) { wake.wait() }
  }

  static func now() -> Double {
    Date().timeIntervalSince1970
  }
}
