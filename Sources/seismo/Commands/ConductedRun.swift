import Dashboard
import Dispatch
import Foundation
import Ranks
import Runs
import Sessions
import Signals
import Telemetry
import Training

/// A run of this process as the command line conducts it: watched on a screen or printed, ended by
/// signals, with a word at its end.
final class ConductedRun {
  private let plan: RunPlan
  private let ranks: any RankGroup
  private let run: LiveRun
  private let watcher: Watcher
  private let theme: String?
  private let printer: RecordPrinter
  private let mailbox = RecordMailbox()
  private let stage: DashboardScreen.Stage?
  private var interrupts: Interrupts?

  /// - Throws: what is wrong with the terminal, the theme, the data, the checkpoint or the session,
  ///   before anything starts.
  init(
    plan: RunPlan, ranks: any RankGroup = SoleRank(), watcher: Watcher, theme: String? = nil
  ) throws {
    (self.plan, self.ranks, self.watcher, self.theme) = (plan, ranks, watcher, theme)
    stage = try ranks.together {
      watcher == .dashboard ? try DashboardScreen.Stage(theme: theme) : nil
    }
    printer = RecordPrinter(watcher, totalSteps: plan.configuration.steps)
    let (printer, mailbox) = (printer, mailbox)
    let isWatched = watcher == .dashboard
    if let phase = plan.estimatingPhase, ranks.isFirst, watcher != .json { Seismo.report(phase) }
    run = try LiveRun(plan: plan, ranks: ranks) { record in
      if isWatched { mailbox.post(record) } else { printer.print(record) }
    }
    mailbox.post(.description(run.description))
    if let flaw = run.controlFlaw {
      Seismo.report("\(flaw); this run takes no commands from other processes")
    }
  }

  func conduct() throws {
    signal(SIGHUP, SIG_IGN)
    switch watcher {
    case .dashboard: try watch()
    case .lines, .json: try waitForEnd()
    }
  }

  /// Waits for the end; SIGINT and SIGTERM end the run between two steps, with a checkpoint.
  private func waitForEnd() throws {
    let request = EndRequest()
    listen(request)
    run.start()
    try conclude(run.waitForEnd(), request)
  }

  /// Has a first signal stop the run and a second one end the program at once, or the wait for a
  /// full disk where the run is over.
  private func listen(_ request: EndRequest) {
    interrupts = Interrupts([SIGINT, SIGTERM]) { [run, printer, ranks] number in
      ranks.interrupt()
      if run.giveUpUnwritten() { return }
      switch request.take(number) {
      case .end: break
      case .same: return
      case .endAtOnce: _exit(128 + number)
      }
      printer.stopWaiting()
      run.post(.stop, by: number == SIGINT ? "SIGINT" : "SIGTERM")
    }
  }

  private func conclude(_ reached: TrainingEnd, _ request: EndRequest) throws {
    printer.finish()
    let reached = try run.close(reached) { Seismo.report($0.words) }
    printer.finish()
    let farewell = Farewell(
      session: run.sessionPath, checkpoint: reached.lastCheckpoint, good: reached.goodCheckpoint)
    if case .detached(let checkpoint) = reached.outcome {
      try goOn(from: checkpoint)
      if watcher != .json { farewell.printDetached() }
      return
    }
    if watcher != .json { farewell.print() }
    try report(reached, farewell, request)
  }

  private func report(
    _ reached: TrainingEnd, _ farewell: Farewell, _ request: EndRequest
  ) throws {
    if case .failed(let reason) = reached.outcome { throw Failure(.failed, reason) }
    if let flaw = reached.checkpointFlaw { throw Failure(.failed, flaw) }
    try reportPrinting()
    if reached.outcome == .diverged {
      throw Failure(.failed, "the run diverged: \(farewell.lastGood)")
    }
    guard reached.outcome == .stopped else { return }
    switch request.number {
    case SIGINT: throw Failure(.interrupted, "interrupted: \(farewell.comeBack)")
    case SIGTERM: throw Failure(.terminated, "terminated: \(farewell.comeBack)")
    default: return
    }
  }

  /// Lines that could not be printed are told; where they are what was asked for, the run has
  /// failed to give them.
  private func reportPrinting() throws(Failure) {
    guard let refusal = printer.refusal, !refusal.isReaderGone else { return }
    let failure = StandardOutput.failure(refusal)
    if watcher == .json { throw failure }
    if !refusal.isClosed { Seismo.report("\(failure); the run itself is recorded") }
  }

  /// Starts another process that goes on from `checkpoint`, headless.
  private func goOn(from checkpoint: URL) throws {
    let path = run.sessionPath
    var arguments = [
      "seismo", "train", "--resume", checkpoint.path, "--session", path, "--headless",
    ]
    if let workers = plan.configuration.workers { arguments += ["--workers", "\(workers)"] }
    if let onAlarm = plan.onAlarm { arguments += ["--on-alarm", onAlarm] }
    try Detachment.spawn(Invocation.executable, arguments) { WriterLock.isHeld(session: path) }
  }
}

extension ConductedRun {
  private func watch() throws {
    let source = RunSource(
      kind: .live, name: plan.name, path: ShownPath.text(plan.sessionPath), file: plan.sessionPath)
    let screen = try DashboardScreen(source: source, theme: theme, stage: stage)
    if let earlier = earlierHistory() { screen.take(.recordingOpened(earlier)) }
    run.attend()
    run.start()
    // A disk that is full at the end is asked again each second, not with every frame.
    var nextClose = DispatchTime.now()
    let leave = screen.run(
      records: { [mailbox] in mailbox.take() },
      send: { [weak self] command, author in self?.send(command, by: author) },
      tend: { [run] in
        if run.reachedEnd != nil, DispatchTime.now() >= nextClose {
          run.tryToClose()
          nextClose = .now() + .seconds(1)
        }
        return run.recorderStatus.text
      })
    try depart(leave, screen)
  }

  /// What a run that goes on had recorded before, also what it leaves now.
  private func earlierHistory() -> RunHistory? {
    guard plan.checkpoint != nil,
      var history = try? SessionReader(path: plan.sessionPath).history(), history.lastStep != nil
    else { return nil }
    history.append(.state(.starting))
    return history
  }

  /// What never reached the run leaves no record: here it is told.
  private func send(_ command: Command, by author: String) {
    run.post(command, by: author) { [mailbox] answer in
      guard !answer.isApplied, answer.step == nil else { return }
      mailbox.post(
        .event(
          RunEvent(
            refusing: command.words, because: answer.text, by: author, step: 0,
            wallTime: Date().timeIntervalSince1970)))
    }
  }

  private func depart(_ leave: DashboardScreen.Departure, _ screen: DashboardScreen) throws {
    let request = screen.endRequest
    listen(request)
    // A signal that the screen did not see any more.
    if request.isNew(), let author = request.author { run.post(.stop, by: author) }
    if request.number != 0 { ranks.interrupt() }
    switch leave {
    case .left(.stopWithCheckpoint), .opens(_, .stopWithCheckpoint):
      run.post(.stop, by: request.author ?? "you")
    case .left(.detach), .opens(_, .detach): run.post(.detach, by: "you")
    case .left(.leave), .opens(_, .leave), .terminalGone: break
    }
    run.endAttendance()
    guard case .opens(let path, _) = leave else { return try conclude(run.waitForEnd(), request) }
    let conclusion = Result { try conclude(run.waitForEnd(), request) }
    interrupts = nil
    try Viewing(theme: theme).begin(with: path)
    try conclusion.get()
  }
}

extension UnwrittenRecords {
  fileprivate var words: String {
    "\(session) lacks \(records) records that wait in memory: \(reason): "
      + "\(reason.remedy) within \(seconds) s, or give them up with Ctrl-C"
  }
}
