import ArgumentParser
import Formats
import Foundation
import Models
import Runs
import Sessions
import Training

struct Evaluate: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "eval",
    abstract: "Measure a checkpoint's loss on data, or how often it passes tasks.",
    discussion: """
      The loss is the mean over consecutive, non-overlapping windows of the context length; a last \
      partial window is left out. Without --data it is the part that the checkpoint's own run held \
      out, of the built-in language or of its file; with --data all of what is given, which a model \
      that transformers has written needs.

      With --tasks each line of a file is a task: {"prompt":…,"check":{"regex"|"exact"|"command"|\
      "language":…}}, where it may say "tokens" to write and a "weak_check". A command is a program \
      that is given {"prompt":…,"text":…} a line and answers with a number a line, above 0 for a \
      pass; language is words or facts, of the built-in one. A task is tried at temperature 1 until \
      it has been passed --passes times (PassUntil, 2310.03262): its rate is (r-1)/(K-1), without \
      bias, with an exact interval of 95%. Tries that a weak check judges too tell what comes of \
      trying again until it accepts (2411.17501). Of a sweep's folder the best cell of each size is \
      tried, and the largest is predicted from the others.
      """)

  @Argument(
    help: """
      a checkpoint folder, or that of a Persimmon, GPT-2 or Llama as transformers writes it; with \
      --tasks a sweep's folder too
      """)
  var checkpoint: String
  @Option(help: "file or folder of bytes or of ids, - for standard input (default: held-out part)")
  var data: String?
  @Option(help: "file of tasks, a JSON object a line") var tasks: String?
  @Option(help: "passes after which a task is left (default: 2)") var passes: Int?
  @Option(help: "tries after which a task is left (default: 100000)") var most: Int?
  @Option(help: "tries that a weak check judges (default: 200)") var weakTries: Int?
  @Option(help: "seed of the tries (default: 0)") var seed: UInt64?
  @Option(help: "cores to use") var workers: Int?
  @Flag(help: "one JSON object on standard output") var json = false

  mutating func validate() throws {
    for (name, value, most) in [
      ("passes", passes, 1000), ("most", most, 100_000_000), ("weak-tries", weakTries, 1_000_000),
    ] {
      guard let value else { continue }
      if tasks == nil { throw ValidationError("--\(name) \(value): give --tasks with it") }
      guard !(1...most).contains(value) else { continue }
      throw ValidationError("--\(name) \(value): give a whole number from 1 to \(most)")
    }
    if let seed, tasks == nil { throw ValidationError("--seed \(seed): give --tasks with it") }
    if data != nil, tasks != nil {
      throw ValidationError("--data and --tasks: give one of them")
    }
  }

  mutating func run() throws {
    if let workers, !(1...256).contains(workers) {
      throw Failure.usage("--workers \(workers): give a whole number from 1 to 256")
    }
    if let tasks { return try tryTasks(TextTask.all(in: tasks)) }
    let evaluation = try evaluation()
    let result = try evaluation.run()
    if json {
      try StandardOutput.print(
        "{\"loss\":\(JSONLines.number(result.loss)),\"tokens\":\(result.tokens)}")
    } else {
      let place = data == nil ? ", held out of \(evaluation.corpusName)" : ""
      try StandardOutput.print(
        "loss \(result.loss) nats/token over \(result.tokens) tokens\(place)")
    }
  }

  private func evaluation() throws -> Evaluation {
    let checkpoint = try CheckpointFolder.model(checkpoint)
    guard let data else { return try Evaluation(heldOutOf: checkpoint, workers: workers) }
    return try Evaluation(
      checkpoint: checkpoint,
      corpus: Corpus.open(path: data, vocabulary: checkpoint.configuration.vocabulary),
      workers: workers)
  }

  private func tryTasks(_ tasks: [TextTask]) throws {
    var evaluation = TaskEvaluation(tasks: tasks)
    if let passes { evaluation.passes = passes }
    if let most { evaluation.most = most }
    if let weakTries { evaluation.weakTries = weakTries }
    if let seed { evaluation.seed = seed }
    let place = SweepFolder(path: checkpoint)
    if place.holdsSweep {
      let law = TaskLawReport(try evaluation.law(over: place, workers: workers))
      if json { return try StandardOutput.print(law.json) }
      return try law.lines.forEach(StandardOutput.print)
    }
    let opened = try CheckpointFolder.model(checkpoint)
    try opened.checkWritesText()
    let engine = try opened.inferenceEngine(workers: workers)
    let report = TaskReport(tasks: tasks, outcomes: try evaluation.outcomes(of: engine))
    if json { return try StandardOutput.print(report.json) }
    try report.lines.forEach(StandardOutput.print)
  }
}
