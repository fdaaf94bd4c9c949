import ArgumentParser
import Formats
import Foundation
import Kernels
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
      and --workers are. Bytes that are no UTF-8 are shown as U+FFFD. A model of a tokenizer's ids \
      goes on from ids, and what it writes are ids too. Beyond the trained context the \
      model sees the last tokens that fit into it; where positions are learned, half of them, then \
      more again until it is full. A session's run is asked for a checkpoint of the \
      weights as they are if it is live, and writing takes the time that the run leaves; of one that \
      is over the last checkpoint counts.
      """)

  @Argument(
    help: """
      a checkpoint folder, that of a Persimmon, GPT-2 or Llama as transformers writes it, or a \
      session: a file or a name
      """)
  var checkpoint: String
  @Option(help: "text to go on from") var prompt: String?
  @Option(help: "tokens to go on from, by their numbers: 15496,11,995") var promptIds: TokenList?
  @Option(help: "bytes to write, or ids") var tokens = 200
  @Option(help: "what logits are divided by; 0: always the likeliest token") var temperature = 1.0
  @Option(help: "draw among so many likeliest tokens only") var topK: Int?
  @Option(help: "draw among the likeliest tokens that have this share of the probability")
  var topP: Double?
  @Option(help: "samples to write") var n = 1
  @Option(help: "seed of the draws") var seed: UInt64 = 0
  @Option(help: "cores to use") var workers: Int?
  @Flag(help: "a JSON object a sample: text, or ids, tokens, logprob") var json = false

  mutating func validate() throws {
    if prompt?.isEmpty == true {
      throw ValidationError("--prompt: give a text of at least one byte")
    }
    guard (prompt == nil) != (promptIds == nil) else {
      throw ValidationError("--prompt or --prompt-ids: give one of them")
    }
    try CountList.check("tokens", CountList([tokens]), 1...1_000_000)
    try CountList.check("n", CountList([n]), 1...1_000_000)
    if let topK { try CountList.check("top-k", CountList([topK]), 1...Corpus.largestVocabulary) }
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
    var sampling = try sampling(of: opened)
    let engine = try opened.inferenceEngine(workers: workers)
    sampling.tokens = tokens
    sampling.rule = SamplingRule(temperature: temperature, topK: topK, topP: topP)
    sampling.seed = seed
    warn(of: sampling, opened.configuration)
    let pace = try sampling.write(n, engine: engine) { number, sample in
      guard sample.logProbability.isFinite else {
        throw CheckpointError.notFinite(path: opened.path, tensor: "sample \(number)'s logits")
      }
      if !json, n > 1 { try StandardOutput.print("--- \(number)") }
      let isText = promptIds == nil
      try StandardOutput.print(
        json ? sample.json(isText: isText) : isText ? sample.shown : sample.list)
    }
    Seismo.report(pace.text(unit))
  }

  /// Says so where not all of a text is seen.
  private func warn(of sampling: Sampling, _ model: ModelConfiguration) {
    guard model.slides(over: sampling.ids.count + tokens) else { return }
    let way =
      model.architecture.learnsPositions
      ? "where it is full, the later half is read again" : "the window slides"
    Seismo.report(
      "prompt and text are longer than the trained context of \(model.context) \(unit): \(way)")
  }

  private var unit: String { promptIds == nil ? "bytes" : "tokens" }

  /// - Throws: `noText`; a failure for numbers that are no tokens of the model's.
  private func sampling(of model: any OpenedModel) throws -> Sampling {
    guard let ids = promptIds?.values else {
      try model.checkWritesText()
      return Sampling(prompt: Array((prompt ?? "").utf8))
    }
    let vocabulary = model.configuration.vocabulary
    if let id = ids.first(where: { $0 >= vocabulary }) {
      throw Failure.usage(
        "--prompt-ids \(id): \(model.path) has the tokens 0 to \(vocabulary - 1): give some of them"
      )
    }
    return Sampling(ids: ids)
  }

  /// What lies where the words say is a checkpoint before it is a name.
  private func opened() throws -> any OpenedModel {
    guard !FileSystem.isFolder(checkpoint), SessionReference.isSession(checkpoint) else {
      return try CheckpointFolder.model(checkpoint)
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
  fileprivate func text(_ unit: String) -> String {
    String(format: "%d \(unit) in %.3f s, %.0f a second", tokens, seconds, tokensPerSecond)
  }
}

extension TextSample {
  func json(isText: Bool) -> String {
    JSONLines.object([
      isText
        ? ("text", JSONLines.quoted(String(decoding: bytes, as: UTF8.self)))
        : ("ids", "[\(list)]"),
      ("tokens", String(ids.count)), ("logprob", JSONLines.number(logProbability)),
    ])
  }

  /// Its tokens' numbers, as a prompt of them is given.
  var list: String { ids.map(String.init).joined(separator: ",") }
}

/// Tokens as they are given on the command line: `15496,11,995`.
struct TokenList: ExpressibleByArgument, Equatable {
  let values: [Token]

  init?(argument: String) {
    let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
    values = parts.compactMap { Token($0) }
    guard values.count == parts.count else { return nil }
  }

  var defaultValueDescription: String { values.map(String.init).joined(separator: ",") }
}
