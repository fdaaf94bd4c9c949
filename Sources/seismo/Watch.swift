import ArgumentParser
import Dashboard
import Foundation
import Sessions
import Signals
import Telemetry

struct Watch: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Look on while another process trains, and lend a hand.",
    discussion: """
      Keys give their commands to the run by its control socket; --read-only only looks on. \
      Leaving ends nothing.
      """)

  @Argument(help: "a .seismo file that is being written (default: the latest in sessions/)")
  var session: String?
  @Flag(help: "look on only: no key changes the run") var readOnly = false
  @Option(help: "theme: see seismo themes") var theme: String?

  mutating func run() throws {
    let path = try session ?? Replay.latest()
    var follower = try Follower(path: path)
    let name = URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
    let source = RunSource(
      kind: .watch, name: name, path: Invocation.shown(path), file: path,
      refusal: readOnly ? "--read-only: this screen only looks on" : nil,
      author: RemoteHands.author)
    guard isatty(STDOUT_FILENO) != 0, isatty(STDIN_FILENO) != 0 else {
      throw Failure.usage(
        "watch needs a terminal: '\(Invocation.command) replay --text' prints one screen")
    }
    let damage = DamageReports()
    let history = try follower.history { damage.add($0) }
    let screen = try DashboardScreen(source: source, theme: theme)
    screen.take(.recordingOpened(history))
    let hands = RemoteHands(session: path)
    var lastStep = history.lastStep ?? 0
    var trouble: String?
    _ = screen.run(
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
    try screen.endRequest.leaveIfAsked()
  }
}
