import Dashboard
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
  let theme: String?

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
    guard WriterLock.isHeld(session: path) else {
      return try replay(path, after: previous)
    }
    return try watch(path, after: previous)
  }

  /// A recording, from its end: `space` plays it.
  private func replay(_ path: String, after previous: DashboardScreen?) throws -> Ended {
    let damage = DamageReports()
    let reference = try SessionReference(path)
    let history = try SessionReader(path: reference.path)
      .history(line: reference.line) { damage.add($0) }
    let screen = try screen(.recording(reference), after: previous)
    screen.take(.recordingOpened(history))
    screen.play(
      from: history.lastStep ?? 0, speed: nil, pace: .time, idleCap: Playback.usualIdleCap)
    return (
      screen, screen.run(records: { (damage.records(), 0) }, send: { _, _ in }, tend: { nil })
    )
  }

  func watch(_ path: String, after previous: DashboardScreen? = nil) throws -> Ended {
    let run = try WatchedRun(path: path)
    let history = try run.history()
    let screen = try screen(.watched(at: path, isReadOnly: isReadOnly), after: previous)
    screen.take(.recordingOpened(history))
    let departure = screen.run(
      records: {
        let records = run.records { last, history in
          screen.take(.recordsArrived(last))
          screen.take(.recordingOpened(history))
        }
        return (records, 0)
      }, send: { run.send($0, by: $1) }, tend: { run.trouble })
    tell(run.finish())
    return (screen, departure)
  }

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
    if let previous { return DashboardScreen(source: source, after: previous) }
    return try DashboardScreen(source: source, theme: theme)
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
      refusal: isReadOnly ? "--read-only: this screen only looks on" : nil,
      author: Terminals.author)
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
