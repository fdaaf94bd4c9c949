import ArgumentParser
import Formats
import Foundation
import Runs
import Sessions
import Telemetry

struct Control: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Give one command to a live run, from a script.",
    discussion: """
      The words are those of the palette and of [[at]]: \
      \(Command.vocabulary.map(\.usage).joined(separator: ", ")). It waits for the answer and ends with 0 \
      where the command was applied, 1 where it was refused, 65 where no run is live. A run that \
      was just detached is waited for. Of a trainer that writes a FILE.jsonl of PROTOCOL.md's lines, as \
      the Python client does, it takes whatever that trainer knows; HOST:FILE.jsonl is one of another \
      machine, reached over ssh.
      """)

  @Option(help: "seconds to wait for the answer") var timeout = 60
  @Option(help: "who gives it, as the events show") var by = "control"
  @Flag(help: "the answer as one JSON object on standard output") var json = false
  @Argument(
    help: """
      the session that the run is recording to: a file, or a name; or a trainer's FILE.jsonl, here or \
      as HOST:FILE.jsonl
      """)
  var session: String
  @Argument(parsing: .remaining, help: "the command, in one word or several")
  var command: [String]

  mutating func validate() throws {
    if !(1...86_400).contains(timeout) {
      throw ValidationError("--timeout \(timeout): give seconds from 1 to 86400")
    }
    if by.isEmpty || by.count > 40 { throw ValidationError("--by: give a name of 1 to 40 letters") }
  }

  mutating func run() throws {
    let words = self.command.joined(separator: " ")
    do {
      let (command, answer) = try ask(words)
      try report(answer, to: command)
    } catch let error as CommandError {
      throw Failure.usage(error.description)
    } catch let error as ControlError {
      throw Failure(error.isOfTheRun ? .failed : .badInput, error.description)
    }
  }

  /// Another machine's file; what lies here under such a name is meant first.
  private var farPlace: RemotePlace? { FileSystem.exists(session) ? nil : RemotePlace(session) }

  private func ask(_ words: String) throws -> (Command, CommandAnswer) {
    if let farPlace {
      let command = try Command(trainersWords: words)
      return (command, try RemoteLog(farPlace).ask(command, by: by, timeoutSeconds: timeout))
    }
    return try isTrainersFile ? askTrainer(words) : askRun(words)
  }

  private var isTrainersFile: Bool {
    FileSystem.exists(session) && !FileSystem.isFolder(session)
      && !SessionReference.isSession(session)
  }

  private func askRun(_ words: String) throws -> (Command, CommandAnswer) {
    let command: Command
    do throws(CommandError) {
      command = try Command(words: words)
    } catch {
      command = try othersCommand(words, unless: error)
    }
    let answer = try ControlClient.ask(
      SessionReference.file(session), command, by: by, timeoutSeconds: timeout)
    return (command, answer)
  }

  /// What another program's run may know, where the session is one; else `flaw` is thrown.
  private func othersCommand(_ words: String, unless flaw: CommandError) throws -> Command {
    guard let file = try? SessionReference.file(session),
      (try? ControlClient.isOthers(session: file)) == true
    else { throw flaw }
    return try Command(trainersWords: words)
  }

  /// The trainer knows which words are commands.
  private func askTrainer(_ words: String) throws -> (Command, CommandAnswer) {
    let command = try Command(trainersWords: words)
    let answer = try ControlClient.ask(
      trainerOf: session, command, by: by, timeoutSeconds: timeout)
    return (command, answer)
  }

  private func report(_ answer: CommandAnswer, to command: Command) throws {
    let place = answer.step.map { " at step \($0)" } ?? ""
    if json { try StandardOutput.print(answer.line()) }
    guard answer.isApplied else {
      throw Failure(.failed, "\(command.words) refused\(place): \(answer.text)")
    }
    if !json { try StandardOutput.print("applied\(place): \(answer.text)") }
  }
}

extension ControlError {
  /// Whether there was a run to talk to, so that it is not the session that is wrong.
  fileprivate var isOfTheRun: Bool {
    if case .silent = self { true } else { false }
  }
}
