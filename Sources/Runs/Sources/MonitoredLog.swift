import Formats
import Foundation
import Sessions
package import Signals
import Synchronization
package import Telemetry

/// What another program logs, with the alarms that Seismo raises on it, and written to a session as
/// it grows where that is asked for.
package final class MonitoredLog: RecordSource {
  private let source: any LogSource
  private let session: ForeignSession?
  private let thresholds: AlarmThresholds
  private var alarms: ForeignAlarms
  private let machineWatch: MachineWatch
  private var machine: MachineMonitor?
  private let alarmCommand: AlarmCommand?
  private let complaints = Complaints()
  /// The last step that was told.
  private var lastStep = 0
  private var isSilent = false

  /// When the machine's own doings are recorded with the run.
  package enum MachineWatch: Sendable {
    case never, always
    /// Where the program that trains is one of this machine.
    case ofKnownProcess
  }

  /// What is wrong with a person's own command, told from its queue.
  private final class Complaints: Sendable {
    private let lines = Mutex<[String]>([])

    func add(_ line: String) { lines.withLock { $0.append(line) } }

    func take() -> [String] {
      lines.withLock { lines in
        defer { lines = [] }
        return lines
      }
    }
  }

  /// `onAlarm` is a command for the shell, given once an alarm of a run that is recorded.
  package init(
    _ source: any LogSource, thresholds: AlarmThresholds = AlarmThresholds(),
    session: ForeignSession? = nil, machine: MachineWatch = .never, onAlarm: String? = nil
  ) {
    (self.source, self.session, self.thresholds) = (source, session, thresholds)
    let words = session == nil ? nil : onAlarm.flatMap { $0.isEmpty ? nil : $0 }
    alarmCommand = words.map { [complaints] in AlarmCommand($0) { complaints.add($0) } }
    machineWatch = machine
    alarms = ForeignAlarms(thresholds: thresholds)
  }

  package func history() throws -> RunHistory {
    let history = history(of: try source.opening())
    watchMachine()
    return history
  }

  private func history(of records: [RunRecord]) -> RunHistory {
    var run = RecordedRun(records: records)
    alarms = run.addAlarms(thresholds: thresholds)
    let records = run.records
    session?.take(records, control: source.control)
    let history = RunHistory(records)
    lastStep = history.lastStep ?? 0
    return history
  }

  package func updates(budget: Int) -> [SourceUpdate] {
    var updates = source.updates(budget: budget).map { update -> SourceUpdate in
      switch update {
      case .records(let records): .records(monitored(records))
      case .opened(let records): .reopened(history(of: records))
      case .reopened: update
      }
    }
    watchMachine()
    let now = Date().timeIntervalSince1970
    var others = ((machine?.takeEvents(at: lastStep) ?? []) + silence()).map { RunRecord.event($0) }
    others += complaints.take().map { .console(wallTime: now, line: $0) }
    if !others.isEmpty {
      session?.take(others, control: source.control)
      updates.append(.records(others))
    }
    if let alarmCommand, let session {
      for case .records(let records) in updates {
        for record in records { alarmCommand.take(record, session: session.path) }
      }
    }
    return updates
  }

  /// An alarm where nothing has come for much longer than usual, or the writer is gone; and its end.
  private func silence() -> [RunEvent] {
    let remark: String? =
      switch source.state {
      case .silent(let since, let remark)
      where remark.hasSuffix(": " + Pause.longWords)
        && Date().timeIntervalSince1970 - since > Self.leastSilence:
        remark
      case .gone(let remark): remark
      case .silent, .live, .ended, .unreachable, .reading: nil
      }
    guard (remark != nil) != isSilent else { return [] }
    isSilent = remark != nil
    let kind: RunEvent.Kind = isSilent ? .alarm : .calm
    return [
      RunEvent(
        step: lastStep, wallTime: Date().timeIntervalSince1970, kind: kind, by: "alarm",
        name: Self.silenceName, text: remark.map { "no data: \($0)" } ?? "data comes again")
    ]
  }

  /// Shorter pauses are no alarm, however fast the lines came before.
  private static let leastSilence = 30.0

  /// What an alarm on a source that is silent bears as its name.
  package static let silenceName = "source-silent"

  private func watchMachine() {
    if case .reading = source.state { return }
    guard machine == nil, source.state != .ended else { return }
    switch machineWatch {
    case .never: return
    case .ofKnownProcess where source.process == nil: return
    case .ofKnownProcess, .always: break
    }
    machine = MachineMonitor(process: source.process, thresholds: thresholds)
  }

  private func monitored(_ records: [RunRecord]) -> [RunRecord] {
    var told: [RunRecord] = []
    for record in records {
      told.append(machine?.accompanied(record) ?? record)
      told += alarms.take(record).map { .event($0) }
      if case .samples(let samples) = record { lastStep = samples.step }
    }
    session?.take(told, control: source.control)
    return told
  }

  package var state: SourceState { source.state }
  package var refusal: String? { source.refusal }
  package var recordingTrouble: String? { session?.trouble }

  package func send(_ command: Command, by author: String) { source.send(command, by: author) }

  /// Nobody reads the log on: a run that has not said how it ended was stopped.
  package func cut() { session?.cut() }

  /// Closes the session too.
  package func finish() -> (isAnswered: Bool, failures: [RunEvent]) {
    var end = source.finish()
    alarmCommand?.finish()
    do throws(SessionError) {
      try session?.close()
    } catch {
      let now = Date().timeIntervalSince1970
      end.failures.append(
        RunEvent(step: 0, wallTime: now, kind: .fault, by: "recorder", text: error.description))
    }
    return end
  }
}
