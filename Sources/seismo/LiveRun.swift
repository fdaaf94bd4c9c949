import Dashboard
import Dispatch
import Foundation
import Sessions
import Signals
import Synchronization
import Telemetry
import Training

/// A run in this process: trainer, recorder and whoever watches, wired together.
final class LiveRun {
  private let plan: RunPlan
  private let trainer: Trainer
  private let session: SessionInUse
  private let printer: RecordPrinter
  private let mailbox = DisplayMailbox()
  private let end = RunEnd()
  private let finalWrite = FinalWrite()
  private let stage: DashboardScreen.Stage?
  private var interrupts: Interrupts?
  /// Nil where this account has no folder for it: the run goes on without.
  private let control: ControlServer?
  private let alarmCommand: AlarmCommand?

  /// - Throws: what is wrong with the data, the checkpoint or the session, before anything starts.
  init(plan: RunPlan) throws {
    self.plan = plan
    stage = plan.watcher == .dashboard ? try DashboardScreen.Stage(theme: plan.theme) : nil
    let run = try plan.trainingRun(corpus: plan.corpus())
    control = Self.controlServer(name: plan.name)
    var description = run.description(
      name: plan.name, created: Date().timeIntervalSince1970)
    description.environment[ControlServer.environmentKey] = control?.path
    if let branch = plan.branch { description.environment["parent"] = branch.parent }
    session = SessionInUse(
      try plan.recorder(startingAt: run.step, description: description), path: plan.sessionPath,
      description: description)
    printer = RecordPrinter(plan.watcher, totalSteps: plan.configuration.steps)
    let changes = plan.changes.filter { run.settings[$0.name] != $0.value }
      .map { Command.set(name: $0.name, value: $0.value) }
    let (session, printer, mailbox) = (session, printer, mailbox)
    let isWatched = plan.watcher == .dashboard
    mailbox.post(.description(description))
    let brancher: Brancher = { try session.branch(to: $0, at: $1) }
    let tell: @Sendable (RunRecord) -> Void = { record in
      session.record(record)
      if isWatched { mailbox.post(record) } else { printer.print(record) }
    }
    alarmCommand = Self.alarmCommand(plan, tell: tell)
    trainer = Trainer(run, brancher: brancher) { [alarmCommand] record in
      tell(record)
      alarmCommand?.take(record, session: session.path)
    }
    for change in changes { trainer.post(change, by: "command line") }
    let trouble = RecorderTrouble(trainer: trainer)
    session.onStatusChange { trouble.take($0) }
    control?.start { [trainer] request, reply in
      trainer.post(request.command, by: request.author, answer: reply)
    }
  }

  /// What the run was told wins over the person's settings; their flaws are told either way.
  private static func alarmCommand(
    _ plan: RunPlan, tell: @escaping @Sendable (RunRecord) -> Void
  ) -> AlarmCommand? {
    @Sendable func say(_ line: String) {
      tell(.console(wallTime: Date().timeIntervalSince1970, line: line))
    }
    for warning in plan.person.warnings { say(warning) }
    guard let words = plan.onAlarm ?? plan.person.onAlarm, !words.isEmpty else { return nil }
    return AlarmCommand(words) { say($0) }
  }

  private static func controlServer(name: String) -> ControlServer? {
    do {
      return try ControlServer(name: name)
    } catch {
      Seismo.report("\(error); this run takes no commands from other processes")
      return nil
    }
  }

  func run() throws {
    signal(SIGHUP, SIG_IGN)
    switch plan.watcher {
    case .dashboard: try watch()
    case .lines, .json: try waitForEnd()
    }
  }

  private func start() {
    trainer.start { [end, printer] reached in
      printer.finish()
      end.set(reached)
    }
  }

  /// Waits for the end; SIGINT and SIGTERM end the run between two steps, with a checkpoint.
  private func waitForEnd() throws {
    let request = EndRequest()
    listen(request)
    start()
    try conclude(end.wait(), request)
  }

  /// Has a first signal stop the run and a second one end the program at once, or the wait for a
  /// full disk where the run is over.
  private func listen(_ request: EndRequest) {
    interrupts = Interrupts([SIGINT, SIGTERM]) { [trainer, finalWrite] number in
      if finalWrite.cutShort() { return }
      if request.number != 0 { _exit(128 + number) }
      request.make(number)
      trainer.post(.stop, by: number == SIGINT ? "SIGINT" : "SIGTERM")
    }
  }

  private func conclude(_ reached: TrainingEnd, _ request: EndRequest) throws {
    let reached = try close(reached)
    let farewell = Farewell(
      session: session.path, checkpoint: reached.lastCheckpoint, good: reached.goodCheckpoint)
    if case .detached(let checkpoint) = reached.outcome {
      try goOn(from: checkpoint)
      if plan.watcher != .json { farewell.printDetached() }
      return
    }
    if plan.watcher != .json { farewell.print() }
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
    if plan.watcher == .json { throw failure }
    if !refusal.isClosed { Seismo.report("\(failure); the run itself is recorded") }
  }

  /// Ends the recording; a disk that was full and is no longer gets the last checkpoint too.
  private func close(_ reached: TrainingEnd) throws(Failure) -> TrainingEnd {
    control?.close()
    alarmCommand?.finish()
    var reached = reached
    try finalWrite.close(session.recorder, say: Seismo.report) {
      reached = trainer.completed(reached)
      printer.finish()
    }
    return reached
  }

  /// Starts another process that goes on from `checkpoint`, headless.
  private func goOn(from checkpoint: URL) throws {
    var arguments = [
      "seismo", "train", "--resume", checkpoint.path, "--session", session.path, "--headless",
    ]
    if let workers = plan.configuration.workers { arguments += ["--workers", "\(workers)"] }
    if let onAlarm = plan.onAlarm { arguments += ["--on-alarm", onAlarm] }
    try Detachment.spawn(arguments) { [path = session.path] in
      WriterLock.isHeld(session: path)
    }
  }
}

extension LiveRun {
  private func watch() throws {
    let source = RunSource(
      kind: .live, name: plan.name, path: Invocation.shown(plan.sessionPath),
      file: plan.sessionPath)
    let screen = try DashboardScreen(source: source, theme: plan.theme, stage: stage)
    if let earlier = earlierHistory() { screen.take(.recordingOpened(earlier)) }
    trainer.attend()
    start()
    // A disk that is full at the end is asked again each second, not with every frame.
    var nextClose = DispatchTime.now()
    let leave = screen.run(
      records: { [mailbox] in mailbox.take() },
      send: { [weak self] command, author in self?.send(command, by: author) },
      tend: { [session, end] in
        let recorder = session.recorder
        if end.reachedEnd != nil, DispatchTime.now() >= nextClose {
          try? recorder.close()
          nextClose = .now() + .seconds(1)
        }
        return recorder.status.text
      })
    try depart(leave, screen.endRequest)
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
    trainer.post(command, by: author) { [mailbox] answer in
      guard !answer.isApplied, answer.step == nil else { return }
      mailbox.post(
        .event(
          RunEvent(
            step: 0, wallTime: Date().timeIntervalSince1970, kind: .refused, by: author,
            name: command.words, text: "\(command.words) refused: \(answer.text)")))
    }
  }

  private func depart(_ leave: DashboardScreen.Departure, _ request: EndRequest) throws {
    listen(request)
    switch leave {
    case .left(.stopWithCheckpoint), .opens(_, .stopWithCheckpoint):
      trainer.post(.stop, by: request.author ?? "you")
    case .left(.detach), .opens(_, .detach): trainer.post(.detach, by: "you")
    case .left(.leave), .opens(_, .leave), .terminalGone: break
    }
    trainer.endAttendance()
    guard case .opens(let path, _) = leave else { return try conclude(end.wait(), request) }
    let conclusion = Result { try conclude(end.wait(), request) }
    interrupts = nil
    try Viewing(theme: plan.theme).begin(with: path)
    try conclusion.get()
  }
}
