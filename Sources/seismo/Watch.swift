import ArgumentParser
import Foundation
import Sessions

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
    _ = try Follower(path: path)
    guard isatty(STDOUT_FILENO) != 0, isatty(STDIN_FILENO) != 0 else {
      throw Failure.usage(
        "watch needs a terminal: '\(Invocation.command) replay --text' prints one screen")
    }
    let viewing = Viewing(isReadOnly: readOnly, theme: theme)
    try viewing.goOn(after: viewing.watch(path))
  }
}
