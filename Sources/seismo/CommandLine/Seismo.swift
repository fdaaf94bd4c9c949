import ArgumentParser
import Foundation
import Runs
import Training

/// The list of subcommands; alone, it trains the default run.
@main
struct Seismo: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "seismo",
    abstract: "A seismograph for training: see an instability coming, and stop it.",
    discussion: """
      Without a subcommand it trains moe-tiny on a built-in language, with the dashboard where \
      standard output is a terminal and plain lines elsewhere.
      """,
    version: BuildFacts.version,
    subcommands: [
      Train.self, Finetune.self, Watch.self, Control.self, Doctor.self, Replay.self,
      ListSessions.self, Evaluate.self, Inspect.self, Merge.self, Sample.self, Estimate.self,
      Bench.self, ListThemes.self, ListAlarms.self, Compare.self, Export.self,
      Import.self, Ingest.self, RelayLines.self, Reproduce.self, Sweep.self, Forecast.self,
      Suggest.self, Pick.self, BenchStore.self, BenchFrame.self,
    ])

  mutating func run() throws {
    try RankedRun(ranks: try ProcessRanks.begin()).conduct { try RunPlan.firstRun() }
  }

  static func main() {
    // A reader that goes away ends the printing, not the run.
    signal(SIGPIPE, SIG_IGN)
    StandardStream.occupyClosed()
    refuseWrongBuild()
    do {
      var command = try parseAsRoot(CommandLineWords.readable(words))
      try command.run()
    } catch {
      Foundation.exit(ProcessRanks.leave(reporting(error)))
    }
    let code = ProcessRanks.leave(0)
    if code != 0 { Foundation.exit(code) }
  }

  /// Ends where the engine's instructions are not this processor's, before any of them runs.
  private static func refuseWrongBuild() {
    let wanted = ProcessInfo.processInfo.environment["SEISMO_VECTOR"]
    let refusal = VectorLevel.built.refusal(
      wanted: wanted, processor: VectorLevel.processorFlags)
    guard let refusal else { return }
    report(refusal)
    Foundation.exit(SeismoExit.usage.rawValue)
  }

  /// What was typed after the program's name.
  private static var words: [String] { Array(CommandLine.arguments.dropFirst()) }

  /// What is wrong with the command line, in one line.
  private static func flaw(_ error: any Error) -> String {
    if let tree = CommandTree.ofProgram, let flaw = CommandLineFlaw(in: words, of: tree) {
      return flaw.description
    }
    let said = message(for: error).oneLine.inOwnWords
    guard !said.contains(": give ") else { return said }
    // What the option is for tells what its value may be.
    let help = fullMessage(for: error).split(whereSeparator: \.isNewline)
      .first { $0.hasPrefix("Help:") }
    let meaning = help?.range(of: ">  ").map { help?[$0.upperBound...] ?? "" }
    return meaning.map { "\(said): \($0)" } ?? "\(said); 'seismo --help' says more"
  }

  /// Writes the one line that `error` comes to and gives the exit code.
  private static func reporting(_ error: any Error) -> Int32 {
    if error is OutputFile.ReaderGone { return 0 }
    if let child = error as? ChildEnd { return child.code }
    let code = exitCode(for: error)
    if code == .success { return answering(fullMessage(for: error)) }
    if code == .validationFailure {
      report(flaw(error))
      return SeismoExit.usage.rawValue
    }
    return reporting(Failure(error))
  }

  private static func reporting(_ failure: Failure) -> Int32 {
    report(failure.description)
    return failure.exit.rawValue
  }

  /// Writes what the parser itself answers with: help, the version, a shell's completions.
  private static func answering(_ text: String) -> Int32 {
    do throws(Failure) {
      try StandardOutput.print(text)
      return 0
    } catch {
      return reporting(error)
    }
  }

  /// Says a line on standard error; where nobody can read it, nothing more can be done.
  static func report(_ line: String) {
    guard ProcessRanks.speaks else { return }
    try? StandardStream.error.write("seismo: \(line.oneLine)\n")
  }
}

extension String {
  fileprivate var oneLine: String {
    split(whereSeparator: \.isNewline).joined(separator: " ")
  }

  /// What the parser says of a wrong value, as the program says it of all others.
  fileprivate var inOwnWords: String {
    let refusal = /The value '(?<value>.*)' is invalid for '(?<name>[^ ']+)[^']*'(?<rest>.*)/
    guard let found = wholeMatch(of: refusal) else { return self }
    let what = "'\(found.value)' is no value for \(found.name)"
    let choices = /\s?Please provide one of(?: the following:)?(?<list>.*)/
    guard let list = found.rest.firstMatch(of: choices)?.list else { return what + found.rest }
    let words = list.split { " ',.".contains($0) }.filter { $0 != "-" && $0 != "or" }
    return "\(what): give \(words.joined(separator: ", "))"
  }
}
