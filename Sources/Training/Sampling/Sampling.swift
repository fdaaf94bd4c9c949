import Dispatch
package import Kernels
package import Models

/// Samples of one prompt, group by group.
package struct Sampling {
  /// The prompt's tokens.
  package var ids: [Token]
  /// Tokens to write after it.
  package var tokens = 200
  package var rule = SamplingRule()
  package var seed: UInt64 = 0
  /// Texts that a worker writes side by side: more are no faster.
  package var mostTexts = 32

  package init(ids: [Token]) { self.ids = ids }

  /// Of a text, for a model of bytes.
  package init(prompt: [UInt8]) { self.init(ids: prompt.map { Token($0) }) }

  /// A prompt of no meaning for what is timed: letters, so far as there are as many tokens.
  init(timing count: Int, of model: ModelConfiguration) {
    self.init(ids: (0..<count).map { Token((97 + $0 % 26) % model.vocabulary) })
  }

  /// The prompt of a model of bytes.
  package var prompt: [UInt8] { ids.map { UInt8(truncatingIfNeeded: $0) } }

  /// What the writing came to.
  package struct Pace: Sendable {
    package let tokens: Int
    /// Of reading the prompt and of writing all that follows it.
    package let seconds: Double

    package var tokensPerSecond: Double { Double(tokens) / max(seconds, 1e-9) }
  }

  /// Keys and values that a worker's texts may take, in bytes.
  private static let cacheBytes = 256 << 20

  /// The memory for `count` samples: as many side by side as the workers have use for.
  package func continuation(_ count: Int, engine: InferenceEngine) -> Continuation {
    let configuration = engine.configuration
    let places = min(configuration.context, ids.count + tokens)
    let room = Self.cacheBytes / max(1, places * engine.cacheBytesPerPlace)
    let share = (count + engine.workers - 1) / engine.workers
    return Continuation(
      ids: ids, tokens: tokens, texts: min(share, max(1, room), mostTexts), engine: engine,
      splits: count == 1 && engine.workers > 1)
  }

  /// Writes the first `count` samples, a group at a time, and hands each out in its order.
  package func write(
    _ count: Int, engine: InferenceEngine,
    _ body: (_ number: Int, _ sample: TextSample) throws -> Void
  ) rethrows -> Pace {
    let continuation = continuation(count, engine: engine)
    var nanoseconds = continuation.nanosecondsOfReading
    for first in stride(from: 0, to: count, by: continuation.together) {
      let start = DispatchTime.now().uptimeNanoseconds
      let numbers = first..<min(first + continuation.together, count)
      let samples = continuation.samples(numbers, rule: rule, seed: seed)
      nanoseconds += DispatchTime.now().uptimeNanoseconds - start
      for (number, sample) in zip(numbers, samples) { try body(number, sample) }
    }
    return Pace(tokens: count * tokens, seconds: Double(nanoseconds) / 1e9)
  }
}
