import Kernels
import Models
import Telemetry

/// Half of a step's windows are of other text, on which the model is held to what it was.
///
/// loss = CE over the data's windows + c·KL(π‖π₀) over the anchors'. An anchor is kept with
/// probability 1 − (its trigrams' share that the data's windows have too); one that is not is replaced
/// by the next, a few times, so that what is to change is not held.
/// - Source: Lyu et al. 2023 (2312.16145), section 3.3, where the outputs' squared distance is taken
///   and anchors are drawn around a concept; the divergence of a language model's outputs is derived
struct AnchorObjective: StepObjective {
  private let windows: WindowSource
  private let strength: Float
  private let draws: CounterGenerator
  /// Tokens of the anchors, and of the step.
  private var anchors = 0
  private var all = 0
  private var steering: Steering?

  private static let attempts = 4

  /// Nil where nothing is held.
  /// - Throws: ``DataError`` where the anchors' data cannot be read or holds no window.
  init?(_ configuration: TrainingConfiguration) throws {
    guard configuration.anchor > 0 else { return nil }
    let corpus =
      try configuration.anchorPath.map {
        try Corpus.open(path: $0, vocabulary: configuration.model.vocabulary)
      } ?? .synthetic()
    windows = try WindowSource(
      corpus: corpus, evalFraction: configuration.evalFraction,
      context: configuration.model.context, order: .shuffled, seed: configuration.seed &+ 1)
    strength = Float(configuration.anchor)
    draws = CounterGenerator(seed: configuration.seed, stream: "anchors")
  }

  mutating func prepare(_ step: ObjectiveStep, _ tokens: inout [Token]) throws -> any TokenLoss {
    let (context, batch) = (step.context, step.engine.batch)
    let data = max(1, batch / 2)
    let steering = step.steering(inPlaceOf: steering)
    self.steering = steering
    try drawAnchors(data..<batch, step, &tokens)
    (anchors, all) = ((batch - data) * context, batch * context)
    for token in 0..<batch * context {
      let isData = token < data * context
      steering.weights[token] = isData ? Float(batch) / Float(data) : 0
      steering.shares[token] = steering.weights[token]
      steering.pulls[token] = isData ? 0 : strength * Float(batch) / Float(batch - data)
    }
    step.putReference(data..<batch, of: tokens, into: steering)
    return steering
  }

  mutating func tell(_ statistics: StepStatistics, into samples: inout StepSamples) {
    guard anchors > 0 else { return }
    // The statistics' mean is over all tokens, of which these are a part.
    let share = Double(anchors) / Double(all)
    samples.add(MetricCatalog.anchorDivergence, statistics.divergence / share)
  }

  private func drawAnchors(
    _ rows: Range<Int>, _ step: ObjectiveStep, _ tokens: inout [Token]
  ) throws {
    let width = step.context + 1
    let known = Self.trigrams(tokens[..<(rows.lowerBound * width)], width: width)
    for row in rows {
      for attempt in 0..<Self.attempts {
        let number = (step.firstWindow + row) * Self.attempts + attempt
        try tokens.withUnsafeMutableBufferPointer {
          try windows.windows(
            from: number, into: $0.extracting(row * width..<(row + 1) * width))
        }
        let own = Self.trigrams(tokens[row * width..<(row + 1) * width], width: width)
        let overlap = own.isEmpty ? 0 : Double(own.intersection(known).count) / Double(own.count)
        if draws.fraction(at: UInt64(number)) < 1 - overlap { break }
      }
    }
  }

  /// Of all windows of `width` tokens.
  private static func trigrams(_ tokens: ArraySlice<Token>, width: Int) -> Set<UInt64> {
    var found: Set<UInt64> = []
    for start in stride(from: tokens.startIndex, to: tokens.endIndex, by: width) {
      for index in start..<start + max(0, width - 2) {
        found.insert(
          UInt64(tokens[index]) << 32 | UInt64(tokens[index + 1]) << 16 | UInt64(tokens[index + 2]))
      }
    }
    return found
  }
}
