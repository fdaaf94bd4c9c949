import ArgumentParser
import Formats
import Foundation
import Runs
import Telemetry

struct Ingest: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Record what another trainer prints.",
    discussion: """
      It is read from standard input, or from COMMAND, which is started and whose exit code is handed \
      on: 'seismo ingest --watch -- python train.py'. A line is {"step":12,"loss":2.1} or \
      {"step":12,"metrics":{…}}, a row of a table, or what nanoGPT, Hugging Face, Megatron, Keras and \
      others print; one without a number is kept as a line of the console. seismo watch shows the \
      session while it grows. What raises an alarm is told as of a run of Seismo's own. Commands go to \
      COMMAND's standard input, a line of JSON each, or to its socket: PROTOCOL.md.
      """)

  @Option(help: "the session to make or to add to (default: sessions/ingest-TIME.seismo)")
  var session: String?
  @Flag(help: "show it while it grows; q leaves the screen, not the program") var watch = false
  @Option(help: "theme: see seismo themes") var theme: String?
  @Flag(
    name: .customLong("no-aliases"),
    help: "leave all metrics their own names; else those that Seismo knows get its names")
  var keepsNames = false
  @Flag(inversion: .prefixedNo, help: .of("monitor")) var monitor = true
  @Argument(parsing: .postTerminator, help: "the program to run, after --")
  var command: [String] = []

  mutating func run() throws {
    let stem = "ingest-\(Int(Date().timeIntervalSince1970))"
    let path = session ?? ForeignSession.freshPath(stem: stem)
    if watch, isatty(STDOUT_FILENO) == 0 {
      throw Failure.usage("--watch needs a terminal: 'seismo watch' shows the session from another")
    }
    let ingestion = try Ingestion(
      command, session: path, aliases: .ofPerson(keepsNames: keepsNames), echoes: !watch,
      monitors: monitor)
    Seismo.report("recording to \(Invocation.shown(path))")
    if watch { try show(ingestion, path) }
    try ingestion.conclude()
  }

  private func show(_ ingestion: Ingestion, _ path: String) throws {
    let name = URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
    let ended = try Viewing(theme: theme).look(
      at: ingestion, named: name, at: Invocation.shown(path))
    ended.screen.leaveTerminal()
    ingestion.pass(ended.screen.endRequest.number)
    guard ingestion.state != .ended, ended.screen.endRequest.number == 0 else { return }
    Seismo.report(
      "the program goes on, and is recorded: ctrl-c ends it, '\(Invocation.command) watch "
        + "\(Invocation.shown(path))' shows it")
  }
}
