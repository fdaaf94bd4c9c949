import Dashboard
import Foundation
import Sessions
import Synchronization
import Telemetry
import Training

/// A run in this process: trainer, recorder and whoever watches, wired together.
final class LiveRun {
  private let plan: RunPlan
  private let trainer: Trainer
  private let recorder: Recorder
  private let printer: RecordPrinter
  private let mailbox = DisplayMailbox()
  private let end = RunEnd()
  private let checkpoints: URL
  private var interrupts: Interrupts?

  /// - Throws: what is wrong with the data, the checkpoint or the session, before anything starts.
  init(plan: RunPlan) throws {
    self.plan = plan
    checkpoints = plan.checkpointFolder
    let run = try plan.trainingRun(corpus: plan.corpus())
    let description = run.description(
      name: plan.name, created: Date().timeIntervalSince1970)
    recorder = try plan.recorder(startingAt: run.step, description: description)
    printer = RecordPrinter(plan.watcher, totalSteps: plan.configuration.steps)
    let (recorder, printer, mailbox) = (recorder, printer, mailbox)
    let isWatched = plan.watcher == .dashboard
    mailbox.post(.description(description))
    trainer = Trainer(run) { record in
      recorder.record(record)
      if isWatched { mailbox.post(record) } else { printer.print(record) }
    }
    let trouble = RecorderTrouble(trainer: trainer)
    recorder.onStatusChange { trouble.take($0) }
  }

  func run() throws {
    trainer.start { [end, printer] outcome in
      printer.finish()
      end.set(outcome)
    }
    switch plan.watcher {
    case .dashboard: try watch()
    case .lines, .json: try waitForEnd()
    }
  }

  /// Waits for the end; SIGINT and SIGTERM end the run between two steps, with a checkpoint.
  private func waitForEnd() throws {
    let received = Mutex<Int32>(0)
    interrupts = Interrupts([SIGINT, SIGTERM]) { [trainer] number in
      let isSecond = received.withLock { before in
        defer { before = number }
        return before != 0
      }
      if isSecond { _exit(128 + number) }
      trainer.post(.stop, by: number == SIGINT ? "SIGINT" : "SIGTERM")
    }
    signal(SIGHUP, SIG_IGN)
    let outcome = end.wait()
    try close()
    let number = received.withLock { $0 }
    try conclude(outcome, signal: number)
  }

  private func conclude(_ outcome: TrainingOutcome, signal number: Int32) throws {
    switch outcome {
    case .finished: break
    case .stopped:
      if number == SIGINT { throw Failure(.interrupted, "interrupted: \(farewell.comeBack)") }
      if number == SIGTERM { throw Failure(.terminated, "terminated: \(farewell.comeBack)") }
    case .diverged:
      throw Failure(.failed, "the loss is not finite any more: \(farewell.lastGood)")
    case .failed(let reason): throw Failure(.failed, reason)
    case .detached(let checkpoint): try goOn(from: checkpoint)
    }
    if plan.watcher == .lines { farewell.print() }
  }

  private func close() throws {
    do {
      try recorder.close()
    } catch {
      throw Failure(.failed, "\(error)")
    }
  }

  private var farewell: Farewell {
    Farewell(session: plan.sessionPath, checkpoints: checkpoints)
  }

  /// Starts another process that goes on from `checkpoint`, headless.
  private func goOn(from checkpoint: URL) throws {
    try Detachment.spawn([
      "seismo", "train", "--resume", checkpoint.path, "--session", plan.sessionPath, "--headless",
    ])
  }
}

extension LiveRun {
  private func watch() throws {
    signal(SIGHUP, SIG_IGN)
    let source = RunSource(
      kind: .live, name: plan.name, path: Invocation.shown(plan.sessionPath))
    let screen = try DashboardScreen(source: source, theme: plan.theme)
    let endRequest = screen.endRequest
    interrupts = Interrupts([SIGINT, SIGTERM]) { endRequest.make($0) }
    let leave = screen.run(
      records: { [mailbox] in mailbox.take() },
      send: { [trainer] command, author in trainer.post(command, by: author) },
      tend: { [recorder, end] in
        if end.outcome != nil { try? recorder.close() }
        return recorder.status.text
      })
    try depart(leave, signal: endRequest.number)
  }

  private func depart(_ leave: DashboardScreen.Departure, signal number: Int32) throws {
    switch leave {
    case .left(.stopWithCheckpoint): trainer.post(.stop, by: "you")
    case .left(.detach): trainer.post(.detach, by: "you")
    case .left(.leave), .terminalGone: break
    }
    let outcome = end.wait()
    try close()
    try conclude(outcome, signal: number)
    if case .detached = outcome { farewell.printDetached() } else { farewell.print() }
  }
}
