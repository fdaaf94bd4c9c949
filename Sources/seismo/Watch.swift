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
      Leaving ends nothing. A run that branches off is followed into its new session.
      """)

  @Argument(
    help: "a session that is being written: a file, or a name (default: the latest in sessions/)")
  var session: String?
  @Flag(help: "look on only: no key changes the run") var readOnly = false
  @Option(help: "theme: see seismo themes") var theme: String?

  mutating func run() throws {
    let named = try session.map { try SessionReference.file($0) } ?? Replay.latest()
    let path = try WatchedRun.present(named)
    if path != named {
      Seismo.report("\(Invocation.shown(named)) goes on in \(Invocation.shown(path))")
    }
    let run = try WatchedRun(path: path)
    let name = URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
    let source = RunSource(
      kind: .watch, name: name, path: Invocation.shown(path), file: path,
      refusal: readOnly ? "--read-only: this screen only looks on" : nil,
      author: RemoteHands.author)
    guard isatty(STDOUT_FILENO) != 0, isatty(STDIN_FILENO) != 0 else {
      throw Failure.usage(
        "watch needs a terminal: '\(Invocation.command) replay --text' prints one screen")
    }
    let history = try run.history()
    let screen = try DashboardScreen(source: source, theme: theme)
    screen.take(.recordingOpened(history))
    _ = screen.run(
      records: {
        let records = run.records { last, history in
          screen.take(.recordsArrived(last))
          screen.take(.recordingOpened(history))
        }
        return (records, 0)
      }, send: { run.send($0, by: $1) }, tend: { run.trouble })
    run.finish()
    try screen.endRequest.leaveIfAsked()
  }
}
