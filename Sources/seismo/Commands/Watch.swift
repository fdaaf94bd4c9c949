import ArgumentParser
import Foundation
import Runs
import Sessions

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
    // A file that cannot be read is told before a terminal is asked for.
    _ = try WatchedRun(path: path)
    guard isatty(STDOUT_FILENO) != 0, isatty(STDIN_FILENO) != 0 else {
      throw Failure.usage(
        "watch needs a terminal: '\(Invocation.command) replay --text' prints one screen")
    }
    let viewing = Viewing(isReadOnly: readOnly, theme: theme)
    try viewing.goOn(after: viewing.watch(path))
  }
}
