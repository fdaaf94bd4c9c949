import Telemetry

/// The colours of a chart of the wall.
struct TileHue: Sendable, Hashable {
  let role: Role
  let faint: Role

  private static let known: [(prefix: String, hue: TileHue)] = [
    ("loss", TileHue(.loss, .lossFaint)), ("attention", TileHue(.logits, .logitsFaint)),
    ("lr", TileHue(.learningRate, .learningRateFaint)),
    ("expert", TileHue(.experts, .expertsFaint)), ("router", TileHue(.experts, .expertsFaint)),
    ("grad", TileHue(.gradients, .gradientsFaint)),
    ("clip", TileHue(.gradients, .gradientsFaint)),
    ("activation", TileHue(.activations, .activationsFaint)),
    ("log_z", TileHue(.outputs, .outputsFaint)), ("output", TileHue(.outputs, .outputsFaint)),
  ]

  /// Of names that only the run knows, by what they hold.
  private static let telling: [(word: String, hue: TileHue)] = [
    ("loss", TileHue(.loss, .lossFaint)), ("logit", TileHue(.logits, .logitsFaint)),
    ("grad", TileHue(.gradients, .gradientsFaint)), ("expert", TileHue(.experts, .expertsFaint)),
    ("norm", TileHue(.gradients, .gradientsFaint)),
    ("rms", TileHue(.activations, .activationsFaint)),
    ("reward", TileHue(.learningRate, .learningRateFaint)),
    ("acc", TileHue(.experts, .expertsFaint)),
  ]

  private init(_ role: Role, _ faint: Role) {
    (self.role, self.faint) = (role, faint)
  }

  init(of metric: MetricName) {
    let stem = MetricCatalog.family(of: metric)?.stem ?? metric.path
    if let known = Self.known.first(where: { stem.hasPrefix($0.prefix) }) {
      self = known.hue
      return
    }
    let words = stem.lowercased()
    self =
      Self.telling.first { words.holds($0.word) }?.hue ?? TileHue(.throughput, .throughputFaint)
  }
}

extension String {
  /// Whether the bytes of a word stand in it. A wall of thousands of charts asks this of each a dozen
  /// times, for which the library's search of any text by any other is too thorough.
  func holds(_ word: String) -> Bool {
    let (text, word) = (Array(utf8), Array(word.utf8))
    guard let first = word.first, text.count >= word.count else { return word.isEmpty }
    return (0...text.count - word.count).contains { start in
      text[start] == first && text[start..<start + word.count].elementsEqual(word)
    }
  }
}
