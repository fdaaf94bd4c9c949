import Dispatch
import Kernels
package import Models

/// What a model wrote after a prompt.
package struct TextSample: Sendable, Equatable {
  package var bytes: [UInt8]
  /// ln of the probability that the model itself gives the text, at temperature 1 and with every
  /// byte allowed, nats; no number where its logits are none.
  package var logProbability: Double
}

/// Continues one prompt, any number of times.
///
/// Sample i of a seed is the same text whatever is sampled beside it: each byte's draw is a function
/// of seed, sample and place.
package final class Continuation {
  /// Bytes of a text that attention reaches back to: the trained context; all of them where no layer
  /// has attention.
  package let context: Int
  /// Whether the prompt or what follows it goes beyond what attention reaches back to, so that the
  /// window slides.
  package var slides: Bool { engine.configuration.slides(over: prompt.count + tokens) }

  /// What reading the prompt took; making room for it is no part of that.
  let nanosecondsOfReading: UInt64

  private let prompt: [UInt8]
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

  /// Reads the prompt: its last `context` bytes where it has more.
  ///
  /// - Parameters: `tokens` to write of each sample; `texts` written side by side by each worker
  package init(
    of prompt: [UInt8], tokens: Int, texts: Int, engine: InferenceEngine,
    splits: Bool = false
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

  private static func read(_ prompt: [UInt8], _ lane: InferenceLane) {
    for start in stride(from: 0, to: prompt.count, by: promptRows) {
      let part = lane.prefix(min(promptRows, prompt.count - start))
      for row in 0..<part.texts.count {
        let position = start + row
        part.texts[row] = TextRow(
          slot: promptSlot, position: position, token: Token(prompt[position]),
          before: position > 0 ? UInt16(prompt[position - 1]) : 256)
      }
      part.forward(last: 1)
    }
  }

  /// The samples of these numbers.
  package func samples(_ numbers: Range<Int>, rule: SamplingRule, seed: UInt64) -> [TextSample] {
    let writing = Writing(
      first: numbers.lowerBound, count: numbers.count, tokens: tokens,
      prompt: Array(prompt.suffix(context)), places: engine.configuration.places, logits: logits,
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
  /// Whether a text of so many bytes is longer than attention reaches back.
  package func slides(over bytes: Int) -> Bool { hasAttention && bytes > context }

  /// Positions that a text can have; nil for any number.
  fileprivate var places: Int? { architecture.learnsPositions ? context : nil }
}

/// Samples being written, by their places among those asked for.
///
/// A text that has filled all the positions there are begins anew with its later half.
private struct Writing: Sendable {
  let first: Int
  let count: Int
  let tokens: Int
  /// Its bytes that were read.
  let prompt: [UInt8]
  /// Positions that a text can have; nil for any number.
  let places: Int?
  let logits: [Float]
  let rule: SamplingRule
  let draws: CounterGenerator
  let bytes: Buffer<UInt8>
  let logProbabilities: Buffer<Double>

  init(
    first: Int, count: Int, tokens: Int, prompt: [UInt8], places: Int?, logits: [Float],
    rule: SamplingRule, draws: CounterGenerator
  ) {
    self.first = first
    self.count = count
    self.tokens = tokens
    self.prompt = prompt
    self.places = places
    self.logits = logits
    self.rule = rule
    self.draws = draws
    bytes = Buffer(count: count * tokens)
    logProbabilities = Buffer(count: count)
  }

  var samples: [TextSample] {
    (0..<count).map { sample in
      TextSample(
        bytes: (0..<tokens).map { bytes[sample * tokens + $0] },
        logProbability: logProbabilities[sample])
    }
  }

  /// Writes a group from its first to its last byte: what follows the prompt, then a pass a byte.
  func run(_ start: Int, atMost texts: Int, _ lane: InferenceLane) {
    let rows = min(texts, count - start)
    let part = lane.prefix(rows)
    let scratch = FloatBuffer(count: logits.count)
    for row in 0..<rows {
      lane.copy(prompt.count, from: 0, to: row + 1)
      _ = logits.withUnsafeBufferPointer { write(start + row, 0, $0, scratch) }
    }
    // The byte of each text that stands at position 0.
    var origin = 0
    for place in 1..<max(tokens, 1) {
      let index = prompt.count + place - 1
      if let places, index - origin == places {
        origin = index - places / 2
        for earlier in origin..<index { read(earlier, from: origin, start, part) }
      }
      read(index, from: origin, start, part)
      for row in 0..<rows {
        _ = write(start + row, place, part.logits.rowNumbers(row), scratch)
      }
    }
  }

  /// Has each text's byte of that number read.
  private func read(_ index: Int, from origin: Int, _ start: Int, _ part: InferenceLane) {
    for row in 0..<part.texts.count {
      part.texts[row] = TextRow(
        slot: row + 1, position: index - origin, token: Token(byte(index, ofSample: start + row)),
        before: index > 0 ? UInt16(byte(index - 1, ofSample: start + row)) : 256)
    }
    part.forward()
  }

  /// A byte of the prompt or of what follows it.
  private func byte(_ index: Int, ofSample sample: Int) -> UInt8 {
    index < prompt.count ? prompt[index] : bytes[sample * tokens + index - prompt.count]
  }

  private func write(
    _ sample: Int, _ place: Int, _ logits: UnsafeBufferPointer<Float>, _ scratch: FloatBuffer
  ) -> UInt8 {
    let draw = draws.fraction(at: UInt64(first + sample) << 32 | UInt64(place))
    let token = rule.choose(logits, draw: draw, scratch: scratch)
    bytes[sample * tokens + place] = token
    logProbabilities[sample] += Double(
      logProbability(of: Int(token), in: logits, scratch: scratch))
    return token
  }
}
