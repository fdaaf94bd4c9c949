import Dashboard
import Formats
import Foundation
import Runs
import Sessions
import Signals
import Telemetry

/// Looking at recorded runs, one after another: what is opened in the list of runs comes on the
/// same terminal, as a replay or, where it is still being written, to be watched.
struct Viewing {
  /// No key changes a run that is watched.
  var isReadOnly = false
  /// Whether another screen waits for the person: esc comes back to it.
  var isVisit = false
  let theme: String?
  /// The logs that were named, where such were.
  var roster: LogRoster?
  /// Sessions that are listed with them.
  var others: [String] = []
  /// Whether what other programs log is written to sessions as it grows.
  var records = false
  /// Whether what the machine does is written with a program of it.
  var monitorsMachine = true
  /// The session to write, where one was named.
  var session: String?

  typealias Ended = (screen: DashboardScreen, departure: DashboardScreen.Departure)

  /// Shows what was opened on `ended`'s screen, and so on, until the person leaves.
  func goOn(after ended: Ended) throws {
    var ended = ended
    while case .opens(let path, _) = ended.departure {
      do {
        ended = try show(path, after: ended.screen)
      } catch {
        ended.screen.leaveTerminal()
        throw error
      }
    }
    try ended.screen.endRequest.leaveIfAsked()
  }

  /// Shows a run on a terminal that is the program's no more.
  func begin(with path: String) throws {
    try goOn(after: show(path, after: nil))
  }

  private func show(_ path: String, after previous: DashboardScreen?) throws -> Ended {
    if let log = roster?.run(at: path) { return try follow(log, after: previous) }
    guard WriterLock.isHeld(session: path) else {
      return try replay(path, after: previous)
    }
    return try watch(path, after: previous)
  }

  /// A recording, from its end: `space` plays it.
  private func replay(_ path: String, after previous: DashboardScreen?) throws -> Ended {
    let reference = try SessionReference(path)
    let recording = try Recording(reference)
    return try show(recording, as: .recording(reference), after: previous) { screen, history in
      screen.play(
        from: history.lastStep ?? 0, speed: nil, pace: .time, idleCap: Playback.usualIdleCap)
    }
  }

  func watch(_ path: String, after previous: DashboardScreen? = nil) throws -> Ended {
    let run = try WatchedRun(path: path)
    return try show(run, as: .watched(at: path, isReadOnly: isReadOnly), after: previous)
  }

  /// A record that another program writes.
  func follow(_ run: LoggedRun, after previous: DashboardScreen? = nil) throws -> Ended {
    // What is recorded is recorded whole.
    let patience = records ? nil : Self.patience
    let log: any LogSource =
      roster?.log(of: run, patience: patience) ?? FollowedLog(run, patience: patience)
    roster?.show(run)
    let others = (roster?.runs.count ?? 1) - 1 + others.count
    return try follow(
      log, as: .followed(run.name, at: Invocation.shown(run.paths[0])), source: run.key,
      after: previous
    ) { screen, _ in
      guard previous == nil, others > 0 else { return }
      screen.take(.othersWatched(others))
    }
  }

  /// Shows a source that lives on when the person leaves.
  func look(at source: any RecordSource, named name: String, at place: String) throws -> Ended {
    try show(source, as: .followed(name, at: place), after: nil)
  }

  /// What comes from elsewhere than a file here.
  func follow(_ log: any LogSource, named name: String, at place: String) throws -> Ended {
    try follow(log, as: .followed(name, at: place), source: place, after: nil)
  }

  private func follow(
    _ log: any LogSource, as shown: RunSource, source: String, after previous: DashboardScreen?,
    begin: (DashboardScreen, RunHistory) -> Void = { _, _ in }
  ) throws -> Ended {
    let person = UserConfiguration.found()
    let thresholds = AlarmThresholds(options: person.alarms)
    let session = try newSession(of: shown.name, source: source, thresholds, previous)
    let monitored = MonitoredLog(
      log, thresholds: thresholds, session: session,
      machine: session != nil && monitorsMachine ? .ofKnownProcess : .never,
      onAlarm: person.onAlarm)
    let ended = try show(monitored, as: shown, after: previous, begin: begin)
    if let session { Seismo.report("recorded to \(Invocation.shown(session.path))") }
    return ended
  }

  /// The session that was named is that of the run that is shown first.
  private func newSession(
    of name: String, source: String, _ thresholds: AlarmThresholds, _ previous: DashboardScreen?
  ) throws -> ForeignSession? {
    guard records else { return nil }
    let path = previous == nil ? session : nil
    return try ForeignSession(
      at: path ?? ForeignSession.freshPath(stem: name), source: source, thresholds: thresholds)
  }

  /// Shows a source until the person leaves; `begin` is given the screen with all there is so far.
  private func show(
    _ source: any RecordSource, as shown: RunSource, after previous: DashboardScreen?,
    begin: (DashboardScreen, RunHistory) -> Void = { _, _ in }
  ) throws -> Ended {
    let history = try source.history()
    let screen = try screen(shown, after: previous)
    screen.take(.recordingOpened(history))
    begin(screen, history)
    let departure = screen.run(
      records: {
        var arrived: [RunRecord] = []
        for update in source.updates(budget: Self.budget) {
          switch update {
          case .records(let records): arrived += records
          case .reopened(let history):
            screen.take(.recordsArrived(arrived))
            screen.take(.recordingOpened(history))
            arrived = []
          case .opened(let records):
            screen.take(.recordingOpened(RunHistory(records)))
            arrived = []
          }
        }
        return (arrived, 0)
      }, send: { source.send($0, by: $1) }, tend: { source.recordingTrouble },
      stand: {
        guard shown.kind == .watch else { return nil }
        return (source.state, isReadOnly ? Self.readOnly : source.refusal)
      })
    tell(source.finish())
    return (screen, departure)
  }

  /// The first frame is no later, however long the record is.
  private static let patience = 0.2

  /// So many samples are taken before the next frame.
  private static let budget = 1 << 18

  fileprivate static let readOnly = "--read-only: this screen only looks on"

  /// What became of the commands that were on their way.
  private func tell(_ end: (isAnswered: Bool, failures: [RunEvent])) {
    if !end.isAnswered {
      Seismo.report("the run did not answer in time: its events say what became of the command")
    }
    for event in end.failures { Seismo.report(event.text) }
  }

  private func screen(
    _ source: RunSource, after previous: DashboardScreen?
  ) throws -> DashboardScreen {
    var source = source
    source.isVisited = isVisit
    if let previous { return DashboardScreen(source: source, after: previous) }
    let shelf = RunShelf(roster: roster)
    shelf.include(others)
    return try DashboardScreen(source: source, theme: theme, shelf: shelf)
  }
}

extension RunSource {
  static func recording(_ reference: SessionReference) -> RunSource {
    RunSource(
      kind: .replay, name: reference.name, path: reference.shown,
      file: reference.path + reference.suffix,
      refusal: "a recording cannot be changed")
  }

  static func watched(at path: String, isReadOnly: Bool) -> RunSource {
    RunSource(
      kind: .watch, name: name(of: path), path: Invocation.shown(path), file: path,
      refusal: isReadOnly ? Viewing.readOnly : nil,
      author: Terminals.author)
  }

  /// A record that another program writes; whether it has hands shows itself.
  static func followed(_ name: String, at place: String) -> RunSource {
    RunSource(kind: .watch, name: name, path: place, author: Terminals.author)
  }

  private static func name(of path: String) -> String {
    URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
  }
}

private enum Terminals {
  /// Who gives the commands of this screen, as the events show: `watch pts/3`.
  static let author: String = {
    guard let name = ttyname(STDIN_FILENO) else { return "watch" }
    let terminal = String(cString: name)
    return "watch " + (terminal.hasPrefix("/dev/") ? String(terminal.dropFirst(5)) : terminal)
  }()
}
