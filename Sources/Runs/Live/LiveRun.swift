import Foundation
import Glibc
package import Ranks
package import Sessions
import Signals
package import Telemetry
package import Training

/// A run in this process: trainer, recorder and those who give it commands, wired together, each on
/// a queue or a thread of its own. Any number of them go on side by side.
package final class LiveRun: Sendable {
  package let name: String
  /// The run as it was at its start.
  package let description: RunDescription
  /// What the model, its passes and its update take.
  package let memoryBytes: Int
  /// Why no other process can give it commands; nil where one can, or where none was to.
  package let controlFlaw: ControlError?

  private let trainer: Trainer
  private let session: SessionInUse
  private let over = Promise<TrainingEnd>()
  private let finalWrite = FinalWrite()
  private let control: ControlServer?
  private let alarmCommand: AlarmCommand?

  /// - Parameters:
  ///   - plan: what is trained, and where it is recorded.
  ///   - ranks: those that take its steps; the others do their ``RankPart``.
  ///   - corpus: the plan's data where it is open already; nil to open it.
  ///   - sweeps: a folder of sweeps whose words on this run's rate its alarms are to say; nil for
  ///     none.
  ///   - observer: takes each record on the run's own queue, in their order. Waiting there holds the
  ///     run up; the session has the record already.
  /// - Throws: what is wrong with the data, the checkpoint or the session, before anything starts.
  package init(
    plan: RunPlan, ranks: any RankGroup = SoleRank(), corpus: Corpus? = nil,
    sweeps: String? = SweepFolder.usual,
    observer: @escaping @Sendable (RunRecord) -> Void
  ) throws {
    name = plan.name
    let run = try plan.trainingRun(corpus: corpus, ranks: ranks)
    memoryBytes = run.memoryBytes
    (control, controlFlaw) = Self.controlServer(plan)
    var description = run.description(
      name: plan.name, created: Date().timeIntervalSince1970)
    description.environment[.control] = control?.path
    if let branch = plan.branch { description.environment[.parent] = branch.parent }
    self.description = description
    let (step, opened) = (run.step, description)
    let recorder = try ranks.together {
      try plan.recorder(startingAt: step, description: opened)
    }
    session = SessionInUse(recorder, path: plan.sessionPath, description: description)
    let changes = plan.changes.filter { run.settings[$0.name] != $0.value }
      .map { Command.set(name: $0.name, value: $0.value) }
    let session = session
    let tell: @Sendable (RunRecord) -> Void = { record in
      session.record(record)
      observer(record)
    }
    alarmCommand = Self.alarmCommand(plan, tell: tell)
    let monitor = Self.monitor(plan)
    let advice = sweeps.map { SweepAdvice(run.configuration, in: $0) }
    let watch = RankWatch(step: step)
    ranks.onSilence { [alarmCommand] silence in
      let record = RunRecord.event(watch.event(of: silence))
      tell(record)
      alarmCommand?.take(record, session: session.path)
    }
    trainer = Trainer(run, brancher: { try session.branch(to: $0, at: $1) }) {
      [alarmCommand] record in
      watch.take(record)
      let record = advice?.told(record) ?? record
      for record in Self.accompanied(record, monitor) {
        tell(record)
        alarmCommand?.take(record, session: session.path)
      }
    }
    for change in changes { trainer.post(change, by: "command line") }
    let trouble = RecorderTrouble(trainer: trainer)
    session.onStatusChange { trouble.take($0) }
    control?.start { [trainer] request, reply in
      trainer.post(request.command, by: request.author, answer: reply)
    }
  }

  private static func monitor(_ plan: RunPlan) -> MachineMonitor? {
    guard plan.monitorsMachine, plan.configuration.monitorsMachine else { return nil }
    return MachineMonitor(process: getpid(), thresholds: plan.configuration.alarms)
  }

  /// A step's samples with what the machine did meanwhile, and behind them the machine's alarms.
  private static func accompanied(_ record: RunRecord, _ monitor: MachineMonitor?) -> [RunRecord] {
    guard let monitor else { return [record] }
    let accompanied = monitor.accompanied(record)
    guard case .samples(let samples) = record else { return [accompanied] }
    return [accompanied] + monitor.takeEvents(at: samples.step).map { .event($0) }
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

  /// Where this account has no folder for a socket the run goes on without.
  private static func controlServer(_ plan: RunPlan) -> (ControlServer?, ControlError?) {
    guard plan.isOpenToOthers else { return (nil, nil) }
    do throws(ControlError) {
      return (try ControlServer(name: plan.name), nil)
    } catch {
      return (nil, error)
    }
  }
}

extension LiveRun {
  /// The session that it records to: its plan's, until it branches off.
  package var sessionPath: String { session.path }
  package var recorderStatus: RecorderStatus { session.recorder.status }
  /// Nil while the run goes on.
  package var reachedEnd: TrainingEnd? { over.present }

  /// Starts training and returns. To be called once; `onEnd` is called on the run's queue when it is
  /// over.
  package func start(onEnd: @escaping @Sendable (TrainingEnd) -> Void = { _ in }) {
    trainer.start { [over] end in
      over.set(end)
      onEnd(end)
    }
  }

  /// Asks for `command`; it is applied between two steps, in the order of asking. `answer` is called
  /// once, on the run's queue, or here where the run is over; it must not block.
  package func post(
    _ command: Command, by author: String, answer: (@Sendable (CommandAnswer) -> Void)? = nil
  ) {
    trainer.post(command, by: author, answer: answer)
  }

  /// Has a run that diverges wait for a command to go back, rather than end, until
  /// `endAttendance()`.
  package func attend() {
    trainer.attend()
  }

  package func endAttendance() {
    trainer.endAttendance()
  }

  /// Blocks until the run is over.
  package func waitForEnd() -> TrainingEnd { over.wait() }

  /// Ends the recording of a run that is over; `onWait` is told where its disk has to be waited for.
  /// A disk that was full and is no longer gets the last checkpoint too.
  /// - Throws: ``RunError/recordsLost(session:records:reason:remedy:)``.
  package func close(
    _ reached: TrainingEnd, onWait: (UnwrittenRecords) -> Void = { _ in }
  ) throws(RunError) -> TrainingEnd {
    control?.close()
    alarmCommand?.finish()
    var reached = reached
    try finalWrite.close(session.recorder, onWait: onWait) {
      reached = trainer.completed(reached)
    }
    return reached
  }

  /// Tries to end the recording of a run that is over, and waits for no disk.
  package func tryToClose() {
    guard over.present != nil else { return }
    try? session.recorder.close()
  }

  /// Gives up, from any thread, the records that `close` waits to write; false where it does not
  /// wait.
  package func giveUpUnwritten() -> Bool { finalWrite.cutShort() }
}
