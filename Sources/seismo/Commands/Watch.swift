import ArgumentParser
import Formats
import Foundation
import Runs
import Sessions

struct Watch: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Look on while another process trains, and lend a hand.",
    discussion: """
      Keys give their commands to the run by its control socket; --read-only only looks on. \
      Leaving ends nothing. A run that branches off is followed into its new session. A table, \
      JSON lines, event files, a .wandb file or a log that a program prints is shown as it grows.
      """)

  @Argument(
    help: """
      a session that is being written: a file, or a name (default: the latest in sessions/); or \
      what another program logs to: a file or a folder
      """)
  var session: String?
  @Flag(help: "look on only: no key changes the run") var readOnly = false
  @Option(help: "theme: see seismo themes") var theme: String?
  @Flag(help: "wait for a file that is not there yet") var wait = false
  @Flag(
    name: .customLong("no-aliases"),
    help: "leave all metrics of another program's log their own names")
  var keepsNames = false

  mutating func run() throws {
    if let log = try foreignLog() { return try follow(log) }
    let named = try session.map { try SessionReference.file($0) } ?? Replay.latest()
    let path = try WatchedRun.present(named)
    if path != named {
      Seismo.report("\(Invocation.shown(named)) goes on in \(Invocation.shown(path))")
    }
    // A file that cannot be read is told before a terminal is asked for.
    _ = try WatchedRun(path: path)
    try checkTerminal()
    let viewing = Viewing(isReadOnly: readOnly, theme: theme)
    try viewing.goOn(after: viewing.watch(path))
  }

  private func checkTerminal() throws(Failure) {
    guard isatty(STDOUT_FILENO) != 0, isatty(STDIN_FILENO) != 0 else {
      throw Failure.usage(
        "watch needs a terminal: '\(Invocation.command) replay --text' prints one screen")
    }
  }

  /// The log of another program that was named; nil where a session is meant.
  private func foreignLog() throws -> LoggedRun? {
    guard let session, !SessionReference.isSession(session) else { return nil }
    let isThere = FileManager.default.fileExists(atPath: session)
    guard isThere || wait else { return nil }
    let runs = try FollowedLog.runs(at: session, waits: wait)
    if runs.count > 1 {
      Seismo.report(
        "\(Invocation.shown(session)) holds \(runs.count) runs: \(runs[0].name) grew last, the "
          + "others are \(runs.dropFirst().prefix(8).map(\.name).joined(separator: ", "))")
    }
    return runs.first
  }

  private func follow(_ log: LoggedRun) throws {
    try checkTerminal()
    let viewing = Viewing(isReadOnly: true, theme: theme)
    try viewing.goOn(after: viewing.follow(log, usesAliases: !keepsNames))
  }
}
