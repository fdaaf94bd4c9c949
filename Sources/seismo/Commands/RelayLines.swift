import ArgumentParser
import Runs

/// The command `relay`, under a name that ``Relay`` does not have.
struct RelayLines: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "relay",
    abstract: "Print a run's lines as they come, and hand commands on to it.",
    discussion: """
      What 'seismo watch host:PATH' runs on the other machine. The first line tells of the relay, the \
      others are the file's, whole and as they stand, or those that event files, a .wandb, a trainer's \
      state or a session are worth, with the answers to commands between them. \
      Commands are lines on standard input, as on the control socket: PROTOCOL.md. It ends with the \
      run, or when nobody reads it.
      """)

  @Option(name: .customLong("from"), help: "the byte of the file to begin with")
  var offset = 0
  @Argument(help: "what 'seismo watch' takes: a file, or a folder for the run in it that grew last")
  var path: String

  mutating func validate() throws {
    if offset < 0 { throw ValidationError("--from \(offset): give a byte from 0") }
  }

  mutating func run() throws {
    try Relay.run(path: path, from: offset)
  }
}
