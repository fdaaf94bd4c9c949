import ArgumentParser
import Formats
import Foundation
import Sessions
import Training

struct Evaluate: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "eval",
    abstract: "Measure a checkpoint's loss on data.",
    discussion: """
      The mean over consecutive, non-overlapping windows of the context length; a last partial \
      window is left out. Without --data it is the part that the checkpoint's own run held out, of \
      the built-in language or of its file; with --data all of what is given.
      """)

  @Argument(help: "a checkpoint folder") var checkpoint: String
  @Option(help: "file or folder read as bytes, - for standard input (default: held-out part)")
  var data: String?
  @Option(help: "cores to use") var workers: Int?
  @Flag(help: "one JSON object on standard output") var json = false

  mutating func run() throws {
    if let workers, !(1...256).contains(workers) {
      throw Failure.usage("--workers \(workers): give a whole number from 1 to 256")
    }
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
    let checkpoint = try CheckpointFolder.read(checkpoint)
    guard let data else { return try Evaluation(heldOutOf: checkpoint, workers: workers) }
    return try Evaluation(
      checkpoint: checkpoint, corpus: Corpus.open(path: data), workers: workers)
  }
}
