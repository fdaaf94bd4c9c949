import ArgumentParser
import Dashboard
import Foundation
import Sessions
import Telemetry

struct Watch: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Look on while another process trains.")

  @Argument(help: "a .seismo file that is being written (default: the latest in sessions/)")
  var session: String?
  @Option(help: "theme: see seismo themes") var theme: String?

  mutating func run() throws {
    let path = try session ?? Replay.latest()
    var follower = try Follower(path: path)
    let name = URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
    let source = RunSource(
      kind: .watch, name: name, path: Invocation.shown(path),
      refusal: "the run belongs to another process: this screen only looks on")
    guard isatty(STDOUT_FILENO) != 0, isatty(STDIN_FILENO) != 0 else {
      throw Failure.usage(
        "watch needs a terminal: '\(Invocation.command) replay --text' prints one screen")
    }
    let screen = try DashboardScreen(source: source, theme: theme)
    var trouble: String?
    _ = screen.run(
      records: {
        do throws(SessionError) {
          let records = try follower.poll()
          trouble = follower.writer == .crashed ? "the process that trained is gone" : nil
          return (records, 0)
        } catch {
          trouble = error.description
          return ([], 0)
        }
      }, send: { _, _ in }, tend: { trouble })
    try screen.endRequest.leaveIfAsked()
  }
}
