import ArgumentParser
import Formats
import Foundation
import Models
import Runs
import Sessions
import Training

struct Sample: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Have a checkpoint go on from a prompt.",
    discussion: """
      The text is what was written after the prompt. Its logprob is the model's own, nats, at \
      temperature 1 and with every byte allowed. Sample i of a seed is the same text whatever --n \
      and --workers are. Bytes that are no UTF-8 are shown as U+FFFD. Beyond the trained context the \
      model sees the last bytes that fit into it; where positions are learned, half of them, then \
      more again until it is full. A session's run is asked for a checkpoint of the \
      weights as they are if it is live, and writing takes the time that the run leaves; of one that \
      is over the last checkpoint counts.
      """)

  @Argument(help: "a checkpoint folder, or a session: a file or a name") var checkpoint: String
  @Option(help: "text to go on from") var prompt: String
  @Option(help: "bytes to write") var tokens = 200
  @Option(help: "what logits are divided by; 0: always the likeliest byte") var temperature = 1.0
  @Option(help: "draw among so many likeliest bytes only") var topK: Int?
  @Option(help: "draw among the likeliest bytes that have this share of the probability")
  var topP: Double?
  @Option(help: "samples to write") var n = 1
  @Option(help: "seed of the draws") var seed: UInt64 = 0
  @Option(help: "cores to use") var workers: Int?
  @Flag(help: "a JSON object a sample: text, tokens, logprob") var json = false

  mutating func validate() throws {
    if prompt.isEmpty { throw ValidationError("--prompt: give a text of at least one byte") }
    try CountList.check("tokens", CountList([tokens]), 1...1_000_000)
    try CountList.check("n", CountList([n]), 1...1_000_000)
    if let topK { try CountList.check("top-k", CountList([topK]), 1...256) }
    if let workers { try CountList.check("workers", CountList([workers]), 1...256) }
    guard temperature >= 0, temperature.isFinite else {
      throw ValidationError("--temperature \(temperature): give a number from 0")
    }
    if let topP, !(topP > 0 && topP <= 1) {
      throw ValidationError("--top-p \(topP): give a number above 0, up to 1")
    }
  }

  mutating func run() throws {
    let opened = try opened()
    try opened.checkWritesText()
    let engine = try opened.inferenceEngine(workers: workers)
    var sampling = Sampling(prompt: Array(prompt.utf8))
    sampling.tokens = tokens
    sampling.rule = SamplingRule(temperature: temperature, topK: topK, topP: topP)
    sampling.seed = seed
    if opened.configuration.slides(over: sampling.prompt.count + tokens) {
      Seismo.report(
        "prompt and text are longer than the trained context of"
          + " \(opened.configuration.context) bytes: "
          + (opened.configuration.architecture.learnsPositions
            ? "where it is full, the later half is read again" : "the window slides"))
    }
    let pace = try sampling.write(n, engine: engine) { number, sample in
      guard sample.logProbability.isFinite else {
        throw CheckpointError.notFinite(path: opened.path, tensor: "sample \(number)'s logits")
      }
      if !json, n > 1 { try StandardOutput.print("--- \(number)") }
      try StandardOutput.print(json ? sample.json : sample.shown)
    }
    Seismo.report(pace.text)
  }

  /// What lies where the words say is a checkpoint before it is a name.
  private func opened() throws -> Checkpoint {
    guard !FileSystem.isFolder(checkpoint), SessionReference.isSession(checkpoint) else {
      return try CheckpointFolder.read(checkpoint)
    }
    let now = try CurrentCheckpoint(of: SessionReference(checkpoint), by: "sample")
    if now.isLive { CurrentCheckpoint.yieldProcessors() }
    Seismo.report(
      now.isLive
        ? "the live run's weights at step \(now.checkpoint.step)"
        : "no live run: the weights of the last checkpoint, step \(now.checkpoint.step)")
    return now.checkpoint
  }
}

extension Sampling.Pace {
  fileprivate var text: String {
    String(format: "%d bytes in %.3f s, %.0f a second", tokens, seconds, tokensPerSecond)
  }
}

extension TextSample {
  var json: String {
    JSONLines.object([
      ("text", JSONLines.quoted(String(decoding: bytes, as: UTF8.self))),
      ("tokens", String(bytes.count)), ("logprob", JSONLines.number(logProbability)),
    ])
  }
}
