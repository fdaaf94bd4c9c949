import Dispatch
package import Kernels
package import Models

/// What a model wrote after a prompt.
package struct TextSample: Sendable, Equatable {
  /// Its tokens.
  package var ids: [Token]
  /// ln of the probability that the model itself gives the text, at temperature 1 and with every
  /// token allowed, nats; no number where its logits are none.
  package var logProbability: Double

  package init(ids: [Token], logProbability: Double) {
    (self.ids, self.logProbability) = (ids, logProbability)
  }

  /// Of a model of bytes.
  package var bytes: [UInt8] { ids.map { UInt8(truncatingIfNeeded: $0) } }
}

/// Continues one prompt, any number of times.
///
/// Sample i of a seed is the same text whatever is sampled beside it: each token's draw is a function
/// of seed, sample and place.
package final class Continuation {
  /// Tokens of a text that attention reaches back to: the trained context; all of them where no layer
  /// has attention.
  package let context: Int
  /// Whether the prompt or what follows it goes beyond what attention reaches back to, so that the
  /// window slides.
  package var slides: Bool { engine.configuration.slides(over: prompt.count + tokens) }

  /// What reading the prompt took; making room for it is no part of that.
  let nanosecondsOfReading: UInt64

  private let prompt: [Token]
  private let tokens: Int
  private let lanes: InferenceLanes
  private let texts: Int
  private let engine: InferenceEngine
  /// Of what follows the prompt.
  private let logits: [Float]

  /// Rows of a pass over the prompt.
  static let promptRows = 64
  /// Before the prompt's own, of a lane.
  private static let promptSlot = 0

  /// Of a text, for a model of bytes.
  package convenience init(
    of prompt: [UInt8], tokens: Int, texts: Int, engine: InferenceEngine, splits: Bool = false
  ) {
    self.init(
      ids: prompt.map { Token($0) }, tokens: tokens, texts: texts, engine: engine, splits: splits)
  }

  /// Reads the prompt: its last `context` tokens where it has more.
  ///
  /// - Parameters: `tokens` to write of each sample; `texts` written side by side by each worker
  package init(
    ids prompt: [Token], tokens: Int, texts: Int, engine: InferenceEngine, splits: Bool = false
  ) {
    precondition(!prompt.isEmpty && tokens > 0 && texts > 0, "nothing to continue")
    context = engine.configuration.hasAttention ? engine.configuration.context : .max
    let kept = Array(prompt.suffix(context))
    self.prompt = prompt
    self.tokens = tokens
    self.texts = texts
    self.engine = engine
    lanes = engine.lanes(
      splits ? 1 : engine.workers, rows: max(texts, min(kept.count, Self.promptRows)),
      slots: texts + 1, places: min(context, kept.count + tokens), splits: splits)
    let all = lanes.lanes
    let start = DispatchTime.now().uptimeNanoseconds
    // Each lane for itself, and all with the same bits.
    if all.count == 1 {
      Self.read(kept, all[0])
    } else {
      engine.pool.run(jobs: all.count) { lane, _ in Self.read(kept, all[lane]) }
    }
    nanosecondsOfReading = DispatchTime.now().uptimeNanoseconds - start
    logits = Array(all[0].logits.rowNumbers(0))
  }

  /// What it takes beside the weights, in bytes.
  package var memoryBytes: Int { lanes.bytes }

  /// Samples that the workers write side by side.
  package var together: Int { texts * lanes.lanes.count }

  private static func read(_ prompt: [Token], _ lane: InferenceLane) {
    for start in stride(from: 0, to: prompt.count, by: promptRows) {
      let part = lane.prefix(min(promptRows, prompt.count - start))
      for row in 0..<part.texts.count {
        let position = start + row
        part.texts[row] = TextRow(
          slot: promptSlot, position: position, token: prompt[position],
          before: position > 0 ? prompt[position - 1] : 256)
      }
      part.forward(last: 1)
    }
  }

  /// The samples of these numbers.
  package func samples(_ numbers: Range<Int>, rule: SamplingRule, seed: UInt64) -> [TextSample] {
    let writing = Writing(
      first: numbers.lowerBound, count: numbers.count, tokens: tokens,
      prompt: Array(prompt.suffix(context)), model: engine.configuration, logits: logits,
      rule: rule,
      draws: CounterGenerator(seed: seed, stream: "samples"))
    let groups = (numbers.count + texts - 1) / texts
    let (texts, all) = (texts, lanes.lanes)
    if all.count == 1 {
      for group in 0..<groups { writing.run(group * texts, atMost: texts, all[0]) }
    } else {
      engine.pool.run(jobs: groups) { group, worker in
        writing.run(group * texts, atMost: texts, all[worker])
      }
    }
    return writing.samples
  }
}

extension ModelConfiguration {
  /// Whether a text of so many tokens is longer than attention reaches back.
  package func slides(over tokens: Int) -> Bool { hasAttention && tokens > context }

  /// Of a prompt: what fits into what attention reaches back to.
  func kept(ofPrompt tokens: Int) -> Int { hasAttention ? min(tokens, context) : tokens }

  /// Has `body` take the passes that write `tokens` after a prompt, behind the prompt's own and in
  /// their order; each reads the token before the one that it is for.
  ///
  /// A text that has filled all the positions that are learned begins anew with its later half.
  /// - Parameters: `prompt` are the tokens of it that were read, no more than the context; `body` is told
  ///   the token that is read, counted from the prompt's first, its position, and whether the next
  ///   token is chosen by what comes of it
  func forEachPass(
    prompt: Int, tokens: Int, _ body: (_ index: Int, _ place: Int, _ writes: Bool) -> Void
  ) {
    // The token of a text that stands at position 0.
    var origin = 0
    for index in prompt..<prompt + max(tokens, 1) - 1 {
      if architecture.learnsPositions, index - origin == context {
        origin = index - context / 2
        for earlier in origin..<index { body(earlier, earlier - origin, false) }
      }
      body(index, index - origin, true)
    }
  }
}

/// Samples being written, by their places among those asked for.
private struct Writing: Sendable {
  let first: Int
  let count: Int
  let tokens: Int
  /// Its tokens that were read.
  let prompt: [Token]
  let model: ModelConfiguration
  let logits: [Float]
  let rule: SamplingRule
  let draws: CounterGenerator
  let written: Buffer<Token>
  let logProbabilities: Buffer<Double>

  init(
    first: Int, count: Int, tokens: Int, prompt: [Token], model: ModelConfiguration,
    logits: [Float], rule: SamplingRule, draws: CounterGenerator
  ) {
    self.first = first
    self.count = count
    self.tokens = tokens
    self.prompt = prompt
    self.model = model
    self.logits = logits
    self.rule = rule
    self.draws = draws
    written = Buffer(count: count * tokens)
    logProbabilities = Buffer(count: count)
  }

  var samples: [TextSample] {
    (0..<count).map { sample in
      TextSample(
        ids: (0..<tokens).map { written[sample * tokens + $0] },
        logProbability: logProbabilities[sample])
    }
  }

  /// Writes a group from its first to its last token: what follows the prompt, then a pass a token.
  func run(_ start: Int, atMost texts: Int, _ lane: InferenceLane) {
    let rows = min(texts, count - start)
    let part = lane.prefix(rows)
    let scratch = FloatBuffer(count: logits.count)
    for row in 0..<rows {
      lane.copy(prompt.count, from: 0, to: row + 1)
      logits.withUnsafeBufferPointer { write(start + row, 0, $0, scratch) }
    }
    model.forEachPass(prompt: prompt.count, tokens: tokens) { index, place, writes in
      read(index, at: place, start, part)
      guard writes else { return }
      for row in 0..<rows {
        write(start + row, index - prompt.count + 1, part.logits.rowNumbers(row), scratch)
      }
    }
  }

  /// Has each text's token of that number read.
  private func read(_ index: Int, at place: Int, _ start: Int, _ part: InferenceLane) {
    for row in 0..<part.texts.count {
      part.texts[row] = TextRow(
        slot: row + 1, position: place, token: token(index, ofSample: start + row),
        before: index > 0 ? token(index - 1, ofSample: start + row) : 256)
    }
    part.forward()
  }

  /// A token of the prompt or of what follows it.
  private func token(_ index: Int, ofSample sample: Int) -> Token {
    index < prompt.count ? prompt[index] : written[sample * tokens + index - prompt.count]
  }

  private func write(
    _ sample: Int, _ place: Int, _ logits: UnsafeBufferPointer<Float>, _ scratch: FloatBuffer
  ) {
    let draw = draws.fraction(at: UInt64(first + sample) << 32 | UInt64(place))
    let token = rule.choose(logits, draw: draw, scratch: scratch)
    written[sample * tokens + place] = token
    logProbabilities[sample] += Double(
      logProbability(of: Int(token), in: logits, scratch: scratch))
  }
}
