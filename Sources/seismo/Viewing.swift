import Dashboard
import Foundation
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
    let history = try SessionReader(path: path).history { damage.add($0) }
    let screen = try screen(.recording(at: path), after: previous)
    screen.take(.recordingOpened(history))
    screen.play(
      from: history.lastStep ?? 0, speed: nil, pace: .time, idleCap: Playback.usualIdleCap)
    return (
      screen, screen.run(records: { (damage.records(), 0) }, send: { _, _ in }, tend: { nil })
    )
  }

  func watch(_ path: String, after previous: DashboardScreen? = nil) throws -> Ended {
    var follower = try Follower(path: path)
    let damage = DamageReports()
    let history = try follower.history { damage.add($0) }
    let screen = try screen(.watched(at: path, isReadOnly: isReadOnly), after: previous)
    screen.take(.recordingOpened(history))
    let hands = RemoteHands(session: path)
    var lastStep = history.lastStep ?? 0
    var trouble: String?
    let departure = screen.run(
      records: {
        do throws(SessionError) {
          let records = try follower.poll()
          for case .column(let column) in records { lastStep = column.steps.last ?? lastStep }
          trouble = follower.writer == .crashed ? "the process that trained is gone" : nil
          return (records + damage.records() + hands.takeFailures(), 0)
        } catch {
          trouble = error.description
          return ([], 0)
        }
      }, send: { hands.send($0, by: $1, step: lastStep) }, tend: { trouble })
    if !hands.finish() {
      Seismo.report("the run did not answer in time: its events say what became of the command")
    }
    for case .event(let event) in hands.takeFailures() { Seismo.report(event.text) }
    return (screen, departure)
  }

  private func screen(
    _ source: RunSource, after previous: DashboardScreen?
  ) throws -> DashboardScreen {
    if let previous { return DashboardScreen(source: source, after: previous) }
    return try DashboardScreen(source: source, theme: theme)
  }
}

extension RunSource {
  static func recording(at path: String) -> RunSource {
    RunSource(
      kind: .replay, name: name(of: path), path: Invocation.shown(path), file: path,
      refusal: "a recording cannot be changed")
  }

  static func watched(at path: String, isReadOnly: Bool) -> RunSource {
    RunSource(
      kind: .watch, name: name(of: path), path: Invocation.shown(path), file: path,
      refusal: isReadOnly ? "--read-only: this screen only looks on" : nil,
      author: RemoteHands.author)
  }

  private static func name(of path: String) -> String {
    URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
  }
}
